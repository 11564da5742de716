"""The path as a drawing: stations on a line, and behind the last one where it leads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

from arcferry.report.page.page import Goal, Level, Path
from arcferry.report.page.path import UNKNOWN
from arcferry.report.page.words import Words
from arcferry.text import wrapped

_LETTER, _INSIDE = 7, 12
_MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with lines of text, the first `bold` ones its title; `level` gives its colour."""

    x: int
    y: int
    width: int
    height: int
    lines: tuple[str, ...]
    bold: int
    level: Level
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A line between two boxes, with a cross on it where the path ends."""

    x1: int
    y1: int
    x2: int
    y2: int
    level: Level
    cross: bool = False

    @property
    def middle(self) -> tuple[int, int]:
        """Where the cross stands."""
        return (self.x1 + self.x2) // 2, (self.y1 + self.y2) // 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """One form of the picture, for wide windows or for narrow ones."""

    form: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]


def drawings(path: Path, words: Words) -> tuple[Drawing, ...]:
    """The same path from left to right, and from top to bottom."""
    return _across(path, words), _down(path, words)


def _across(path: Path, words: Words) -> Drawing:
    goals = path.goals
    row, box, tall, gap = 56, 140, 84, 34
    height = max(len(goals) * row, tall) + 16
    middle = height // 2
    stations = tuple(_stations(path, words))
    boxes = [
        _box((8 + at * (box + gap), middle - tall // 2, box, tall), lines, level)
        for at, (lines, level) in enumerate(stations)
    ]
    links = list(_between(boxes, across=True))
    last, x = boxes[-1], 8 + len(boxes) * (box + gap) + 20
    top = middle - len(goals) * row // 2
    for at, goal in enumerate(goals):
        y = top + at * row + 4
        boxes.append(_goal(goal, (x, y, 248, row - 10), words))
        links.append(_to_goal(goal, (last.x + box, middle, x, y + (row - 10) // 2)))
    return Drawing("across", x + 256 if goals else x - 48, height, tuple(boxes), tuple(links))


def _down(path: Path, words: Words) -> Drawing:
    width, box, gap = 320, 58, 30
    stations = tuple(_stations(path, words))
    boxes = [
        _box((8, 8 + at * (box + gap), width - 16, box), lines, level)
        for at, (lines, level) in enumerate(stations)
    ]
    links = list(_between(boxes, across=False))
    last, y = boxes[-1], 8 + len(boxes) * (box + gap)
    for goal in path.goals:
        boxes.append(_goal(goal, (56, y, width - 64, 46), words))
        links.append(_to_goal(goal, (last.x + 20, last.y + box, 56, y + 23)))
        y += 54
    return Drawing("down", width, y + 4, tuple(boxes), tuple(links))


def _stations(path: Path, words: Words) -> Iterator[tuple[tuple[str, ...], Level]]:
    """The lines and the level of each station; what lies behind the end of the path is not known."""
    names = {
        "server": (words("path.servers"), path.servers),
        "network": (words("path.network"), ""),
        "router": (words("path.router"), words("path.circuit")),
        "edge": (
            words("path.edge"),
            words("path.filter", name=path.filter) if path.filter else words("path.filter_alone"),
        ),
    }
    behind = False
    for station, (title, more) in names.items():
        level: Level = "unknown" if behind or (path.broken == UNKNOWN and station != "server") else "ok"
        if station == path.broken:
            level, behind = "FAIL", True
        yield (title, *filter(None, (more,))), level
    if path.broken == "azure" or not path.goals:
        yield (words("path.azure"),), "FAIL" if path.broken == "azure" else "unknown" if path.broken else "ok"


def _between(boxes: Sequence[Box], *, across: bool) -> Iterator[Link]:
    """The lines from station to station, crossed out behind the one at which the path ends."""
    for before, after in pairwise(boxes):
        cross = before.level == "FAIL"
        level: Level = "FAIL" if cross else "unknown" if after.level == "unknown" else "ok"
        if across:
            y = before.y + before.height // 2
            yield Link(before.x + before.width, y, after.x, y, level, cross)
        else:
            x = before.x + before.width // 2
            yield Link(x, before.y + before.height, x, after.y, level, cross)


def _box(place: tuple[int, int, int, int], lines: Sequence[str], level: Level, tip: str = "") -> Box:
    """A box whose text is broken into lines that fit, and cut where even they are too many."""
    letters = (place[2] - 2 * _INSIDE) // _LETTER
    # A long name is broken anywhere, a sentence of wide letters beside them.
    beside = (wrapped(line, letters) if not line.isascii() else [line] for line in lines)
    parts = [[piece for part in whole for piece in wrap(part, letters)] for whole in beside]
    fitting = [part for line in parts for part in line]
    if len(fitting) > _MOST_LINES:
        fitting = [*fitting[: _MOST_LINES - 1], fitting[_MOST_LINES - 1][: letters - 1] + "…"]
    return Box(*place, lines=tuple(fitting), bold=len(parts[0]), level=level, tip=tip)


def _to_goal(goal: Goal, ends: tuple[int, int, int, int]) -> Link:
    return Link(*ends, level=goal.level, cross=goal.level == "FAIL")


def _goal(goal: Goal, place: tuple[int, int, int, int], words: Words) -> Box:
    told = goal.community or words("path.no_community")
    if goal.level == "FAIL":
        told = f"{told}: {words('path.out')}"
    return _box(place, (goal.name or told, told), goal.level, words.listed(goal.hosts.shown))
