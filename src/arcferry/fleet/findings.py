"""What failed on many hosts, as few findings: hosts with the same symptoms are judged once."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from arcferry import numbers
from arcferry.diagnosis import judge
from arcferry.diagnosis.finding import Severity
from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import read_claimed
from arcferry.fleet.outcome import HostFinding, HostRun, StepResult

_WITNESSES = 3
"""Hosts of one group whose evidence is shown; the others have the same symptoms."""


def findings_of_run(runs: Iterable[HostRun], held: Iterable[Document] = ()) -> tuple[HostFinding, ...]:
    """What the failed hosts' evidence leads to, with what `arcferry data` holds beside it."""
    groups: dict[bytes, list[HostRun]] = {}
    for run in runs:
        if run.evidence:
            path = numbers.from_json(run.failure.path) if run.failure and run.failure.path else None
            groups.setdefault(symptoms_of(run.failure, path), []).append(run)
    alike = [([run.host.name for run in group], _documents(group[:_WITNESSES])) for group in groups.values()]
    return findings_of(alike, held=held)


def _documents(runs: Iterable[HostRun]) -> list[Document]:
    return [
        document
        for run in runs
        for name, data in run.evidence
        for document in read_claimed(f"{run.host.name}: {name}", data)
        if document.kind is not Kind.UNRECOGNISED
    ]


def findings_of(
    groups: Iterable[tuple[Sequence[str], Sequence[Document]]],
    context: Iterable[Document] = (),
    held: Iterable[Document] = (),
) -> tuple[HostFinding, ...]:
    """The findings of every group, each once: the gravest first, then what most hosts have.

    Args:
        groups: the names of hosts that fail alike, and what some of them handed in.
        context: what else was handed in, such as a route filter.
        held: the documents of `arcferry data`.
    """
    beside, kept = tuple(context), tuple(held)
    merged: dict[tuple[str, str], HostFinding] = {}
    for names, documents in groups:
        for finding in judge((*documents, *beside), kept).findings if documents else ():
            key = (finding.cause, finding.title)
            before = merged.get(key, HostFinding(finding, ()))
            merged[key] = HostFinding(before.finding, tuple(dict.fromkeys((*before.hosts, *names))))
    gravity = list(Severity).index
    return tuple(sorted(merged.values(), key=lambda one: (gravity(one.finding.severity), -len(one.hosts))))


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
