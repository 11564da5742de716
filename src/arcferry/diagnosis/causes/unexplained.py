"""A line with which the agent gave up, if nothing else that was handed in says why."""

from collections.abc import Iterator

from arcferry import catalog
from arcferry.diagnosis.finding import Confidence, Evidence, Owner, Severity
from arcferry.diagnosis.rule import Match, case_cause
from arcferry.evidence.case import Case
from arcferry.evidence.document import Document, Kind
from arcferry.text import one_line

_DECIDES = (Kind.AGENT_CHECK.value, Kind.ARCFERRY_CHECK.value, Kind.AGENT_LOGS_ZIP.value)
_SHOWN = 160


def _is_explained(document: Document) -> bool:
    """Whether an endpoint or a code in the same document says why: then that has a finding of its own."""
    told = [catalog.code(seen.code) if catalog.is_code(seen.code) else None for seen in document.codes]
    by_code = any(code is None or code.outcome == "failure" for code in told)
    return by_code or any(not seen.reachable for seen in document.attempts)


def _unexplained(case: Case) -> Iterator[Match]:
    blocked = any(not seen.reachable and seen.required is not False for seen in case.attempts)
    for document in case.documents:
        if not document.error_lines or _is_explained(document):
            continue
        fatal = [one for one in document.error_lines if one.is_fatal]
        last = (fatal or document.error_lines)[-1].says
        yield Match(
            Confidence.UNDETERMINED,
            signature=(last,),
            evidence=tuple(Evidence(one.origin, one.says, one.taken) for one in document.error_lines),
            would_decide=_DECIDES,
            # If another document shows a path that fails, it may be that.
            severity=None if fatal and not blocked else Severity.WARNING,
            values={"last_words": one_line(last, limit=_SHOWN)},
        )


@case_cause("agent/unexplained-error", Owner.SERVER)
def unexplained_error(case: Case) -> tuple[Match, ...]:
    """One match a document, about its last words."""
    return tuple(_unexplained(case))


FAMILY = (unexplained_error,)
