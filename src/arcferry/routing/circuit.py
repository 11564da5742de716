"""ExpressRoute circuits and their Microsoft peering, as Azure shows them."""

from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """A circuit's SKU tier, which decides the regions whose prefixes Microsoft advertises at all."""

    LOCAL = "Local"
    STANDARD = "Standard"
    PREMIUM = "Premium"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Peering:
    """The Microsoft peering of a circuit, one IP version.

    Attributes:
        state: `Enabled` or `Disabled`, empty where the document does not say.
        advertised_prefixes: the customer's public prefixes that Microsoft was told of.
        advertised_state: `Configured`, `Configuring`, `NotConfigured` or `ValidationNeeded`; empty where the
            document does not say.
        legacy: whether it was configured before 2017-08-01, when no filter was needed; None where unknown.
        route_filter: the resource id or name of the filter that is attached, empty where none is.
    """

    state: str = ""
    peer_asn: int = 0
    primary_prefix: str = ""
    secondary_prefix: str = ""
    advertised_prefixes: tuple[str, ...] = ()
    advertised_state: str = ""
    legacy: bool | None = None
    route_filter: str = ""


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit. Its service key and the peering's shared key are never kept.

    Attributes:
        name: as in Azure, or the file's name.
        peering_location: such as `Hong Kong`, empty where unknown.
        provisioning: the provider's side, such as `Provisioned`; empty where unknown.
        microsoft: its Microsoft peering over IPv4; None where the document shows that there is none.
        microsoft_ipv6: the same over IPv6.
        lists_peerings: whether the document lists peerings at all, so that their lack means something.
    """

    name: str
    tier: Tier = Tier.UNKNOWN
    peering_location: str = ""
    provisioning: str = ""
    microsoft: Peering | None = None
    microsoft_ipv6: Peering | None = None
    lists_peerings: bool = True
