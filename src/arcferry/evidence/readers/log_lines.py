"""Lines of logs, by the forms in which the agent and what comes with it write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from arcferry.evidence.readers import values

_LONGEST = 8000
_FORMS = (
    # azcmagent.log, himds.log: time="…" level=… msg="…" Key="…"
    re.compile(r'^\s*time="?(?P<taken>[^"\s]{10,40})"?\s+level=(?P<level>\w{1,12})\s(?P<says>)'),
    # gc_ext.log, gc_agent.log: <GCLOG>[time] [PID 1] [TID 2] [COMPONENT] [LEVEL] [id] …
    re.compile(
        r"^(?:<GCLOG>)?\[(?P<taken>\d{4}-\d\d-\d\d[ T][\d:.,]{8,15}Z?)\] \[PID \d{1,9}\] "
        r"(?:\[[^\]\n]{0,80}\] ){0,3}\[(?P<level>[A-Z]{2,12})\] (?P<says>)"
    ),
    # AzureArcOnboarding.log of the Group Policy package
    re.compile(
        r"^\[(?P<day>\d{4}-\d\d-\d\d)\]\[(?P<time>\d\d:\d\d:\d\d)\] (?P<level>[A-Z]{2,8}) (?P<says>.*)"
    ),
)
_MESSAGE = re.compile(r'\bmsg=(?:"(.*?)"(?=\s+[A-Za-z_]{1,40}=|\s*$)|(\S+))')
_ERROR = re.compile(r"\b(?:Error|err|cause)=(.{1,4000})$", re.IGNORECASE)
_OF_ERRORS = {"fatal", "error", "panic", "critical"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `text` has its escaped quotes undone."""

    taken: datetime | None
    level: str
    text: str

    @property
    def is_error(self) -> bool:
        """Whether it says that something failed, and is none of those that are written when all is well."""
        return self.level in _OF_ERRORS and not is_benign(self.text)

    @property
    def says(self) -> str:
        """The message alone, and the error where the agent logs that beside it."""
        if found := _MESSAGE.search(self.text):
            error = _ERROR.search(self.text, found.end())
            return ": ".join(filter(None, (found[1] or found[2], error and error[1].strip('"'))))
        form = next((one for form in _FORMS if (one := form.match(self.text))), None)
        behind = form.start("says") if form else 0
        return re.sub(r"^\[[^\]]{0,60}\] |</GCLOG>$", "", self.text[behind:])


@cache
def _benign() -> re.Pattern[str]:
    return re.compile("|".join(values.patterns()["benign"]).replace("(?i)", ""), re.IGNORECASE)


def is_benign(text: str) -> bool:
    """Whether the words of an error in it say nothing: counts of none, empty fields, known harmless lines."""
    return bool(_benign().search(text))


def line(text: str) -> Line | None:
    """The line by its form; None if it has none of them."""
    found = next((one for form in _FORMS if (one := form.match(text))), None)
    if found is None:
        return None
    parts = found.groupdict()
    taken = parts.get("taken") or f"{parts['day']}T{parts['time']}"
    return Line(values.instant(taken.replace(",", ".")), parts["level"].lower(), values.unescaped(text))


def lines(text: str) -> Iterator[Line]:
    """Every line that has one of the forms."""
    yield from filter(None, map(line, values.lines(text, _LONGEST)))
