"""One answer in the making: its routes, whose table it is, whether it is whole, what was odd."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.routing.route import Route, Routes, RouteTable, Vantage, route_table
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import TypedCommand, excerpt
from arcferry.routing.tables.json_stream import Steps, walk
from arcferry.routing.tables.source import Line

ROUTE_LIMIT = 5_000_000
"""Most routes that are held of one document; some five full internet tables."""

Rows = Iterator[tuple[Steps, object]]
_QUERY = re.compile(r"(?i)^(?!.*\bsum).*\b(?:bgp|route|rib|routing-table|route-table)\b")


@dataclass(slots=True)
class Reading:
    """One answer in the making.

    Attributes:
        name: the document's name.
        format: the reader that took it.
        command: what was typed, where the capture shows it.
        vantage: whose table it is; a reader may know better than the command.
        shows_communities: whether the form can show communities.
        complete: whether it is a whole table.
        declared: how many prefixes, or routes, the document itself says that it lists.
        cut: where the document ends before its end, as a sentence.
    """

    name: str
    format: str
    command: TypedCommand | None = None
    vantage: Vantage = Vantage.ROUTER
    taken: datetime | None = None
    shows_communities: bool = True
    complete: bool = True
    declared: tuple[int, ...] = ()
    cut: str = ""
    notes: list[str] = field(default_factory=list)
    routes: Routes = field(default_factory=Routes)
    prefixes: int = 0
    _left_out: int = 0
    _first: str = ""

    def __post_init__(self) -> None:
        if self.command is not None:
            self.vantage = self.command.vantage
            self.complete = self.command.whole

    @property
    def asked(self) -> tuple[str, ...]:
        """The address for which the router was asked alone."""
        return self.command.asked if self.command else ()

    @property
    def communities(self) -> tuple[str, ...]:
        """What every route carries because it was asked for by it."""
        return self.command.communities if self.command else ()

    @property
    def filtered(self) -> bool:
        """Whether every route is one that the router's own policy dropped."""
        return self.command is not None and self.command.filtered

    @property
    def is_a_table(self) -> bool:
        """Whether it has routes, or says that there are none; a summary looks alike and says neither."""
        asked = self.command is not None and _QUERY.search(self.command.text) is not None
        return bool(self.routes.size or self.declared or self.notes or asked)

    def route(
        self,
        prefix: str,
        communities: str = "",
        hop: str = "",
        path: str = "",
        *,
        best: bool | None = None,
        filtered: bool = False,
        own: bool = False,
    ) -> Route:
        """A route of this answer, from the texts that the router shows."""
        return Route(
            prefix,
            values.communities(communities) or self.communities,
            values.address(hop),
            values.as_path(path),
            best,
            filtered or self.filtered,
            own,
        )

    def best(self, used: bool) -> bool | None:
        """Whether the router uses a route; None of what a neighbour sent, of which nothing says so."""
        return None if self.vantage is Vantage.RECEIVED else used

    def leave_out(self, number: int, line: str) -> None:
        """Count a line that should be a route and cannot be read as one."""
        self._left_out += 1
        self._first = self._first or f"line {number}: {typed.shown(excerpt(line))}"

    def restart(self) -> None:
        """Forget the routes, because the document gives a newer table."""
        self.routes = Routes()
        self.prefixes = 0

    def take(self, routes: Iterator[Route]) -> None:
        """Hold the routes.

        Raises:
            FileInputError: there are more than `ROUTE_LIMIT`.
        """
        last = ""
        for route in routes:
            if route.prefix != last:
                last = route.prefix
                self.prefixes += 1
            self.routes.add(route)
            if self.routes.size > ROUTE_LIMIT:
                raise FileInputError(
                    self.name,
                    f"more than {ROUTE_LIMIT:,} routes",
                    hint="Hand in the routes of the ExpressRoute neighbour alone, such as those received.",
                )

    def finish(self) -> None:
        """Draw the conclusions on what was read.

        Raises:
            FileInputError: nothing of it could be read.
        """
        if self.command is None and self.prefixes == 1:
            self.complete = False
        if self._left_out and not self.routes.size:
            raise FileInputError(
                self.name,
                f"looks like {self.format}, none of its {self._left_out} routes can be read: {self._first}",
                hint="Capture it again without a pager, as it stands on the router.",
            )
        if self._left_out:
            self.notes.append(f"{self._left_out} lines left out that could not be read; {self._first}")
            self.complete = False
        if self.declared and self.prefixes not in self.declared and self.routes.size not in self.declared:
            self.cut = self.cut or (
                f"it says that it lists {self.declared[0]} prefixes, and {self.prefixes} are in it"
            )
        if self.cut:
            self.notes.append(f"truncated: {self.cut}")
            self.complete = False


@dataclass(frozen=True, slots=True)
class TextFormat:
    """One router's text.

    Attributes:
        sign: matches the beginning of a line that makes it worth a closer look.
        looks_right: whether lines that begin with such a one are this format's and no other's.
        read: the routes of an answer; what else it tells goes to the reading.
    """

    name: str
    sign: re.Pattern[str]
    looks_right: Callable[[Sequence[str], TypedCommand | None], bool]
    read: Callable[[Reading, Iterator[Line]], Iterator[Route]]


@dataclass(frozen=True, slots=True)
class TreeFormat:
    """One router's JSON or XML.

    Attributes:
        looks_right: whether the document's first 64 Ki characters are this format's.
        read: the routes of the text; what else it tells goes to the reading. `TruncatedError` if it ends
            before its end.
    """

    name: str
    looks_right: Callable[[str], bool]
    read: Callable[[Reading, Iterator[str]], Iterator[Route]]


def json_format(
    name: str,
    signs: Sequence[str],
    descends: Callable[[Steps, str], bool],
    read: Callable[[Reading, Rows], Iterator[Route]],
    *,
    others: str = "(?!)",
) -> TreeFormat:
    """One router's JSON.

    Args:
        name: the format.
        signs: patterns that all stand in the beginning of a document.
        descends: where the walk goes in; what it does not go into is a row.
        read: the routes of the rows.
        others: what stands in no document of this format; `(?!)` is found nowhere.
    """
    wanted, foreign = [re.compile(sign) for sign in signs], re.compile(others)
    return TreeFormat(
        name,
        lambda head: all(sign.search(head) for sign in wanted) and not foreign.search(head),
        lambda reading, texts: read(reading, walk(reading.name, texts, descends)),
    )


def table_of(readings: Sequence[Reading], notes: Iterable[str] = ()) -> RouteTable:
    """The table that the readings make together.

    One reading is taken as it is. Several are laid on each other: the same route in two answers is one, with
    the communities of both. Where what the neighbour sent and the router's whole table are both there, what
    stands in the first alone was dropped by the router's own policy.
    """
    notes = (*notes, *dict.fromkeys(note for one in readings for note in one.notes))
    formats = dict.fromkeys(one.format for one in readings)
    vantages = {one.vantage for one in readings}
    return route_table(
        readings[0].name,
        readings[0].routes if len(readings) == 1 else _laid(readings),
        format=" and ".join(formats),
        vantage=vantages.pop() if len(vantages) == 1 else Vantage.ROUTER,
        taken=max((one.taken for one in readings if one.taken), default=None),
        shows_communities=all(
            one.shows_communities for one in readings if one.routes.size or len(readings) == 1
        ),
        complete=any(one.complete for one in readings) and not any(one.cut for one in readings),
        notes=notes,
        asked=tuple(dict.fromkeys(address for one in readings for address in one.asked if not one.cut)),
    )


def _laid(readings: Sequence[Reading]) -> Routes:
    received = [one for one in readings if one.vantage is Vantage.RECEIVED and not one.filtered]
    router = [one for one in readings if one.vantage is Vantage.ROUTER]
    whole = any(one.complete for one in router)
    laid: dict[str, list[Route]] = {}
    for one in readings:
        against = router if one in received and whole else []
        for route in one.routes:
            dropped = bool(against) and not any(other.routes.holds(route.prefix) for other in against)
            found = replace(route, filtered=True, best=False) if dropped else route
            _lay(laid.setdefault(route.prefix, []), found)
    return Routes(route for routes in laid.values() for route in routes)


def _lay(held: list[Route], route: Route) -> None:
    """Add a route, or what it tells more of one that is there; those of one answer stay apart."""
    for index, other in enumerate(held):
        if other.next_hop == route.next_hop and other.as_path == route.as_path:
            held[index] = replace(
                other,
                communities=tuple(dict.fromkeys((*other.communities, *route.communities))),
                best=other.best if other.best is not None else route.best,
                filtered=other.filtered or route.filtered,
            )
            return
    held.append(route)
