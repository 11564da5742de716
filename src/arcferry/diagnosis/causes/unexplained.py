"""A line with which the agent gave up, where nothing else that was handed in says why."""

from collections.abc import Sequence

from arcferry import catalog
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.words import how_to_get
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


def _unexplained(case: Case) -> Sequence[Match]:
    """One match a document, about its last words; where another shows a path that fails, it may be that."""
    blocked = any(not seen.reachable and seen.required is not False for seen in case.attempts)
    found = []
    for document in case.documents:
        if not document.complaints or _is_explained(document):
            continue
        fatal = [one for one in document.complaints if one.is_fatal]
        lines = [Evidence(one.origin, one.says, one.taken) for one in document.complaints]
        found.append(
            Match(
                Confidence.UNDETERMINED,
                signature=((fatal or document.complaints)[-1].says,),
                evidence=tuple(lines),
                would_decide=_DECIDES,
                severity=None if fatal and not blocked else Severity.WARNING,
            )
        )
    return found


def _headline(group: Group) -> str:
    words = one_line(group.match.signature[0], limit=_SHOWN)
    return f"The agent failed, and no known cause explains it: {words}"


UNEXPLAINED = Cause(
    slug="agent/unexplained-error",
    title="The agent failed with words that no known cause explains",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    concerns=_unexplained,
    headline=_headline,
    remedy=lambda _: Remedy(
        summary="Get the evidence that decides, and hand it in together with the files given here.",
        steps=(
            *(f"{kind}: {how_to_get()[kind]}." for kind in _DECIDES),
            "Where that shows nothing, open a case with Microsoft support, with the words above.",
        ),
        commands=(
            Command("azcmagent", "azcmagent check --location LOCATION > check.txt"),
            Command("azcmagent", "azcmagent logs"),
        ),
    ),
)

FAMILY = (UNEXPLAINED,)
