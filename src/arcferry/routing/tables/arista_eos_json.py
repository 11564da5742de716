"""Arista EOS, JSON: `show ip bgp | json`, with or without `detail`."""

import re
from collections.abc import Iterator

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import trees, values
from arcferry.routing.tables.json_format import JsonFormat, Rows
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading

NAME = "arista-eos-json"
_SIGN = re.compile(r'"bgpRouteEntries"\s*:\s*\{')
_ROWS = "bgpRouteEntries"


def _looks_right(head: str) -> bool:
    return _SIGN.search(head) is not None


def _descends(steps: Steps, opens: str) -> bool:
    if opens == "[":
        return not steps
    return _ROWS not in steps[:-1]


def _read(reading: Reading, rows: Rows) -> Iterator[Route]:
    for steps, value in rows:
        if steps[-2:-1] != (_ROWS,):
            continue
        entry = trees.mapping(value)
        network = values.prefix(steps[-1])
        if network is None:
            reading.leave_out(0, steps[-1])
            continue
        for path in trees.objects(entry.get("bgpRoutePaths")):
            yield _route(network, path, reading)


def _route(network: str, path: dict[str, object], reading: Reading) -> Route:
    detail = trees.mapping(path.get("routeDetail"))
    listed = trees.first({**path, **detail}, "communityList", "communities")
    if listed is not None or detail:
        reading.shows_communities = True
    aspath = trees.text(trees.mapping(path.get("asPathEntry")).get("asPath"))
    active = trees.truth(trees.mapping(path.get("routeType")).get("active"))
    return Route(
        network,
        values.communities(" ".join(map(trees.text, trees.several(listed)))) or reading.communities,
        values.address(trees.text(path.get("nextHop"))),
        values.as_path(aspath) if "Local" not in aspath else (),
        None if reading.vantage is Vantage.RECEIVED else active,
        reading.filtered,
    )


FORMAT = JsonFormat(NAME, _looks_right, _descends, _read)
