"""ExpressRoute circuits and their Microsoft peering, as Azure shows them."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from arcferry import typed
from arcferry.numbers import whole
from arcferry.routing.shapes import Node

_MICROSOFT = "microsoftpeering"
_CIRCUIT_ID = re.compile(r"/expressRouteCircuits/([^/\s]{1,80})", re.IGNORECASE)
_GROUP_ID = re.compile(r"/resourceGroups/([^/\s]{1,90})/", re.IGNORECASE)
_CIRCUIT_FIELDS = (
    "serviceProviderProperties",
    "serviceProviderProvisioningState",
    "circuitProvisioningState",
    "expressRoutePort",
)
_LEGACY = {0: False, 1: True}
_MOST_ASN = 2**32 - 1
_FAMILIES = ("MeteredData", "UnlimitedData")


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
        state: `Enabled` or `Disabled`, empty if the document does not say.
        peer_asn: the customer's AS, 0 where unknown.
        primary_prefix: the link to Microsoft's primary router, empty if unknown; a /30 or a /126.
        secondary_prefix: the same of the secondary one.
        advertised_prefixes: the customer's public prefixes that Microsoft was told of.
        advertised_state: `Configured`, `Configuring`, `NotConfigured` or `ValidationNeeded`; empty if the
            document does not say.
        legacy: what the API's `legacyMode` says: whether it was configured before 2017-08-01, when no filter
            was needed; None if unknown.
        route_filter: the resource id or name of the filter that is attached, empty if none is.
        provisioning: whether Azure is done with the last change, such as `Succeeded`; empty if unknown.
        customer_asn: the AS in whose name the prefixes are registered, 0 where unknown.
        registry: the routing registry that Microsoft asks for the prefixes' owner, such as `APNIC`.
    """

    state: str = ""
    peer_asn: int = 0
    primary_prefix: str = ""
    secondary_prefix: str = ""
    advertised_prefixes: tuple[str, ...] = ()
    advertised_state: str = ""
    legacy: bool | None = None
    route_filter: str = ""
    provisioning: str = ""
    customer_asn: int = 0
    registry: str = ""

    @property
    def links(self) -> tuple[str, ...]:
        """The prefixes between the customer's routers and Microsoft's, as far as they are known."""
        return tuple(filter(None, (self.primary_prefix, self.secondary_prefix)))


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit. Its service key and the peering's shared key are never kept.

    Attributes:
        name: as in Azure, or the file's name.
        peering_location: such as `Hong Kong`, empty if unknown: a circuit of ExpressRoute Direct does not
            say it, its port does.
        provisioning: the provider's side, such as `Provisioned`; empty if unknown.
        microsoft: its Microsoft peering over IPv4; None if the document shows that there is none.
        microsoft_ipv6: the same over IPv6.
        lists_peerings: whether the document lists peerings at all, so that their lack means something.
        state: Azure's side, `Enabled` or `Disabled`; empty if unknown.
        provider: the connectivity provider, empty if unknown or with ExpressRoute Direct.
        resource_group: empty if the document has no resource id.
        direct: whether it is a circuit of ExpressRoute Direct.
        family: how it is billed, `MeteredData` or `UnlimitedData`; empty if unknown.
    """

    name: str
    tier: Tier = Tier.UNKNOWN
    peering_location: str = ""
    provisioning: str = ""
    microsoft: Peering | None = None
    microsoft_ipv6: Peering | None = None
    lists_peerings: bool = True
    state: str = ""
    provider: str = ""
    resource_group: str = ""
    direct: bool = False
    family: str = ""


def read_circuit(document: object, name: str) -> Circuit:
    """Read one circuit, or its peerings alone, as REST, `az` or PowerShell has it.

    A list of one circuit is accepted, and a list of peerings. Missing fields are left unknown.

    Args:
        document: the parsed JSON.
        name: the file's name, for errors.

    Raises:
        InputError: the document is neither, or a part of it has the wrong type. No error shows a value.
    """
    root = Node(document, name)
    inner = root if root.is_list else root.field("value")
    found = list(inner.items()) if inner is not None and inner.is_list else [root]
    if found and all(is_peering(one) for one in found):
        return _of_peerings(found, name, listed=found[0].value is not root.value)
    if len(found) == 1 and is_circuit(found[0]):
        return _circuit(found[0], name)
    circuits = sum(is_circuit(one) for one in found)
    raise root.problem(
        f"holds {circuits} circuits, expected one" if circuits else "neither a circuit nor a peering of one"
    )


def is_circuit(node: Node) -> bool:
    """Whether this object looks like a circuit."""
    return any(node.flat().field(key) is not None for key in _CIRCUIT_FIELDS) and not is_peering(node)


def is_peering(node: Node) -> bool:
    """Whether this object looks like a peering of a circuit."""
    return node.flat().field("peeringType") is not None


def _circuit(root: Node, file: str) -> Circuit:
    properties = root.flat()
    provider = _object(properties, "serviceProviderProperties")
    listed = properties.field("peerings")
    peerings = list(listed.items()) if listed is not None else []
    microsoft, microsoft_ipv6 = _microsoft(peerings)
    tier, family = _sku(root)
    return Circuit(
        name=_name(root.text("name")) or file,
        tier=tier,
        peering_location=typed.label(provider.text("peeringLocation")) if provider else "",
        provisioning=typed.label(properties.text("serviceProviderProvisioningState")),
        microsoft=microsoft,
        microsoft_ipv6=microsoft_ipv6,
        lists_peerings=listed is not None,
        state=typed.label(properties.text("circuitProvisioningState")),
        provider=typed.label(provider.text("serviceProviderName")) if provider else "",
        resource_group=_group(root),
        direct=properties.field("expressRoutePort") is not None,
        family=family,
    )


def _of_peerings(peerings: Sequence[Node], file: str, *, listed: bool) -> Circuit:
    """What peerings that stand alone tell of their circuit."""
    microsoft, microsoft_ipv6 = _microsoft(peerings)
    return Circuit(
        name=_name(_in_id(peerings[0], _CIRCUIT_ID)) or file,
        microsoft=microsoft,
        microsoft_ipv6=microsoft_ipv6,
        lists_peerings=listed or microsoft is not None,
        resource_group=_group(peerings[0]),
    )


def _microsoft(peerings: Sequence[Node]) -> tuple[Peering | None, Peering | None]:
    """The Microsoft peering over IPv4 and over IPv6."""
    for peering in peerings:
        properties = peering.flat()
        kind = properties.text("peeringType") or peering.text("name")
        if kind.lower() == _MICROSOFT:
            inner = _object(properties, "ipv6PeeringConfig")
            return _peering(properties), _peering(inner) if inner and inner.value else None
    return None, None


def _peering(node: Node) -> Peering:
    config = _object(node, "microsoftPeeringConfig")
    listed = config.field("advertisedPublicPrefixes") if config else None
    attached = _object(node, "routeFilter")
    filter_name = attached.text("id") or attached.text("name") if attached else ""
    return Peering(
        state=typed.label(node.text("state")),
        peer_asn=_asn(node, "peerASN"),
        primary_prefix=_link(node, "primaryPeerAddressPrefix"),
        secondary_prefix=_link(node, "secondaryPeerAddressPrefix"),
        advertised_prefixes=tuple(map(_prefix, listed.items())) if listed else (),
        advertised_state=typed.label(config.text("advertisedPublicPrefixesState")) if config else "",
        legacy=_LEGACY.get(_number(config, "legacyMode", most=1)) if config else None,
        route_filter=typed.resource_id(filter_name) or _name(filter_name),
        provisioning=typed.label(node.text("provisioningState")),
        customer_asn=_asn(config, "customerASN") if config else 0,
        registry=typed.label(config.text("routingRegistryName")) if config else "",
    )


def _name(text: str) -> str:
    """A circuit's name; a word that says so where it is none that Azure could have given."""
    return typed.resource(text) or (typed.NAME_IS_NONE if text else "")


def _sku(root: Node) -> tuple[Tier, str]:
    """The tier and the family, which the SKU's name holds too: `Standard_MeteredData`."""
    sku = _object(root, "sku")
    if sku is None:
        return Tier.UNKNOWN, ""
    tier, _, family = sku.text("name").lower().partition("_")
    tier, family = sku.text("tier").lower() or tier, sku.text("family").lower() or family
    return (
        next((one for one in Tier if one.lower() == tier), Tier.UNKNOWN),
        next((one for one in _FAMILIES if one.lower() == family), ""),
    )


def _object(node: Node, key: str) -> Node | None:
    """A field that has to be an object.

    Raises:
        InputError: it is something else, as where PowerShell was not asked deep enough.
    """
    found = node.field(key)
    if found is None or found.is_object:
        return found
    raise found.problem(
        "expected an object; with PowerShell use ConvertTo-Json -Depth 10, which does not cut objects short"
    )


def _link(node: Node, key: str) -> str:
    found = node.field(key)
    return _prefix(found) if found and found.value != "" else ""


def _prefix(node: Node) -> str:
    """The prefix in canonical form; documents also show one with the host's bits set."""
    try:
        return str(ipaddress.ip_network(str(node.value).strip(), strict=False))
    except ValueError:
        raise node.problem("expected a prefix such as 192.0.2.0/30") from None


def _asn(node: Node, key: str) -> int:
    return max(_number(node, key, most=_MOST_ASN), 0)


def _number(node: Node, key: str, *, most: int) -> int:
    """A field's whole number, also where it stands as text; -1 where it is missing."""
    found = node.field(key)
    if found is None:
        return -1
    number = None if isinstance(found.value, bool) else whole(str(found.value), most=most)
    if number is None:
        raise found.problem(f"expected a whole number up to {most}")
    return number


def _in_id(node: Node, pattern: re.Pattern[str]) -> str:
    found = pattern.search(node.text("id"))
    return found[1] if found else ""


def _group(node: Node) -> str:
    """The resource group: PowerShell names its field otherwise than `az` does."""
    named = _in_id(node, _GROUP_ID) or node.text("resourceGroup") or node.text("resourceGroupName")
    return typed.resource_group(named)
