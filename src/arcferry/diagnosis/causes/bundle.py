"""A bundle that was refused: it is not what its seal says, or too old."""

from arcferry.diagnosis.finding import Owner
from arcferry.diagnosis.rule import Match, Value, case_cause, line
from arcferry.evidence.case import Case


@case_cause("bundle/refused", Owner.SERVER)
def refused(case: Case) -> tuple[Match, ...]:
    """Each problem that opening a bundle has shown."""
    found = []
    for document in case.documents:
        for problem in document.bundle_problems:
            fault = problem.fault.value
            seen = line(document.name, "refused", document.taken, fault=fault, file=problem.file)
            values: dict[str, Value] = {"bundle": document.name, "fault": fault, "file": problem.file}
            found.append(Match(signature=tuple(map(str, values.values())), evidence=(seen,), values=values))
    return tuple(found)
