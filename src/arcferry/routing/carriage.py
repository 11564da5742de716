"""Whether circuits carry anything over Microsoft peering, as far as Azure's own documents decide it.

The one place that judges a circuit; whoever shows the answer brings the sentence. The causes follow so:

| cause | follows from |
|---|---|
| `route/peering-down` | `no_routes` of IPv4, no reason is `NO_ROUTE_FILTER` |
| `route/no-route-filter` | `no_routes` of IPv4, at least one reason is `NO_ROUTE_FILTER` |
| `route/filter-not-attached` | `filters_not_at_hand` |
| `route/outside-sku-geography` | `reaches` is False |
| `route/ipv6-not-peered` | `no_routes` of IPv6, every reason is `NO_PEERING` |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from arcferry import catalog
from arcferry.routing.circuit import Circuit
from arcferry.routing.route_filter import RouteFilter

IPV4, IPV6 = 4, 6


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
    if not peering.route_filter and not peering.legacy:
        return because(Reason.NO_ROUTE_FILTER)
    return None


def no_routes(circuits: Sequence[Circuit], version: int = IPV4) -> tuple[NoRoutes, ...]:
    """Why nothing comes over any of the circuits, a reason each; empty if one may carry, or none is given."""
    found = [why_no_routes(one, version) for one in circuits]
    return tuple(one for one in found if one) if all(found) else ()


def reaches(circuits: Sequence[Circuit], region: str, communities: Sequence[str] = ()) -> bool | None:
    """Whether the SKU of one of the circuits lets Microsoft advertise a region's prefixes.

    Args:
        circuits: those that may carry it.
        region: an ARM name; may be empty.
        communities: those that may carry the address. A service's own (Entra ID, Resource Manager) goes
            past the region: whether the SKU cuts it as well is not documented, so a no is not known there.

    Returns:
        None if no document decides.
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
    is left out of account: it may be the attached one.

    Returns:
        pairs of the circuit and the filter's resource id or name, each filter once.
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
