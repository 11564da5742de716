"""Routes of routers that label their parts, by `labelled.toml`: VRP, SR OS, PAN-OS, RouterOS."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arcferry.routing.route import Route
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import TypedCommand
from arcferry.routing.tables.patterns import all_compiled, compiled, held
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class _Dialect:
    """One router's patterns, by their names in the file; an absent one matches nothing."""

    name: str
    sign: re.Pattern[str]
    begins: re.Pattern[str]
    stops: re.Pattern[str]
    empty: re.Pattern[str]
    parts: Mapping[str, tuple[re.Pattern[str], ...]]
    rows: tuple[re.Pattern[str], ...]
    below: Mapping[str, re.Pattern[str]]
    shows_best: str


@dataclass(slots=True)
class _Open:
    """A route in the making."""

    prefix: str
    best: bool = False
    parts: dict[str, str] = field(default_factory=dict)
    from_row: bool = False


_NOTHING = "(?!)"


def _dialect(one: Mapping[str, Any]) -> _Dialect:
    return _Dialect(
        one["name"],
        compiled(one["sign"]),
        compiled(one["begins"]),
        compiled(one.get("stops", _NOTHING)),
        compiled(one.get("empty", _NOTHING)),
        {key: all_compiled(one[key]) for key in ("hop", "path", "communities", "best")},
        all_compiled(one.get("rows", ())),
        {key: compiled(one.get(f"below_{key}", _NOTHING)) for key in ("hop", "path")},
        one.get("shows_best", "*"),
    )


class _Reader:
    """Reads one answer: a route from the line that begins it to the next such line."""

    def __init__(self, dialect: _Dialect, reading: Reading) -> None:
        self._dialect = dialect
        self._reading = reading
        self._route: _Open | None = None
        self._labelled = False

    def routes(self, lines: Iterator[Line]) -> Iterator[Route]:
        dialect, stopped, rows = self._dialect, False, False
        for number, full in lines:
            line = full[:_LONGEST]
            if dialect.stops.search(line):
                yield from self._end()
                stopped = True
            elif begun := dialect.begins.match(line):
                # What the router sends stands in a section of its own, and begins anew with the next one.
                yield from self._end()
                self._labelled = True
                self._route = None if stopped else self._begin(number, line, begun)
                self._take(line)
            elif row := next((found for one in dialect.rows if (found := one.match(line))), None):
                yield from self._end()
                rows = True
                self._route = self._row(number, line, row)
            elif dialect.empty.search(line):
                self._reading.declared = (0,)
            elif line.startswith("RIB In"):
                stopped = False
            elif self._route is not None:
                self._take(line)
        yield from self._end()
        if rows and not self._labelled and not self._reading.communities:
            self._reading.shows_communities = False

    def _begin(self, number: int, line: str, begun: "re.Match[str]") -> _Open | None:
        prefix = values.prefix(begun["net"])
        if prefix is None:
            self._reading.leave_out(number, line)
            return None
        return _Open(prefix)

    def _row(self, number: int, line: str, row: "re.Match[str]") -> _Open | None:
        found = self._begin(number, line, row)
        if found is not None:
            told = row.groupdict()
            found.best = self._dialect.shows_best in (told.get("best") or "")
            found.parts = {key: told[key] for key in ("hop", "path") if told.get(key)}
            found.from_row = True
        return found

    def _take(self, line: str) -> None:
        route = self._route
        if route is None:
            return
        if route.from_row:
            for key, pattern in self._dialect.below.items():
                if key not in route.parts and (found := pattern.match(line)):
                    route.parts[key] = found["is"]
                    return
            return
        for key, patterns in self._dialect.parts.items():
            for pattern in patterns:
                if not (found := pattern.search(line)):
                    continue
                if key == "best":
                    route.best = True
                elif key == "communities":
                    route.parts[key] = f"{route.parts.get(key, '')} {found['is']}"
                else:
                    route.parts.setdefault(key, found["is"])
                break

    def _end(self) -> Iterator[Route]:
        route, self._route = self._route, None
        if route is None:
            return
        told = route.parts
        best = self._reading.best(route.best)
        path = told.get("path", "").replace(",", " ")
        yield self._reading.route(
            route.prefix, told.get("communities", ""), told.get("hop", ""), path, best=best
        )


def _format(dialect: _Dialect) -> TextFormat:
    def looks_right(head: Sequence[str], _: TypedCommand | None) -> bool:
        wanted = (dialect.begins, *dialect.rows, dialect.empty)
        return any(one.match(line[:_LONGEST]) for line in head for one in wanted)

    return TextFormat(
        dialect.name,
        dialect.sign,
        looks_right,
        lambda reading, lines: _Reader(dialect, reading).routes(lines),
    )


FORMATS: tuple[TextFormat, ...] = tuple(_format(_dialect(one)) for one in held("labelled.toml")["dialect"])
