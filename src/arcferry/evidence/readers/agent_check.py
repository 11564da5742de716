"""What `azcmagent check` prints: the table of any version, the verbose lines of new ones, and JSON."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from arcferry import catalog
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import go_errors, values
from arcferry.probe.observation import Attempt

_VERBOSE = "Endpoint properties"
_PAIR = re.compile(r'(\w{1,40})=(?:\\?"([^"\\]{0,200})\\?"|(\S{1,300}))')
_TIME = re.compile(r'\btime="?([^"\s]{10,40})')
_TITLES = ("REACHABLE", "PRIVATE", "PROXY", "ADDRESS", "USE CASE")
_CORE = {"", "core", "-"}
_MOST_ROWS = 500
_LONGEST = 4000
_DEEP = 3


def _verbose_row(line: str, name: str) -> Attempt | None:
    told = line[:_LONGEST].partition(_VERBOSE)[2]
    pairs = {key.lower(): quoted or bare for key, quoted, bare in _PAIR.findall(told)}
    host, reachable = values.host(pairs.get("hostname")), values.is_yes(pairs.get("reachable", ""))
    if not host or reachable is None:
        return None
    stamp = _TIME.search(line[:200])
    return Attempt(
        host,
        name,
        reachable,
        taken=values.instant(stamp[1]) if stamp else None,
        required=None if reachable else pairs.get("usecase", "").lower() in _CORE,
        private=values.is_yes(pairs.get("private", "")),
        proxied=values.is_proxied(pairs.get("proxystatus", "")),
    )


def _columns(cells: list[str]) -> dict[str, int] | None:
    """The position of each column that matters, from a header row; None if the row is no header."""
    titles = [cell.strip().upper() for cell in cells]
    if "REACHABLE" not in titles:
        return None
    return {title: titles.index(title) for title in _TITLES if title in titles}


def _unheaded(cells: list[str]) -> dict[str, int]:
    """Where a table has lost its header or has it in another language: the first yes or no says reachable."""
    words = [place for place, cell in enumerate(cells) if values.is_yes(cell) is not None]
    return dict(zip(("REACHABLE", "PRIVATE"), words, strict=False)) | {"PROXY": len(cells) - 1}


def _table_row(cells: list[str], columns: dict[str, int], name: str) -> Attempt | None:
    def cell(title: str) -> str:
        place = columns.get(title, -1)
        return cells[place] if 0 <= place < len(cells) else ""

    hosts = [host for one in cells for host in values.hosts_in_urls(one)[:1]]
    reachable = values.is_yes(cell("REACHABLE"))
    if not hosts or reachable is None:
        return None
    return Attempt(
        hosts[0],
        name,
        reachable,
        required=None if reachable else cell("USE CASE").strip().lower() in _CORE,
        private=values.is_yes(cell("PRIVATE")),
        proxied=values.is_proxied(cell("PROXY")),
        address=values.address(cell("ADDRESS")),
    )


def _rows(text: str, name: str) -> list[Attempt]:
    """The verbose lines, which say more; else the table."""
    table: list[Attempt] = []
    verbose: list[Attempt] = []
    columns: dict[str, int] | None = None
    for line in text.splitlines():
        if _VERBOSE in line:
            if row := _verbose_row(line, name):
                verbose.append(row)
        elif "|" in line and len(line) <= _LONGEST:
            cells = line.split("|")
            if header := _columns(cells):
                columns = header
            # Without a header any table could stand here, so that its rows must be Azure Arc's.
            elif (row := _table_row(cells, columns or _unheaded(cells), name)) and (
                columns or catalog.endpoint_named(row.host)
            ):
                table.append(row)
        if len(table) + len(verbose) >= _MOST_ROWS:
            break
    return verbose or table


def _explained(seen: Attempt, why: Attempt | None) -> Attempt:
    """A row that failed, with the step that the lines around the table name."""
    if seen.reachable or why is None:
        return seen
    return replace(
        seen,
        failure=why.failure,
        address=seen.address or why.address,
        resolver=why.resolver,
        proxied=seen.proxied or why.proxied,
    )


def read(name: str, text: str) -> Document | None:
    """The rows of a check, or None if `text` holds none."""
    rows = _rows(text, name)
    if not rows:
        return None
    lines = ((None, values.unescaped(line)) for line in values.lines(text, _LONGEST))
    why = go_errors.attempts(lines, name)
    seen = {row.host: _explained(row, why.get(row.host)) for row in rows}
    taken = max((row.taken for row in rows if row.taken), default=None)
    return Document(name, Kind.AGENT_CHECK, taken, attempts=tuple(seen.values()))


def _flag(value: object) -> bool | None:
    return values.is_yes(value) if isinstance(value, str) else values.flag(value)


def _objects(value: object, named: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, object]]]:
    """Every object that says `reachable`, with its endpoint: its own, or the key that it stands under."""
    if isinstance(value, Mapping):
        items = list(value.items())[:_MOST_ROWS]
        keys = {"".join(filter(str.isalnum, str(key).lower())): item for key, item in items}
        if "reachable" in keys:
            own = (keys.get(key) for key in ("endpoint", "hostname", "url", "host"))
            yield str(next(filter(None, own), named)), keys
        elif depth < _DEEP:
            for key, item in items:
                yield from _objects(item, str(key), depth + 1)
    elif isinstance(value, list) and depth < _DEEP:
        for item in value[:_MOST_ROWS]:
            yield from _objects(item, named, depth + 1)


def _json_row(named: str, keys: Mapping[str, object], name: str) -> Attempt | None:
    host = next(iter(values.hosts_in_urls(named)), "") or values.host(named)
    reachable = _flag(keys.get("reachable"))
    if "." not in host or reachable is None:
        return None
    says = keys.get("error") or keys.get("message") or keys.get("details")
    proxy = keys.get("proxystatus", keys.get("proxy", ""))
    return Attempt(
        host,
        name,
        reachable,
        required=None if reachable else _flag(keys.get("required")) is not False,
        private=_flag(keys.get("private")),
        proxied=values.is_proxied(proxy) if isinstance(proxy, str) else bool(proxy),
        address=values.address(keys.get("address", keys.get("ip"))),
        failure=go_errors.failure_in(says) if isinstance(says, str) and not reachable else None,
    )


def read_json(name: str, value: object) -> Document | None:
    """The rows of `check --json`; None if none has an endpoint and whether it was reached.

    Its shape is not documented, so a list or a map is taken, with keys in any spelling.
    """
    rows = list(_objects(value))[:_MOST_ROWS]
    found = {seen.host: seen for named, keys in rows if (seen := _json_row(named, keys, name))}
    return Document(name, Kind.AGENT_CHECK, attempts=tuple(found.values())) if found else None
