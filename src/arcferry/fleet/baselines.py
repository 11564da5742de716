"""The path of each network as it was when it was last proved, and what changed where it is gone now."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from arcferry.diagnosis.since import Comparison, compare, since
from arcferry.errors import InputError
from arcferry.evidence.case import Case, Document
from arcferry.fleet.findings import claimed
from arcferry.fleet.outcome import FleetRun, NetworkPath, PathOutcome
from arcferry.watch import baseline


def with_baselines(run: FleetRun, state: Path, held: Sequence[Document]) -> tuple[FleetRun, tuple[str, ...]]:
    """The run with what changed in its findings, and notes on what could not be told.

    The path of a network that was proved is kept for the next time.

    Args:
        run: a run that was judged.
        state: the folder that remembers.
        held: what was held when it was judged; a filter of then is kept with the path.
    """
    found: list[Comparison] = []
    notes: list[str] = []
    for one in run.proof:
        case = Case.of(claimed(one.network, (("path.json", one.path.encode()),)), held) if one.path else None
        if case is None or not case.attempts:
            continue
        path = _path(run, state, one)
        try:
            if one.outcome is PathOutcome.PROVED:
                baseline.keep(path, case)
            elif path.is_file():
                found.append(compare(baseline.read(path), case))
        except InputError as error:
            notes.append(f"what changed since {one.network} had its path is not known: {error.message}")
    return replace(run, diagnosis=since(run.diagnosis, *found)), tuple(notes)


def _path(run: FleetRun, state: Path, one: NetworkPath) -> Path:
    return baseline.path_of(
        state, "network", str(run.target["cloud"]), str(run.target["location"]), one.network
    )
