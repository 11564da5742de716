"""FRRouting, JSON: `show bgp … json`, with or without `detail`, of one prefix, and `received-routes json`."""

from collections.abc import Iterator

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import trees, values
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading, Rows, json_format

_LISTS = {
    "routes": Vantage.ROUTER,
    "receivedRoutes": Vantage.RECEIVED,
    "filteredRoutes": Vantage.RECEIVED,
    "advertisedRoutes": Vantage.ROUTER,
}
_SIGNS = (
    (
        r'"(?:receivedRoutes|filteredRoutes|advertisedRoutes)"\s*:|"(?:vrfName|routerId|tableVersion|bgpTableVersion)"\s*:'
        r'|"bestpath"\s*:|"aspath"\s*:\s*\{|"nexthops"\s*:\s*\['
    ),
    r'"(?:routes|receivedRoutes|filteredRoutes|advertisedRoutes|paths)"\s*:\s*[\[{]',
)
_OTHERS = r'"(?:bgpRouteEntries|TABLE_vrf|route-information|addressPrefixes|peers)"\s*:'


def _descends(steps: Steps, opens: str) -> bool:
    if opens == "[":
        return len(steps) == 0 or steps[-1] == "paths"
    within = [index for index, step in enumerate(steps) if step in _LISTS]
    if within:
        return within[0] == len(steps) - 1
    return len(steps) <= 2 and not any(step in ("paths", "warning") for step in steps)  # noqa: PLR2004


def _read(reading: Reading, rows: Rows) -> Iterator[Route]:
    prefix = ""
    for steps, value in rows:
        if steps and steps[-1] == "prefix" and isinstance(value, str):
            prefix = value
            reading.complete = False
        elif steps[-2:-1] == ("paths",):
            yield from _path(prefix, trees.mapping(value), reading)
        elif found := next((step for step in steps if step in _LISTS), None):
            if found == "advertisedRoutes":
                reading.notes.append("the routes that the router advertises were left out")
                continue
            if found != "routes":
                reading.vantage = Vantage.RECEIVED
            yield from _paths(steps[-1], value, reading, filtered=found == "filteredRoutes")
        elif steps[-1:] == ("totalRoutes",) and isinstance(value, int):
            reading.declared = (value,)


def _paths(network: str, value: object, reading: Reading, *, filtered: bool) -> Iterator[Route]:
    tree = trees.mapping(value)
    prefix = trees.text(tree.get("prefix")) if "/" in trees.text(tree.get("prefix")) else network
    paths = tree.get("paths") if "paths" in tree else value
    for path in trees.objects(paths):
        yield from _path(prefix, path, reading, filtered=filtered)


def _path(
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
        network, listed, _next_hop(path), as_text, best=reading.best(_best(path)), filtered=filtered
    )


def _next_hop(path: dict[str, object]) -> str:
    hops = list(trees.objects(path.get("nexthops")))
    chosen = next((hop for hop in hops if hop.get("scope") != "link-local"), {})
    return trees.text(trees.first(chosen, "ip")) or trees.text(trees.first(path, "nextHop", "nextHopGlobal"))


def _best(path: dict[str, object]) -> bool:
    best = path.get("bestpath", path.get("best"))
    return trees.truth(best.get("overall") if isinstance(best, dict) else best) is True


FORMAT = json_format("frr-json", _SIGNS, _descends, _read, others=_OTHERS)
