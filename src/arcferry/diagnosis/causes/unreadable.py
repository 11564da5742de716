"""What was handed in and could not be read: the one cause that is about evidence, not about what it says."""

from collections.abc import Sequence

from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.finding import Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.wording import listed
from arcferry.evidence.case import Case
from arcferry.evidence.document import Kind


def _unread(case: Case) -> Sequence[Match]:
    """All documents that could not be read, as one finding."""
    unread = [one for one in case.documents if one.kind is Kind.UNREADABLE]
    lines = tuple(Evidence(one.name, why) for one in unread for why in one.notes)
    return (Match(evidence=lines),) if unread else ()


def _headline(group: Group) -> str:
    names = tuple(dict.fromkeys(line.origin for line in group.match.evidence))
    return f"{listed(names)} could not be read, so nothing is known of what is in it"


EVIDENCE_UNREADABLE = Cause(
    slug="evidence/unreadable",
    title="What was handed in could not be read",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    concerns=_unread,
    headline=_headline,
    remedy=lambda _: Remedy(
        summary="Get it again on the server itself, and look at what is in it before anything else.",
        steps=(
            "Everything else that was handed in was read; findings beside this one do not rest on it.",
            "A server that hands in what no tool prints may be broken, or somebody else's: look at it first.",
            "Where the content is what the tool really printed, report it as a fault of arcferry's.",
        ),
    ),
)

FAMILY = (EVIDENCE_UNREADABLE,)
