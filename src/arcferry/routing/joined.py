"""Several documents of one circuit as one: its JSON, a peering alone, the answer to a query."""

from collections.abc import Iterable
from dataclasses import replace

from arcferry.routing.circuit import Circuit, Peering


def joined(circuits: Iterable[Circuit]) -> tuple[Circuit, ...]:
    """Each circuit once, with what every document tells of it; the first that tells something leads.

    A document without a circuit's name, such as the result of a query, belongs to the one circuit that is
    named, if there is one only.
    """
    named: list[Circuit] = []
    unnamed: list[Circuit] = []
    for one in circuits:
        if one.is_named:
            _join(named, one)
        else:
            unnamed.append(one)
    names = {one.name.lower() for one in named}
    for one in unnamed:
        same = len(names) == 1
        _join(named, replace(one, name=named[0].name, origin=named[0].origin) if same else one)
    return tuple(named)


def _join(known: list[Circuit], new: Circuit) -> None:
    """Add what a document tells; beside what is known of the circuit where they contradict each other."""
    for index, one in enumerate(known):
        if one.name.lower() == new.name.lower() and _agree(one, new):
            known[index] = _both(one, new)
            return
    known.append(new)


def _agree(one: Circuit, other: Circuit) -> bool:
    def told(circuit: Circuit) -> tuple[str, ...]:
        sides = (circuit.microsoft, circuit.microsoft_ipv6)
        filters = (side.route_filter or "none" if side and side.tells_filter else "" for side in sides)
        states = (side.state if side else "" for side in sides)
        words = (circuit.resource_group, circuit.tier, circuit.provisioning, circuit.state, *filters, *states)
        return tuple(word.rpartition("/")[2].lower() for word in words)

    return all(left == right for left, right in zip(told(one), told(other), strict=True) if left and right)


def _both(one: Circuit, other: Circuit) -> Circuit:
    """Two documents of one circuit as one."""
    return replace(
        one,
        tier=one.tier or other.tier,
        peering_location=one.peering_location or other.peering_location,
        provisioning=one.provisioning or other.provisioning,
        microsoft=_sides(one.microsoft, other.microsoft),
        microsoft_ipv6=_sides(one.microsoft_ipv6, other.microsoft_ipv6),
        lists_peerings=one.lists_peerings or other.lists_peerings,
        state=one.state or other.state,
        resource_group=one.resource_group or other.resource_group,
        direct=one.direct or other.direct,
        family=one.family or other.family,
    )


def _sides(first: Peering | None, second: Peering | None) -> Peering | None:
    if first is None or second is None:
        return first or second
    leads = first if first.tells_filter else second
    return Peering(
        state=first.state or second.state,
        primary_prefix=first.primary_prefix or second.primary_prefix,
        secondary_prefix=first.secondary_prefix or second.secondary_prefix,
        advertised_prefixes=first.advertised_prefixes or second.advertised_prefixes,
        advertised_state=first.advertised_state or second.advertised_state,
        legacy=second.legacy if first.legacy is None else first.legacy,
        route_filter=leads.route_filter,
        validations=first.validations or second.validations,
        tells_filter=first.tells_filter or second.tells_filter,
    )
