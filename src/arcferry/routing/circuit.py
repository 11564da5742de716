"""ExpressRoute circuits and their Microsoft peering, as Azure shows them, and whether they carry anything.

The one place that judges a circuit; whoever shows the answer brings the sentence. The causes follow so:

| cause | follows from |
|---|---|
| `route/peering-down` | `no_routes` of IPv4, no reason is `NO_ROUTE_FILTER` |
| `route/no-route-filter` | `no_routes` of IPv4, at least one reason is `NO_ROUTE_FILTER` |
| `route/filter-not-attached` | `filters_not_at_hand` |
| `route/outside-sku-geography` | `reaches` is False |
| `route/ipv6-not-peered` | `no_routes` of IPv6, every reason is `NO_PEERING` |
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from arcferry import catalog, typed
from arcferry.routing.azure_json import CIRCUIT_ID, Node, resource_group, resource_name
from arcferry.routing.route_filter import RouteFilter
from arcferry.text import whole

_MICROSOFT = "microsoftpeering"
_CIRCUIT_FIELDS = (
    "serviceProviderProperties",
    "serviceProviderProvisioningState",
    "circuitProvisioningState",
    "expressRoutePort",
)
_OF_PEERING = re.compile(r"/peerings/.*", re.IGNORECASE)
IPV4, IPV6 = 4, 6
TELLS_NO_FILTER = "tellsNoFilter"
"""A field by which a reader says that a part of a peering, such as a query's result, never shows a filter."""

_FAMILIES = ("MeteredData", "UnlimitedData")
_VALIDATED = ("", "configured", "manuallyverified")
# All but the last: validationState of azure-mgmt-network and Azure.Provisioning.Network; the last, "verified
# using the old method", only stands in a support guide on prefix validation of 2025-11-19.


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
        primary_prefix: the link to Microsoft's primary router, empty if unknown; a /30 or a /126.
        secondary_prefix: the same of the secondary one.
        advertised_prefixes: the customer's public prefixes that Microsoft was told of.
        advertised_state: `Configured`, `Configuring`, `NotConfigured` or `ValidationNeeded`; empty if the
            document does not say.
        validations: the state of each prefix that has one of its own, which Azure shows since 2025.
        legacy: what the API's `legacyMode` says: whether it was configured before 2017-08-01, when no filter
            was needed; None if unknown.
        route_filter: the resource id or name of the filter that is attached, empty if none is.
        tells_filter: whether the document would show a filter, so that its lack means something.
    """

    state: str = ""
    primary_prefix: str = ""
    secondary_prefix: str = ""
    advertised_prefixes: tuple[str, ...] = ()
    advertised_state: str = ""
    legacy: bool | None = None
    route_filter: str = ""
    validations: tuple[tuple[str, str], ...] = ()
    tells_filter: bool = True

    @property
    def unvalidated(self) -> tuple[tuple[str, str], ...]:
        """The prefixes that Microsoft does not let in yet, each with its state; a prefix's own state leads.

        Where only the state of all is known, and no prefix, it stands there without one.
        """
        own = dict(self.validations)
        rest = [prefix for prefix in self.advertised_prefixes if prefix not in own]
        told = [*self.validations, *((prefix, self.advertised_state) for prefix in rest)]
        if not told:
            told = [("", self.advertised_state)]
        return tuple((prefix, state) for prefix, state in told if state.lower() not in _VALIDATED)

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
        resource_group: empty if the document has no resource id.
        direct: whether it is a circuit of ExpressRoute Direct.
        family: how it is billed, `MeteredData` or `UnlimitedData`; empty if unknown.
        resource_id: empty if the document does not say.
        location: its Azure region, which a filter's must be too; empty if unknown.
        origin: the document's name, by which it is called where it has none of its own.
    """

    name: str
    tier: Tier = Tier.UNKNOWN
    peering_location: str = ""
    provisioning: str = ""
    microsoft: Peering | None = None
    microsoft_ipv6: Peering | None = None
    lists_peerings: bool = True
    state: str = ""
    resource_group: str = ""
    direct: bool = False
    family: str = ""
    resource_id: str = ""
    location: str = ""
    origin: str = field(default="", compare=False)

    @property
    def is_named(self) -> bool:
        """Whether Azure's name of it is known."""
        return bool(self.name) and self.name != self.origin


def read_circuit(document: object, name: str) -> Circuit:
    """Read one circuit, or its peerings alone, as REST, `az` or PowerShell has it.

    A list of one circuit is accepted, and a list of peerings. Missing fields are left unknown.

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
    peerings = [_whole(one) for one in listed.items()] if listed is not None else []
    microsoft, microsoft_ipv6 = _microsoft(peerings)
    tier, family = _sku(root)
    return Circuit(
        name=resource_name(root.text("name")) or file,
        tier=tier,
        peering_location=typed.label(provider.text("peeringLocation")) if provider else "",
        provisioning=typed.label(properties.text("serviceProviderProvisioningState")),
        microsoft=microsoft,
        microsoft_ipv6=microsoft_ipv6,
        lists_peerings=listed is not None,
        state=typed.label(properties.text("circuitProvisioningState")),
        resource_group=resource_group(root),
        direct=properties.field("expressRoutePort") is not None,
        family=family,
        resource_id=typed.resource_id(root.text("id")),
        location=typed.location(root.text("location")),
        origin=file,
    )


def _of_peerings(peerings: Sequence[Node], file: str, *, listed: bool) -> Circuit:
    """What peerings that stand alone tell of their circuit."""
    microsoft, microsoft_ipv6 = _microsoft(peerings)
    found = CIRCUIT_ID.search(peerings[0].text("id"))
    return Circuit(
        name=resource_name(found[1]) if found else file,
        microsoft=microsoft,
        microsoft_ipv6=microsoft_ipv6,
        lists_peerings=listed or microsoft is not None,
        resource_group=resource_group(peerings[0]),
        resource_id=typed.resource_id(_OF_PEERING.sub("", peerings[0].text("id"))),
        origin=file,
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
    own = config.field("advertisedPublicPrefixInfo") if config else None
    attached = _object(node, "routeFilter")
    filter_name = attached.text("id") or attached.text("name") if attached else ""
    return Peering(
        state=typed.label(node.text("state")),
        primary_prefix=_link(node, "primaryPeerAddressPrefix"),
        secondary_prefix=_link(node, "secondaryPeerAddressPrefix"),
        advertised_prefixes=tuple(map(_prefix, listed.items())) if listed else (),
        advertised_state=typed.label(config.text("advertisedPublicPrefixesState")) if config else "",
        legacy=_legacy(config) if config else None,
        route_filter=typed.resource_id(filter_name) or resource_name(filter_name),
        validations=tuple(_validation(one) for one in own.items() if one.field("prefix")) if own else (),
        tells_filter=node.field(TELLS_NO_FILTER) is None,
    )


def _validation(info: Node) -> tuple[str, str]:
    """A prefix and its state. Its signature proves who holds it: a secret, which is not read."""
    prefix = info.field("prefix")
    return _prefix(prefix) if prefix else "", typed.label(info.text("validationState"), 60)


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
    return found if found is None else _whole(found)


def _whole(node: Node) -> Node:
    """An object that nothing has cut short.

    Raises:
        InputError: it is something else, as where PowerShell was not asked deep enough.
    """
    if node.is_object:
        return node
    raise node.problem(
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


def _legacy(config: Node) -> bool | None:
    """`legacyMode`, 0 or 1, also if it stands as text; None if it is missing."""
    found = config.field("legacyMode")
    if found is None:
        return None
    number = None if isinstance(found.value, bool) else whole(str(found.value), most=1)
    if number is None:
        raise found.problem("expected 0 or 1")
    return number == 1


class Reason(StrEnum):
    """Why no route comes over a circuit, the outermost first: each hides those after it."""

    CIRCUIT_DISABLED = "circuit-disabled"
    NOT_PROVISIONED = "not-provisioned"
    NO_PEERING = "no-peering"
    PEERING_DISABLED = "peering-disabled"
    NO_ROUTE_FILTER = "no-route-filter"


@dataclass(frozen=True, slots=True)
class NoRoutes:
    """Why Microsoft advertises nothing over one circuit.

    Attributes:
        circuit: the circuit's name.
        version: the IP version that was asked for, 4 or 6.
        state: Azure's word for the state that stands in the way, such as `NotProvisioned`; empty if
            something is missing altogether.
    """

    circuit: str
    version: int
    reason: Reason
    state: str = ""


def why_no_routes(circuit: Circuit, version: int = IPV4) -> NoRoutes | None:
    """Why nothing comes over the circuit's Microsoft peering of this IP version; None if nothing says so.

    What a document leaves out is taken to be in order, so a list of peerings alone is judged by its peerings.
    A peering made before 2017-08-01 (`legacyMode`) needs no filter.
    """

    def because(reason: Reason, state: str = "") -> NoRoutes:
        return NoRoutes(circuit.name, version, reason, state)

    if circuit.state.lower() not in ("", "enabled"):
        return because(Reason.CIRCUIT_DISABLED, circuit.state)
    if circuit.provisioning.lower() not in ("", "provisioned"):
        return because(Reason.NOT_PROVISIONED, circuit.provisioning)
    peering = circuit.microsoft_ipv6 if version == IPV6 else circuit.microsoft
    if peering is None:
        return because(Reason.NO_PEERING) if circuit.lists_peerings else None
    if peering.state.lower() not in ("", "enabled"):
        return because(Reason.PEERING_DISABLED, peering.state)
    if not peering.route_filter and peering.tells_filter and not peering.legacy:
        return because(Reason.NO_ROUTE_FILTER)
    return None


def no_routes(circuits: Sequence[Circuit], version: int = IPV4) -> tuple[NoRoutes, ...]:
    """Why nothing comes over any of the circuits, a reason each; empty if one may carry, or none is given."""
    found = [why_no_routes(one, version) for one in circuits]
    return tuple(one for one in found if one) if all(found) else ()


def reaches(circuits: Sequence[Circuit], region: str, communities: Sequence[str] = ()) -> bool | None:
    """Whether the SKU of one of the circuits lets Microsoft advertise a region's prefixes; None if unknown.

    A service's own community (Entra ID, Resource Manager) goes past the region: whether the SKU cuts it as
    well is not documented, so a no is not known where one may carry the address.
    """
    if not region:
        return None
    found = [catalog.within_reach(one.tier, one.peering_location, region) for one in circuits]
    if any(found):
        return True
    if not found or None in found:
        return None
    known = [catalog.community(value) for value in communities]
    return None if any(one and one.kind == "service" for one in known) else False


def filters_not_at_hand(
    circuits: Sequence[Circuit], filters: Sequence[RouteFilter]
) -> tuple[tuple[Circuit, str], ...]:
    """The attached filters, each with a circuit that holds it, if none of the filters at hand is among them.

    What the filters at hand allow then says nothing of the circuits. A filter that has only its file's name
    is left out of account: it may be the attached one. Each filter comes once, by its resource id or name.
    """
    named = [one for one in filters if one.name != one.origin]
    held = {
        peering.route_filter: circuit
        for circuit in circuits
        for peering in (circuit.microsoft, circuit.microsoft_ipv6)
        if peering and peering.route_filter
    }
    if not named or any(one.is_named_by(reference) for one in named for reference in held):
        return ()
    return tuple((circuit, reference) for reference, circuit in held.items())
