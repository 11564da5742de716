"""The path of each network as it was when it was last proved, and what changed where it is gone now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from arcferry.diagnosis.since import Comparison, compare, since
from arcferry.errors import InputError
from arcferry.evidence.case import Case, Document
from arcferry.fleet.findings import claimed
from arcferry.fleet.outcome import FleetRun, PathOutcome
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
        path = of_network(state, run.target, one.network)
        try:
            if one.outcome is PathOutcome.PROVED:
                baseline.keep(path, case)
            elif path.is_file():
                found.append(compare(baseline.read(path), case))
        except InputError as error:
            notes.append(f"what changed since {one.network} had its path is not known: {error.message}")
    return replace(run, diagnosis=since(run.diagnosis, *found)), tuple(notes)


def of_network(state: Path, target: Mapping[str, str], network: str) -> Path:
    """Where the path of a network is kept as it was when it was last proved.

    Args:
        state: the folder that remembers.
        target: where the run goes whose network it is.
        network: by the name that `networks` gives it.
    """
    return baseline.path_of(state, "network", str(target["cloud"]), str(target["location"]), network)
