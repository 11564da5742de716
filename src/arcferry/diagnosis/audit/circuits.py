"""What is known of each circuit as a whole, for every endpoint alike."""

from arcferry import catalog
from arcferry.evidence.case import Case
from arcferry.routing.circuit import Circuit, Peering
from arcferry.routing.reception import Return, returns


def told(case: Case) -> tuple[str, ...]:
    """Sentences on each circuit: its reach, its peerings, and what Azure's routes tell of the way back."""
    lines: list[str] = []
    for circuit in case.circuits:
        lines.append(f"circuit {circuit.name}: {_reach(circuit)}")
        peerings = (("Microsoft peering", circuit.microsoft), ("IPv6", circuit.microsoft_ipv6))
        lines += [f"circuit {circuit.name}, {kind}: {_state(one)}" for kind, one in peerings if one]
        if circuit.lists_peerings and circuit.microsoft is None:
            lines.append(f"circuit {circuit.name} has no Microsoft peering")
        lines += _way_back(circuit, case)
    return tuple(lines)


def _reach(circuit: Circuit) -> str:
    place = catalog.peering_location(circuit.peering_location)
    area = f", which is in {place.geography}" if place and place.geography else ""
    where = f" at {circuit.peering_location}{area}" if circuit.peering_location else ""
    direct = " (ExpressRoute Direct: its port tells where)" if circuit.direct and not where else ""
    states = ", ".join(filter(None, (circuit.state, circuit.provisioning)))
    return f"SKU {circuit.tier or 'unknown'}{where}{direct}{f'; {states}' if states else ''}"


def _state(peering: Peering) -> str:
    attached = peering.route_filter.rstrip("/").rpartition("/")[2]
    prefixes = ", ".join(peering.advertised_prefixes) or "no prefix of ours"
    checked = f" ({peering.advertised_state})" if peering.advertised_state else ""
    legacy = ", configured before 2017-08-01" if peering.legacy else ""
    return (
        f"{peering.state or 'state unknown'}{legacy}; route filter {attached or 'none'}; "
        f"Microsoft was told of {prefixes}{checked}"
    )


def _way_back(circuit: Circuit, case: Case) -> list[str]:
    peerings = [peering for peering in (circuit.microsoft, circuit.microsoft_ipv6) if peering]
    found = returns([prefix for one in peerings for prefix in one.advertised_prefixes], case.route_tables)
    return [found.says] if found.answer is not Return.UNKNOWN else []
