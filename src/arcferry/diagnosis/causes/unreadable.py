"""What was handed in and could not be read: the one cause that is about evidence, not about what it says."""

from arcferry.diagnosis.finding import Evidence, Owner
from arcferry.diagnosis.rule import Match, case_cause
from arcferry.evidence.case import Case
from arcferry.evidence.document import Kind


@case_cause("evidence/unreadable", Owner.SERVER)
def unreadable(case: Case) -> tuple[Match, ...]:
    """Every document that could not be read, as one finding."""
    unread = [one for one in case.documents if one.kind is Kind.UNREADABLE]
    lines = tuple(Evidence(one.name, why) for one in unread for why in one.notes)
    names = tuple(dict.fromkeys(line.origin for line in lines))
    return (Match(evidence=lines, values={"names": names}),) if unread else ()


FAMILY = (unreadable,)
