"""Arista EOS, JSON: `show ip bgp | json`, with or without `detail`."""

from collections.abc import Iterator

from arcferry.routing.route import Route
from arcferry.routing.tables import trees, values
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading, Rows, json_format

_ROWS = "bgpRouteEntries"


def _descends(steps: Steps, opens: str) -> bool:
    if opens == "[":
        return not steps
    return _ROWS not in steps[:-1]


def _read(reading: Reading, rows: Rows) -> Iterator[Route]:
    for steps, value in rows:
        if steps[-2:-1] != (_ROWS,):
            continue
        network = values.prefix(steps[-1])
        if network is None:
            reading.leave_out(0, steps[-1])
            continue
        for path in trees.objects(trees.mapping(value).get("bgpRoutePaths")):
            yield _route(network, path, reading)


def _route(network: str, path: dict[str, object], reading: Reading) -> Route:
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


FORMAT = json_format("arista-eos-json", [rf'"{_ROWS}"\s*:\s*\{{'], _descends, _read)
