"""Cisco NX-OS, JSON: `show bgp vrf all ipv4 unicast [detail] | json`; a list of one is an object there."""

from collections.abc import Iterator

from arcferry.routing.route import Route
from arcferry.routing.tables import trees, values
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading, Rows, json_format

_ROWS = "ROW_prefix"
# `show ip route | json` has prefixes in a TABLE_vrf too, but no address families of BGP.
_SIGNS = (
    r'"TABLE_vrf"\s*:',
    r'"TABLE_(?:afi|rd|safi)"\s*:|"(?:statuscode|bestcode|pathnr|aspath|table-version)"\s*:',
)


def _descends(steps: Steps, opens: str) -> bool:
    if _ROWS in steps:
        return steps[-1] == _ROWS and opens == "["
    return True


def _read(reading: Reading, rows: Rows) -> Iterator[Route]:
    for steps, value in rows:
        if _ROWS not in steps or not isinstance(value, dict):
            continue
        network = values.prefix(trees.text(trees.first(value, "ipprefix", "nonipprefix", "prefix")))
        if network is None:
            reading.leave_out(0, str(value)[:200])
            continue
        for table in trees.objects(value.get("TABLE_path")):
            for path in trees.objects(table.get("ROW_path")):
                yield _route(network, path, reading)


def _route(network: str, path: dict[str, object], reading: Reading) -> Route:
    listed = trees.first(path, "community", "communities", "TABLE_community")
    if listed is not None or "pathvalid" in path or "pathbest" in path:
        reading.shows_communities = True
    return reading.route(
        network,
        trees.words(listed),
        trees.text(trees.first(path, "ipnexthop", "nexthop", "ipv6nexthop")),
        trees.text(trees.first(path, "aspath", "as_path", "path")),
        best=reading.best(_best(path)),
    )


def _best(path: dict[str, object]) -> bool:
    code = trees.text(trees.first(path, "bestcode", "best", "bestpath", "pathbest"))
    return code.strip() in (">", "bestpath", "true", "yes") or trees.truth(path.get("pathbest")) is True


FORMAT = json_format("cisco-nxos-json", _SIGNS, _descends, _read)
