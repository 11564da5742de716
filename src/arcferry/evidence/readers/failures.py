"""What says that something failed, in the output of any program: the last look at a text."""

import re
from collections.abc import Iterable
from functools import cache

from arcferry.evidence.case import Document, ErrorLine, Kind
from arcferry.evidence.readers import log_lines, scripts, values

_MOST_LINES = 20_000
_MOST = 5
_LONG_WORDS = 900
_AGENTS = re.compile(r"^\s*(?:FATAL|ERROR)(?:\[\d+\]| {2})")
_OWN_VERDICT = {
    Kind.INSTALL_LOG,
    Kind.HOST_ANSWERS,
    Kind.KEPT_EVIDENCE,
    Kind.ARCFERRY_CHECK,
    Kind.WATCH_HISTORY,
    Kind.RECEIVED_ROUTES,
    Kind.AZURE_ROUTES,
}
"""What tells itself whether it went well, and what uses such words of something else."""


@cache
def _told(name: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_local(one)})" for one in values.patterns()[name]))


def _local(pattern: str) -> str:
    """A pattern whose flag stands at its beginning, as a part of another."""
    return f"(?i:{pattern[4:]})" if pattern.startswith("(?i)") else pattern


def error_lines(text: str, name: str) -> tuple[ErrorLine, ...]:
    """The lines that say so, each of their words once, the latest last."""
    found: dict[str, ErrorLine] = {}
    for line in values.lines(scripts.without(text), 1000)[-_MOST_LINES:]:
        if not line.strip() or log_lines.line(line) or log_lines.is_benign(line):
            continue
        is_fatal = bool(_told("fails").search(line))
        if is_fatal or _told("doubts").search(line):
            says = values.short(line.strip(), _LONG_WORDS)
            found[says] = ErrorLine(says, name, is_fatal=is_fatal)
    return tuple(found.values())[-_MOST:]


def beside(name: str, text: str, found: Iterable[Document]) -> tuple[Document, ...]:
    """One document of what a text says of failures, beside what readers made of it; none if it says nothing."""
    documents = tuple(found)
    if {one.kind for one in documents} & _OWN_VERDICT or any(one.error_lines for one in documents):
        return ()
    told = error_lines(text, name)
    return (Document(name, Kind.PROGRAM_OUTPUT, error_lines=told),) if told else ()
