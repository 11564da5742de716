"""What says that something failed, in the output of any program: the last look at a text."""

import re
from collections.abc import Iterable
from functools import cache

from arcferry import catalog
from arcferry.evidence.case import Document, ErrorLine, Kind
from arcferry.evidence.readers import log_lines, scripts, values

_MOST_LINES = 20_000
_MOST = 5
_LONG_WORDS = 900
_STOPPED = ("stopped", "failed", "missing")
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
    """One document of the failures of which a text tells and that nothing read of it explains, if any."""
    documents = tuple(found)
    if any(one.kind in _OWN_VERDICT or one.error_lines or explains(one) for one in documents):
        return ()
    told = error_lines(text, name)
    return (Document(name, Kind.PROGRAM_OUTPUT, error_lines=told),) if told else ()


def explains(document: Document) -> bool:
    """Whether a reader has found what failed: an endpoint, a code, a name without an address, a service."""
    state = document.agent_state
    codes = [catalog.known_code(seen.code) for seen in document.codes]
    return (
        any(not seen.reachable for seen in document.attempts)
        or any(code is None or code.outcome == "failure" for code in codes)
        or any(not answer.addresses for answer in document.answers)
        or bool(state and (state.status or any(how in _STOPPED for _, how in state.services)))
    )
