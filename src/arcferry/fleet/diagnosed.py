"""From what failed on the hosts to causes: what their agents printed, handed to the diagnosis."""

from collections.abc import Iterable

from arcferry.diagnosis import Diagnosis, judge
from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import read_claimed
from arcferry.fleet.outcome import HostRun

_AGENT_STEPS = {"check", "connect"}


def diagnosed(runs: Iterable[HostRun]) -> Diagnosis:
    """The findings for all hosts together: hosts that fail alike are evidence for one finding."""
    return judge(document for run in runs for document in _printed(run))


def _printed(run: HostRun) -> list[Document]:
    failure = run.failure
    if failure is None or failure.step not in _AGENT_STEPS or not failure.output:
        return []
    found = read_claimed(f"{run.host.name}: azcmagent {failure.step}", failure.output.encode())
    return [document for document in found if document.kind is not Kind.UNRECOGNISED]
