"""Route tables of every router, from whatever a network team hands over; content decides, not the name."""

import io
import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO

from arcferry.errors import FileInputError
from arcferry.routing.route import Route, RouteTable, Vantage
from arcferry.routing.tables import (
    azure,
    bird,
    junos,
    labelled,
    mrt,
    openbgpd,
    prefix_list,
    rib,
    show_bgp,
    show_bgp_json,
)
from arcferry.routing.tables.capture import LEFT_OUT, TypedCommand, sections
from arcferry.routing.tables.json_stream import TruncatedError
from arcferry.routing.tables.reading import Reading, TextFormat, TreeFormat, table_of
from arcferry.routing.tables.source import HEAD, Line, RouteFile

_JSON = (
    junos.JSON_FORMAT,
    show_bgp_json.ARISTA_EOS,
    show_bgp_json.CISCO_NXOS,
    openbgpd.JSON_FORMAT,
    azure.JSON_FORMAT,
    show_bgp_json.FRR,
)
# The order matters where one router's text holds another's signs: IOS is what is left.
_TEXT: tuple[TextFormat, ...] = (
    bird.FORMAT,
    junos.TEXT_FORMAT,
    openbgpd.TEXT_FORMAT,
    azure.TEXT_FORMAT,
    *labelled.FORMATS,
    rib.FORMAT,
    *show_bgp.FORMATS,
)
_NAMED: tuple[TextFormat | TreeFormat, ...] = (*_JSON, *_TEXT, junos.XML_FORMAT)
_LOOK_UP = "look-up"
"""A router's word that it has no route, to who asked for one address."""

_NONE = re.compile(
    r"(?i)\s{0,3}(?:\d{4}[ -])?(?:%\s?)?(?:(?:info|error):\s)?(?:the )?"
    r"(?:(?:network|subnet|route) (?:not found|not in table|does(?: not|n't) exist)|no matching entries found"
    r"|no route(?:s)? (?:to|found)\b)"
)
FORMATS: tuple[str, ...] = tuple(
    sorted({*(one.name for one in _NAMED), mrt.NAME, prefix_list.NAME, _LOOK_UP})
)
"""The names of all formats, as `RouteTable.format` has them."""

Progress = Callable[[int], None]
_SIGNS = re.compile("|".join(f"(?:{one.sign.pattern})" for one in _TEXT))
_OTHER_JSON = re.compile(r"[\ufeff\s]*(?:\{|\[\s*[\[{\]\"\d])")
_LOOK = 60
"""How many lines are looked at to tell which router's they are."""

_TRIES = 200
_SHOWN = 5


def read_route_table(name: str, data: bytes, *, progress: Progress | None = None) -> RouteTable | None:
    """The routes of a document, whatever router it is from.

    Text, JSON, XML and MRT are told apart by their content; gzip, bzip2 and xz are unpacked. A capture with
    several commands becomes one table, and its notes say so. `progress` gets the number of bytes read so far.

    Returns:
        The table; None if the document is in none of the formats.

    Raises:
        FileInputError: it is in one of them, and something in it is wrong.
    """
    return _read(name, io.BytesIO(data), progress)


def read_route_file(path: Path, *, progress: Progress | None = None) -> RouteTable | None:
    """The routes of a file, read in passing, so that it may be larger than memory.

    Else as `read_route_table`.

    Raises:
        FileInputError: the file cannot be read, or is in one of the formats and something in it is wrong.
    """
    try:
        if not path.is_file():
            raise FileInputError(path, "not a file" if path.exists() else "no such file")
        with path.open("rb") as stream:
            return _read(path.name, stream, progress)
    except OSError as error:
        raise FileInputError(path, error.strerror or "cannot be read") from error


def may_hold_routes(text: str) -> bool:
    """Whether some line has a sign of a router's table, which its reader may still hold to be none."""
    return any(_SIGNS.match(line) or _NONE.match(line) for line in text.splitlines())


def _read(name: str, stream: IO[bytes], progress: Progress | None) -> RouteTable | None:
    source = RouteFile(name, stream, progress)
    if mrt.looks_right(source.head):
        reading = Reading(name, mrt.NAME)
        return table_of((_filled(reading, mrt.read(reading, source)),))
    head = source.head_text
    if "\x00" in head:
        return None
    if (found := tree_format(head)) is not None:
        return table_of((_tree(Reading(name, found.name), found, source.texts()),))
    if _OTHER_JSON.match(head):
        return None
    return _text(source)


def _filled(reading: Reading, routes: Iterator[Route]) -> Reading:
    try:
        reading.take(routes)
    except TruncatedError:
        if not reading.routes.size:
            raise FileInputError(
                reading.name,
                f"{reading.format} that ends before its first route",
                hint="Capture it again, whole.",
            ) from None
        reading.cut = f"it ends in the middle, after {reading.routes.size:,} routes"
    reading.finish()
    return reading


def tree_format(head: str) -> TreeFormat | None:
    """The JSON or XML format that a document's beginning is in; None if it is in neither."""
    begins = head.lstrip("\ufeff \r\n\t")[:1]
    if begins == "<":
        return junos.XML_FORMAT if junos.XML_FORMAT.looks_right(head) else None
    return next((one for one in _JSON if one.looks_right(head)), None) if begins in ("{", "[") else None


def _tree(reading: Reading, found: TreeFormat, texts: Iterator[str]) -> Reading:
    reading.shows_communities = False
    return _filled(reading, found.read(reading, texts))


def _text(source: RouteFile) -> RouteTable | None:
    head = source.head_text.splitlines()[: _LOOK if len(source.head) < HEAD else _LOOK - 1]
    if prefix_list.looks_right(head):
        listed = Reading(source.name, prefix_list.NAME)
        return table_of((_filled(listed, prefix_list.read(listed, source.lines())),))
    readings: list[Reading] = []
    others = 0
    notes: list[str] = []
    for command, lines in sections(source.lines()):
        if command is not None and command.advertised:
            notes.append(f"{LEFT_OUT}: {command.shown}")
        elif (reading := _answer(source.name, command, lines)) is not None:
            readings.append(reading)
        elif command is not None and command.text:
            others += 1
    if not readings:
        return None
    if readings[0].command is None and readings[0].vantage is Vantage.ROUTER:
        notes.append("the capture does not show the command: taken for the router's own table, whole")
    if readings[1:]:
        shown = "; ".join(one.command.shown if one.command else one.format for one in readings[:_SHOWN])
        notes.insert(0, f"{len(readings)} answers in one capture, read as one table: {shown}")
    if others:
        notes.append(f"{others} other commands in the capture say nothing of routes")
    return table_of(readings, notes)


def _answer(name: str, command: TypedCommand | None, waiting: Iterator[Line]) -> Reading | None:
    """The reading of one command's answer, None if it is no route table."""
    tries = 0
    first = True
    while (line := next(waiting, None)) is not None:
        if not line[1].strip():
            continue
        tree = first and line[1].lstrip()[:1] in ("{", "[", "<")
        if tree or (_SIGNS.match(line[1]) and tries < _TRIES):
            tries += 1
            ahead = [line, *islice(waiting, _LOOK)]
            waiting = chain(ahead, waiting)
            lines = [text for _, text in ahead]
            if tree and (found := tree_format("\n".join(lines)[:HEAD])) is not None:
                reading = Reading(name, found.name, command)
                return _tree(reading, found, (f"{text}\n" for _, text in waiting))
            fits = (one for one in _TEXT if one.sign.match(lines[0]) and one.looks_right(lines, command))
            if (plain := next(fits, None)) is not None:
                reading = Reading(name, plain.name, command)
                reading = _filled(reading, plain.read(reading, waiting))
                return reading if reading.is_a_table else None
            next(waiting)
        if command is not None and command.asked and _NONE.match(line[1]):
            return _filled(Reading(name, _LOOK_UP, command), iter(()))
        first = False
    return None
