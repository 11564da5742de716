"""`show bgp` as JSON, of Arista EOS, Cisco NX-OS and FRRouting."""

from collections.abc import Iterator

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import LEFT_OUT
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading, Rows, json_format

# Arista EOS: `show ip bgp | json`, with or without `detail`.

_EOS_ROWS = "bgpRouteEntries"


def _eos_read(reading: Reading, rows: Rows) -> Iterator[Route]:
    for steps, value in rows:
        if steps[-2:-1] != (_EOS_ROWS,):
            continue
        network = values.prefix(steps[-1])
        if network is None:
            reading.leave_out(0, steps[-1])
            continue
        for path in values.objects(values.mapping(value).get("bgpRoutePaths")):
            yield _eos_route(network, path, reading)


def _eos_route(network: str, path: dict[str, object], reading: Reading) -> Route:
    detail = values.mapping(path.get("routeDetail"))
    listed = values.first({**path, **detail}, "communityList", "communities")
    if listed is not None or detail:
        reading.shows_communities = True
    active = values.truth(values.mapping(path.get("routeType")).get("active"))
    return reading.route(
        network,
        values.words(listed),
        values.text_of(path, "nextHop"),
        values.text(values.mapping(path.get("asPathEntry")).get("asPath")),
        best=None if active is None else reading.best(active),
    )


ARISTA_EOS = json_format(
    "arista-eos-json",
    [rf'"{_EOS_ROWS}"\s*:\s*\{{'],
    lambda steps, opens: _EOS_ROWS not in steps[:-1] if opens == "{" else not steps,
    _eos_read,
)


# Cisco NX-OS: `show bgp vrf all ipv4 unicast [detail] | json`; a list of one is an object there.

_NXOS_ROWS = "ROW_prefix"
# `show ip route | json` has prefixes in a TABLE_vrf too, but no address families of BGP.
_NXOS_SIGNS = (
    r'"TABLE_vrf"\s*:',
    r'"TABLE_(?:afi|rd|safi)"\s*:|"(?:statuscode|bestcode|pathnr|aspath|table-version)"\s*:',
)


def _nxos_read(reading: Reading, rows: Rows) -> Iterator[Route]:
    for steps, value in rows:
        if _NXOS_ROWS not in steps or not isinstance(value, dict):
            continue
        network = values.prefix(values.text_of(value, "ipprefix", "nonipprefix", "prefix"))
        if network is None:
            reading.leave_out(0, str(value)[:200])
            continue
        for table in values.objects(value.get("TABLE_path")):
            for path in values.objects(table.get("ROW_path")):
                yield _nxos_route(network, path, reading)


def _nxos_route(network: str, path: dict[str, object], reading: Reading) -> Route:
    listed = values.first(path, "community", "communities", "TABLE_community")
    if listed is not None or "pathvalid" in path or "pathbest" in path:
        reading.shows_communities = True
    code = values.text_of(path, "bestcode", "best", "bestpath", "pathbest").strip()
    used = code in (">", "bestpath", "true", "yes") or values.truth(path.get("pathbest")) is True
    return reading.route(
        network,
        values.words(listed),
        values.text_of(path, "ipnexthop", "nexthop", "ipv6nexthop"),
        values.text_of(path, "aspath", "as_path", "path"),
        best=reading.best(used),
    )


CISCO_NXOS = json_format(
    "cisco-nxos-json",
    _NXOS_SIGNS,
    lambda steps, opens: _NXOS_ROWS not in steps or (steps[-1] == _NXOS_ROWS and opens == "["),
    _nxos_read,
)


# FRRouting: `show bgp … json`, with or without `detail`, of one prefix, and `received-routes json`.

_FRR_LISTS = {
    "routes": Vantage.ROUTER,
    "receivedRoutes": Vantage.RECEIVED,
    "filteredRoutes": Vantage.RECEIVED,
    "advertisedRoutes": Vantage.ROUTER,
}
_FRR_SIGNS = (
    (
        r'"(?:receivedRoutes|filteredRoutes|advertisedRoutes)"\s*:|"(?:vrfName|routerId|tableVersion|bgpTableVersion)"\s*:'
        r'|"bestpath"\s*:|"aspath"\s*:\s*\{|"nexthops"\s*:\s*\['
    ),
    r'"(?:routes|receivedRoutes|filteredRoutes|advertisedRoutes|paths)"\s*:\s*[\[{]',
)
_FRR_OTHERS = r'"(?:bgpRouteEntries|TABLE_vrf|route-information|addressPrefixes|peers)"\s*:'


def _frr_descends(steps: Steps, opens: str) -> bool:
    if opens == "[":
        return len(steps) == 0 or steps[-1] == "paths"
    within = [index for index, step in enumerate(steps) if step in _FRR_LISTS]
    if within:
        return within[0] == len(steps) - 1
    return len(steps) <= 2 and not any(step in ("paths", "warning") for step in steps)  # noqa: PLR2004


def _frr_read(reading: Reading, rows: Rows) -> Iterator[Route]:
    prefix = ""
    for steps, value in rows:
        if steps and steps[-1] == "prefix" and isinstance(value, str):
            prefix = value
            reading.complete = False
        elif steps[-2:-1] == ("paths",):
            yield from _frr_path(prefix, values.mapping(value), reading)
        elif found := next((step for step in steps if step in _FRR_LISTS), None):
            if found == "advertisedRoutes":
                reading.notes.append(LEFT_OUT)
                reading.complete = False
                continue
            if found != "routes":
                reading.vantage = Vantage.RECEIVED
            yield from _frr_paths(steps[-1], value, reading, filtered=found == "filteredRoutes")
        elif steps[-1:] == ("totalRoutes",) and isinstance(value, int):
            reading.declared = (value,)


def _frr_paths(network: str, value: object, reading: Reading, *, filtered: bool) -> Iterator[Route]:
    tree = values.mapping(value)
    named = values.text_of(tree, "prefix")
    for path in values.objects(tree.get("paths", value)):
        yield from _frr_path(named if "/" in named else network, path, reading, filtered=filtered)


def _frr_path(
    prefix: str, path: dict[str, object], reading: Reading, *, filtered: bool = False
) -> Iterator[Route]:
    network = values.prefix(prefix or values.text_of(path, "network"))
    if network is None:
        reading.leave_out(0, f"{prefix}: {path}"[:200])
        return
    if "community" in path or "aspath" in path:
        reading.shows_communities = True
    listed, as_path = _frr_string(path.get("community")), _frr_string(path.get("aspath"))
    hops = values.objects(path.get("nexthops"))
    chosen = next((hop for hop in hops if hop.get("scope") != "link-local"), {})
    hop = values.text_of(chosen, "ip") or values.text_of(path, "nextHop", "nextHopGlobal")
    best = path.get("bestpath", path.get("best"))
    used = values.truth(best.get("overall") if isinstance(best, dict) else best) is True
    as_text = as_path or values.text_of(path, "path")
    yield reading.route(network, listed, hop, as_text, best=reading.best(used), filtered=filtered)


def _frr_string(value: object) -> str:
    return values.text_of(value, "string") if isinstance(value, dict) else values.text(value)


FRR = json_format("frr-json", _FRR_SIGNS, _frr_descends, _frr_read, others=_FRR_OTHERS)
