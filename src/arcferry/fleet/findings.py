"""What failed on many hosts, as few findings: hosts with the same symptoms are judged once."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from arcferry.diagnosis import Diagnosis, judge
from arcferry.diagnosis.finding import NOTHING_JUDGED, Finding
from arcferry.diagnosis.judge import of_servers
from arcferry.evidence import kept
from arcferry.evidence.case import Case, Document, Kind
from arcferry.evidence.reading import read_claimed, read_document
from arcferry.files import FILE_LIMIT, read_bounded, write_whole
from arcferry.fleet.outcome import HostRun, StepResult
from arcferry.fleet.run_folder import RunFolder, runs
from arcferry.text import from_json

_EVIDENCE = "evidence.json"
_WITNESSES = 3
"""Hosts of one group whose evidence is shown; the others have the same symptoms."""

_MOST_KEPT = 4 * 1024 * 1024
"""Characters of evidence that a run's document carries; what one group of hosts tells has some 20,000."""


def findings_of_run(runs: Iterable[HostRun], held: Iterable[Document] = ()) -> Diagnosis:
    """What the failed hosts' evidence leads to, with what `arcferry data` holds beside it."""
    groups: dict[bytes, list[HostRun]] = {}
    for run in runs:
        if run.evidence:
            path = from_json(run.failure.path) if run.failure and run.failure.path else None
            groups.setdefault(symptoms_of(run.failure, path), []).append(run)
    alike = [
        (
            [run.host.name for run in group],
            [one for run in group[:_WITNESSES] for one in claimed(run.host.name, run.evidence)],
        )
        for group in groups.values()
    ]
    return findings_of(alike, held=held)


def claimed(host: str, files: Iterable[tuple[str, bytes]]) -> list[Document]:
    """What a host's outputs and path evidence say, if they are recognised.

    Args:
        host: its name, which the documents' names begin with.
        files: their names and contents.
    """
    return [
        document
        for name, data in files
        for document in read_claimed(f"{host}: {name}", data)
        # A host tells what it saw, and not what a filter, a circuit or a list says.
        if document.kind is not Kind.UNRECOGNISED and document.excerpt is None
    ]


def findings_of(
    groups: Iterable[tuple[Sequence[str], Sequence[Document]]],
    context: Iterable[Document] = (),
    held: Iterable[Document] = (),
) -> Diagnosis:
    """The findings of every group, each once: the gravest first, then what most hosts have.

    Groups are judged one at a time, so that many of them need little more memory than one. Of their evidence
    as much is kept as a file may hold; whose is not kept is named.

    Args:
        groups: the names of hosts that fail alike, and what some of them handed in.
        context: what else was handed in, such as a route filter.
        held: the documents of `arcferry data`.
    """
    beside, behind = tuple(context), tuple(held)
    judged: list[tuple[Sequence[str], Sequence[Finding]]] = []
    told: list[Document] = []
    left_out: list[str] = []
    room = _MOST_KEPT
    for names, documents in groups:
        if documents:
            marked = [replace(one, servers=tuple(names)) for one in documents]
            judged.append((names, judge((*marked, *beside), behind).findings))
            room -= len(json.dumps(kept.to_json(Case(tuple(marked)))))
            if room < 0:
                left_out += names
            else:
                told += marked
    case = Case.of((*told, *beside), behind) if judged else Case(())
    return Diagnosis((), of_servers(judged), (), case, tuple(left_out))


def keep(diagnosis: Diagnosis, run: Path) -> None:
    """Keep what was judged of a run in its folder.

    Raises:
        FileInputError: the folder cannot be written.
    """
    document = kept.to_json(diagnosis.case, diagnosis.left_out)
    write_whole(run / _EVIDENCE, json.dumps(document).encode(), mode=0o600)


def judged_again(state: Path) -> Diagnosis:
    """What the evidence of the newest run in a state folder leads to that ended and was judged.

    Raises:
        FileInputError: a run's record or evidence cannot be read.
    """
    judged = (run for run, _ in runs(state) if (run.path / _EVIDENCE).is_file())
    newest = next(judged, None)
    return judged_of(newest) if newest else NOTHING_JUDGED


def judged_of(run: RunFolder) -> Diagnosis:
    """What the evidence leads to that was kept of one run.

    Raises:
        FileInputError: it cannot be read.
    """
    path = run.path / _EVIDENCE
    if not os.path.lexists(path):
        return NOTHING_JUDGED
    return judge(read_document(_EVIDENCE, read_bounded(path, limit=FILE_LIMIT)))


def judged_at(run: RunFolder) -> int:
    """When the evidence of a run was kept, in nanoseconds; 0 where none is."""
    try:
        return (run.path / _EVIDENCE).stat().st_mtime_ns
    except OSError:
        return 0


def symptoms_of(failure: StepResult | None, path: Any, *, more: object = None) -> bytes:  # noqa: ANN401  # JSON
    """A hash of what makes two hosts fail alike: the step, its code, and what each endpoint failed of.

    Args:
        failure: the step that failed.
        path: the host's path evidence, JSON of any shape.
        more: what else tells hosts apart.
    """
    told: tuple[object, ...] = ()
    if failure is not None:
        # Where no endpoint tells hosts apart, their outputs may: a sign-in fails in many ways under one code.
        words = () if failure.unreachable else (failure.says,)
        told = (failure.step, failure.code, failure.unreachable, *words)
    symptoms = (told, sorted(set(_failed_rows(path))), more)
    return hashlib.sha256(json.dumps(symptoms).encode()).digest()


def _failed_rows(path: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401  # a host's JSON, of any shape
    rows = path.get("endpoints") if isinstance(path, dict) else None
    for row in rows if isinstance(rows, list) else ():
        failure = row.get("failure") if isinstance(row, dict) else None
        if isinstance(failure, dict):
            parts = (row.get("host"), row.get("address"), failure.get("kind"))
            yield tuple(str(part)[:300] for part in parts)
