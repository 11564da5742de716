"""What the runs in the state folder remember of a server: how it ended, and where its path was broken."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from arcferry.diagnosis import Severity
from arcferry.diagnosis.finding import Finding
from arcferry.errors import FileInputError
from arcferry.evidence.case import Case
from arcferry.fleet.events import EventKind
from arcferry.fleet.findings import judged_of
from arcferry.fleet.following import entries
from arcferry.fleet.run_folder import RunFolder, runs
from arcferry.text import one_line

_MOST_RUNS = 50
_ENDS = frozenset((EventKind.CONNECTED, EventKind.FAILED, EventKind.BLOCKED, EventKind.STOPPED))


@dataclass(frozen=True, slots=True)
class Past:
    """The last that is remembered of one server.

    Attributes:
        at: when, as its run's journal has it.
        ended: how its part of that run ended, by the journal's word.
        findings: what its path evidence led to, the gravest first; empty where it handed in none.
        target: where the run went.
        case: the evidence of the run.
        proved: the day on which its network's path was proved last; empty where it is not known.
        mended: whether that was after the server's evidence.
    """

    run: str
    at: str
    ended: str
    step: str
    says: str
    findings: tuple[Finding, ...] = ()
    target: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    case: Case | None = field(default=None, repr=False, compare=False)
    proved: str = ""
    mended: bool = False

    @property
    def changes(self) -> tuple[str, ...]:
        """What changed since then of what the findings are about."""
        return changes_in(self.findings)

    @property
    def was_connected(self) -> bool:
        """Whether it was connected at the end of that run."""
        return self.ended == EventKind.CONNECTED

    def __str__(self) -> str:
        """For a sentence."""
        # The day alone, so that servers of one run are told of together.
        where = f"run {self.run}, {self.at[:10]}"
        if self.was_connected:
            return f"connected at the end of {where}; no path was measured since"
        step = f" at {self.step}" if self.step else ""
        return f"{self.ended}{step} in {where}{f': {self.says}' if self.says else ''}"


def past_of(state: Path, names: Collection[str]) -> tuple[dict[str, Past], list[str]]:
    """The last that is remembered of these servers by lower-case name, and what could not be read.

    The newest run in which a server came to an end counts: what an older one says of it may have been mended
    since.
    """
    wanted = {name.lower() for name in names}
    found: dict[str, Past] = {}
    notes: list[str] = []
    try:
        remembered = runs(state)[:_MOST_RUNS] if wanted else []
    except FileInputError as error:
        return {}, [f"what runs remember was not used: {error.message}"]
    for run, record in remembered:
        ends = dict(_ends(run, wanted - found.keys()))
        if ends:
            target = record.get("target")
            there = target if isinstance(target, dict) and {"cloud", "location"} <= target.keys() else {}
            ends = {name: replace(past, target=there) for name, past in ends.items()}
            found |= _with_findings(run, ends, notes)
        if len(found) == len(wanted):
            break
    return found, notes


def _ends(run: RunFolder, names: Collection[str]) -> Iterator[tuple[str, Past]]:
    """How these servers ended in a run; of several, the last is the one that counts."""
    step: dict[str, tuple[str, str]] = {}
    for entry in entries(run.journal):
        name = str(entry.event.get("host", "")).lower()
        if name not in names:
            continue
        event = {key: one_line(str(entry.event.get(key, ""))) for key in ("time", "step", "says")}
        if event["step"]:
            step[name] = (event["step"], event["says"])
        if entry.kind in _ENDS:
            # What ends the host as a whole tells of its last step; a later apply of the run begins anew.
            at_step, says = step[name] if event["step"] else step.pop(name, ("", ""))
            yield name, Past(run.id, event["time"], entry.kind, at_step, event["says"] or says)


def _with_findings(run: RunFolder, ends: dict[str, Past], notes: list[str]) -> dict[str, Past]:
    """The same, with what the evidence of those leads to that did not end well."""
    if all(past.was_connected for past in ends.values()):
        return ends
    try:
        judged = judged_of(run)
    except FileInputError as error:
        notes.append(f"the path evidence of run {run.id} was not used: {error.message}")
        return ends
    causes: dict[str, list[Finding]] = {}
    for finding in judged.findings:
        if finding.severity is Severity.ERROR:
            for server in finding.servers:
                causes.setdefault(server.lower(), []).append(finding)
    return {
        name: replace(past, findings=tuple(causes[name]), case=judged.case)
        if name in causes and not past.was_connected
        else past
        for name, past in ends.items()
    }


def changes_in(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What changed, of the evidence of some findings, as `diagnosis.since` writes it there."""
    evidence = (one for found in findings for one in found.evidence)
    told = (f"{one.origin}: {one.says}" for one in evidence if one.origin.startswith("changed since "))
    return tuple(dict.fromkeys(told))
