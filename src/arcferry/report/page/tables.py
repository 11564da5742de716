"""Endpoints and communities, a row each, and the change that a plan asks for."""

from collections.abc import Iterator, Sequence

from arcferry.report.page.documents import Audited, Written
from arcferry.report.page.page import MOST_NAMES, Change, Level, Table
from arcferry.report.page.words import Words

_PATHS: dict[str, Level] = {"there": "ok", "missing": "FAIL"}
_IN_FILTER: dict[bool | None, tuple[str, Level]] = {
    True: ("yes", "ok"),
    False: ("no", "FAIL"),
    None: ("unknown", "unknown"),
}


def tables(documents: Sequence[Written], words: Words) -> tuple[Table, ...]:
    """A table a document whose rows are endpoints or communities."""
    return tuple(one for document in documents for one in _of(document, words) if one.rows)


def _of(document: Written, words: Words) -> Iterator[Table]:
    match document.kind:
        case "route-plan":
            yield _communities(document, words)
        case "audit":
            yield _audited(document, words)
        case "check":
            yield _checked(document, words)
        case _:
            return


def _communities(document: Written, words: Words) -> Table:
    headings = ("community", "name", "in_filter", "needed_by", "why")
    rows = []
    for one in document.communities[:MOST_NAMES]:
        word, level = _IN_FILTER[one.in_filter]
        cells = (one.value, one.name, words(f"tables.{word}"), words.listed(one.hosts), one.why)
        rows.append((level, cells))
    named = _named(headings, words)
    return Table(words("tables.communities"), named, 2, tuple(rows), _left(document.communities))


def _audited(document: Written, words: Words) -> Table:
    rows = []
    for one in document.endpoints[:MOST_NAMES]:
        observed = ", ".join(filter(None, (one.observed.says, one.observed.connection)))
        told = words(f"tables.{one.path if one.path in _PATHS else 'unknown'}")
        cells = (_host(one, words), words.listed(one.addresses, most=2), one.expected.says, observed, told)
        rows.append((_PATHS.get(one.path, "unknown"), cells))
    named = _named(("host", "address", "expected", "observed", "path"), words)
    return Table(words("tables.audit"), named, 4, tuple(rows), _left(document.endpoints))


def _checked(document: Written, words: Words) -> Table:
    rows: list[tuple[Level, tuple[str, ...]]] = []
    for one in document.endpoints[:MOST_NAMES]:
        level: Level = "ok" if one.reachable else "FAIL" if one.required else "warn"
        says = one.failure.says if one.failure else words("tables.reached")
        rows.append((level, (_host(one, words), one.address, says)))
    named = _named(("host", "address", "result"), words)
    return Table(words("tables.check"), named, 2, tuple(rows), _left(document.endpoints))


def _host(one: Audited, words: Words) -> str:
    name = one.host or words("labels.regional")
    return name if one.required else f"{name} ({words('labels.optional')})"


def _named(headings: Sequence[str], words: Words) -> tuple[str, ...]:
    return tuple(words("labels.endpoint" if one == "host" else f"tables.{one}") for one in headings)


def _left(rows: Sequence[object]) -> int:
    return max(0, len(rows) - MOST_NAMES)


def changes(documents: Sequence[Written]) -> tuple[Change, ...]:
    """The change of every plan that asks for one."""
    found = []
    for document in documents:
        commands = tuple(one for one in document.changes if one.tool != "request" and one.text)
        letter = next((one.text for one in document.changes if one.tool == "request"), "")
        if commands or letter:
            found.append(Change(commands, letter, document.effects))
    return tuple(found)
