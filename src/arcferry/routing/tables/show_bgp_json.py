"""`show bgp` as JSON, of Arista EOS, Cisco NX-OS and FRRouting."""

from collections.abc import Iterator

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import trees, values
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
        for path in trees.objects(trees.mapping(value).get("bgpRoutePaths")):
            yield _eos_route(network, path, reading)


def _eos_route(network: str, path: dict[str, object], reading: Reading) -> Route:
    detail = trees.mapping(path.get("routeDetail"))
    listed = trees.first({**path, **detail}, "communityList", "communities")
    if listed is not None or detail:
        reading.shows_communities = True
    active = trees.truth(trees.mapping(path.get("routeType")).get("active"))
    return reading.route(
        network,
        trees.words(listed),
        trees.text(path.get("nextHop")),
        trees.text(trees.mapping(path.get("asPathEntry")).get("asPath")),
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
        network = values.prefix(trees.text(trees.first(value, "ipprefix", "nonipprefix", "prefix")))
        if network is None:
            reading.leave_out(0, str(value)[:200])
            continue
        for table in trees.objects(value.get("TABLE_path")):
            for path in trees.objects(table.get("ROW_path")):
                yield _nxos_route(network, path, reading)


def _nxos_route(network: str, path: dict[str, object], reading: Reading) -> Route:
    listed = trees.first(path, "community", "communities", "TABLE_community")
    if listed is not None or "pathvalid" in path or "pathbest" in path:
        reading.shows_communities = True
    return reading.route(
        network,
        trees.words(listed),
        trees.text(trees.first(path, "ipnexthop", "nexthop", "ipv6nexthop")),
        trees.text(trees.first(path, "aspath", "as_path", "path")),
        best=reading.best(_nxos_best(path)),
    )


def _nxos_best(path: dict[str, object]) -> bool:
    code = trees.text(trees.first(path, "bestcode", "best", "bestpath", "pathbest"))
    return code.strip() in (">", "bestpath", "true", "yes") or trees.truth(path.get("pathbest")) is True


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
            yield from _frr_path(prefix, trees.mapping(value), reading)
        elif found := next((step for step in steps if step in _FRR_LISTS), None):
            if found == "advertisedRoutes":
                reading.notes.append("the routes that the router advertises were left out")
                continue
            if found != "routes":
                reading.vantage = Vantage.RECEIVED
            yield from _frr_paths(steps[-1], value, reading, filtered=found == "filteredRoutes")
        elif steps[-1:] == ("totalRoutes",) and isinstance(value, int):
            reading.declared = (value,)


def _frr_paths(network: str, value: object, reading: Reading, *, filtered: bool) -> Iterator[Route]:
    tree = trees.mapping(value)
    prefix = trees.text(tree.get("prefix")) if "/" in trees.text(tree.get("prefix")) else network
    paths = tree.get("paths") if "paths" in tree else value
    for path in trees.objects(paths):
        yield from _frr_path(prefix, path, reading, filtered=filtered)


def _frr_path(
    prefix: str, path: dict[str, object], reading: Reading, *, filtered: bool = False
) -> Iterator[Route]:
    network = values.prefix(prefix or trees.text(path.get("network")))
    if network is None:
        reading.leave_out(0, f"{prefix}: {path}"[:200])
        return
    if "community" in path or "aspath" in path:
        reading.shows_communities = True
    community = path.get("community")
    listed = trees.text(community) or trees.text(trees.mapping(community).get("string"))
    aspath = path.get("aspath")
    as_text = (
        trees.text(trees.mapping(aspath).get("string")) or trees.text(aspath) or trees.text(path.get("path"))
    )
    yield reading.route(
        network, listed, _frr_next_hop(path), as_text, best=reading.best(_frr_best(path)), filtered=filtered
    )


def _frr_next_hop(path: dict[str, object]) -> str:
    hops = list(trees.objects(path.get("nexthops")))
    chosen = next((hop for hop in hops if hop.get("scope") != "link-local"), {})
    return trees.text(trees.first(chosen, "ip")) or trees.text(trees.first(path, "nextHop", "nextHopGlobal"))


def _frr_best(path: dict[str, object]) -> bool:
    best = path.get("bestpath", path.get("best"))
    return trees.truth(best.get("overall") if isinstance(best, dict) else best) is True


FRR = json_format("frr-json", _FRR_SIGNS, _frr_descends, _frr_read, others=_FRR_OTHERS)
