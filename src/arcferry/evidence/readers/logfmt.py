"""Lines of the agent's logs: `time="…" level=… msg="…" Key="…"`, and their runs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from arcferry.evidence.readers import values

_START = re.compile(r'^\s*time="?([^"\s]{10,40})"?\s+level=(\w{1,12})\s')
_RUN = re.compile(r'msg="?Agent (?:Version|Command): ?([^"\n]{0,80})')
_COMMAND = re.compile(r'msg="?Agent Command: ?([a-z]{1,20})')
_MESSAGE = re.compile(r'\bmsg=(?:"(.*?)"(?=\s+[A-Za-z_]{1,40}=|\s*$)|(\S+))')
_LONGEST = 8000
GRAVE = frozenset({"fatal", "error", "panic"})


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `text` has its escaped quotes undone."""

    taken: datetime | None
    level: str
    text: str

    @property
    def message(self) -> str:
        """What stands behind `msg=`; the whole line where nothing does."""
        found = _MESSAGE.search(self.text)
        return found[1] or found[2] if found else self.text


@dataclass(frozen=True, slots=True)
class LogRun:
    """The lines of one command of the agent; `command` is empty where the log does not say which."""

    command: str
    lines: tuple[LogLine, ...]

    @property
    def is_grave(self) -> bool:
        """Whether it says that something failed."""
        return any(line.level in GRAVE for line in self.lines)


def unescaped(text: str) -> str:
    r"""The text with `\"` undone, so that URLs end where they end."""
    return text.replace('\\"', '"')


def log_lines(text: str) -> Iterator[LogLine]:
    """Every line that has the form of the agent's logs; others are left out."""
    for line in text.splitlines():
        if found := _START.match(line[:_LONGEST]):
            yield LogLine(values.instant(found[1]), found[2].lower(), unescaped(line[:_LONGEST]))


def runs(lines: Sequence[LogLine]) -> tuple[LogRun, ...]:
    """The commands that the log tells of, oldest first; all lines are one run where it tells of none."""
    starts = [place for place, line in enumerate(lines) if _RUN.search(line.text)]
    firsts = [place for place in starts if place - 1 not in starts]
    bounds = [0, *(place for place in firsts if place), len(lines)]
    found = []
    for start, end in pairwise(bounds):
        part = tuple(lines[start:end])
        command = next((named[1] for line in part[:5] if (named := _COMMAND.search(line.text))), "")
        if part:
            found.append(LogRun(command, part))
    return tuple(found)
