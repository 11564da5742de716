"""Cisco NX-OS, JSON: `show bgp vrf all ipv4 unicast [detail] | json`; a list of one is an object there."""

import re
from collections.abc import Iterator

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import trees, values
from arcferry.routing.tables.json_format import JsonFormat, Rows
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading

NAME = "cisco-nxos-json"
_ROWS = "ROW_prefix"
_SIGN = re.compile(r'"TABLE_vrf"\s*:')
_BGP = re.compile(r'"TABLE_(?:afi|rd|safi)"\s*:|"(?:statuscode|bestcode|pathnr|aspath|table-version)"\s*:')


def _looks_right(head: str) -> bool:
    """`show ip route | json` has prefixes too, but no address families of BGP."""
    return bool(_SIGN.search(head) and _BGP.search(head))


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
    aspath = trees.text(trees.first(path, "aspath", "as_path", "path"))
    return Route(
        network,
        values.communities(" ".join(_words(listed))) or reading.communities,
        values.address(trees.text(trees.first(path, "ipnexthop", "nexthop", "ipv6nexthop"))),
        values.as_path(aspath),
        None if reading.vantage is Vantage.RECEIVED else _best(path),
        reading.filtered,
    )


def _words(value: object) -> Iterator[str]:
    """Every text within a value: communities stand there as text, as a list, or as a table of rows."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    else:
        yield trees.text(value)


def _best(path: dict[str, object]) -> bool:
    code = trees.text(trees.first(path, "bestcode", "best", "bestpath", "pathbest"))
    return code.strip() in (">", "bestpath", "true", "yes") or trees.truth(path.get("pathbest")) is True


FORMAT = JsonFormat(NAME, _looks_right, _descends, _read)
