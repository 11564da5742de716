"""What `azcmagent check` prints: the table of any version, and the verbose lines of new ones."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from arcferry import catalog
from arcferry.evidence.document import Attempt, Document, Kind
from arcferry.evidence.readers import go_errors, values
from arcferry.evidence.readers.logfmt import unescaped
from arcferry.evidence.readers.words import is_proxied, is_yes

_VERBOSE = "Endpoint properties"
_PAIR = re.compile(r'(\w{1,40})=(?:\\?"([^"\\]{0,200})\\?"|(\S{1,300}))')
_MOST_ROWS = 500
_LONGEST = 4000
_TIME = re.compile(r'\btime="?([^"\s]{10,40})')
_CORE = {"", "core", "-"}


@dataclass(frozen=True, slots=True)
class _Row:
    host: str
    reachable: bool
    private: bool | None
    proxied: bool
    address: str = ""
    use_case: str = ""
    taken: datetime | None = None


def _verbose_row(line: str) -> _Row | None:
    told = line[:_LONGEST].partition(_VERBOSE)[2]
    pairs = {key.lower(): quoted or bare for key, quoted, bare in _PAIR.findall(told)}
    name = values.host(pairs.get("hostname", ""))
    reachable = is_yes(pairs.get("reachable", ""))
    if not name or reachable is None:
        return None
    stamp = _TIME.search(line[:200])
    return _Row(
        name,
        reachable,
        is_yes(pairs.get("private", "")),
        is_proxied(pairs.get("proxystatus", "")),
        use_case=pairs.get("usecase", "").lower(),
        taken=values.instant(stamp[1]) if stamp else None,
    )


def _columns(cells: list[str]) -> dict[str, int] | None:
    """The position of each column that matters, from a header row; None where the row is no header."""
    titles = [cell.strip().upper() for cell in cells]
    if "REACHABLE" not in titles:
        return None
    return {
        title: titles.index(title)
        for title in ("REACHABLE", "PRIVATE", "PROXY", "ADDRESS", "USE CASE")
        if title in titles
    }


def _table_row(cells: list[str], columns: dict[str, int]) -> _Row | None:
    names = [name for cell in cells for name in values.hosts_in_urls(cell.strip())[:1]]
    if not names:
        return None

    def cell(title: str) -> str:
        place = columns.get(title, -1)
        return cells[place] if 0 <= place < len(cells) else ""

    reachable = is_yes(cell("REACHABLE"))
    if reachable is None:
        return None
    address = values.address(cell("ADDRESS"))
    use_case = cell("USE CASE").strip().lower()
    return _Row(names[0], reachable, is_yes(cell("PRIVATE")), is_proxied(cell("PROXY")), address, use_case)


def _unheaded(cells: list[str]) -> dict[str, int]:
    """Where a table has lost its header or has it in another language: the first yes or no says reachable."""
    words = [place for place, cell in enumerate(cells) if is_yes(cell) is not None]
    return dict(zip(("REACHABLE", "PRIVATE"), words, strict=False)) | {"PROXY": len(cells) - 1}


def _is_known(row: _Row) -> bool:
    """Whether the endpoint is one of Azure Arc's: without a header, any table could stand here."""
    return catalog.endpoint_named(row.host) is not None


def _rows(text: str) -> list[_Row]:
    table: list[_Row] = []
    verbose: list[_Row] = []
    columns: dict[str, int] | None = None
    for line in text.splitlines():
        if _VERBOSE in line:
            if row := _verbose_row(line):
                verbose.append(row)
        elif "|" in line and len(line) <= _LONGEST:
            cells = line.split("|")
            if header := _columns(cells):
                columns = header
            elif (row := _table_row(cells, columns or _unheaded(cells))) and (columns or _is_known(row)):
                table.append(row)
        if len(table) + len(verbose) >= _MOST_ROWS:
            break
    return verbose or table


def _attempt(row: _Row, name: str) -> Attempt:
    return Attempt(
        host=row.host,
        origin=name,
        reachable=row.reachable,
        taken=row.taken,
        private=row.private,
        proxied=row.proxied,
        address=row.address,
        required=None if row.reachable else row.use_case in _CORE,
    )


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
    """The rows of a check, or None where `text` holds none. The verbose lines are preferred."""
    rows = _rows(text)
    if not rows:
        return None
    lines = (unescaped(line[:_LONGEST]) for line in text.splitlines())
    why = go_errors.attempts(((None, line) for line in lines), name)
    seen = {row.host: _explained(_attempt(row, name), why.get(row.host)) for row in rows}
    return Document(
        name,
        Kind.AGENT_CHECK,
        max((row.taken for row in rows if row.taken), default=None),
        attempts=tuple(seen.values()),
    )
