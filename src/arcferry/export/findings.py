"""From what failed on many hosts to few findings: hosts with the same symptoms are diagnosed once."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from arcferry.diagnosis import judge
from arcferry.diagnosis.finding import Finding, Severity
from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import read_claimed
from arcferry.evidence.readers.edge import unreadable
from arcferry.export.result import MOST_EVIDENCE, Reported
from arcferry.fleet.outcome import StepResult

_WITNESSES = 3
"""Hosts of one group whose evidence is shown; the others have the same symptoms."""

_OUTPUTS = {
    "check": "azcmagent-check.txt",
    "connect": "azcmagent-connect.txt",
    "install": "installer-log.txt",
}


@dataclass(frozen=True, slots=True)
class HostFinding:
    """A finding and the hosts that have it, by name."""

    finding: Finding
    hosts: tuple[str, ...]


def findings_of(
    hosts: Iterable[Reported],
    again: Callable[[Reported], Reported | None],
    context: tuple[Document, ...] = (),
    held: tuple[Document, ...] = (),
) -> tuple[HostFinding, ...]:
    """What the failed hosts' evidence leads to; the gravest first, then what most hosts have.

    Risks are left out: they are told for one host by `arcferry explain`, and would hide what failed here.

    Args:
        hosts: each with its symptoms, without its evidence.
        again: reads a host's result once more, with its evidence; None if it is no longer what it was.
        context: what else was handed in, such as a route filter.
        held: the documents of `arcferry data`.
    """
    groups: dict[bytes, list[Reported]] = {}
    for host in hosts:
        if host.failed:
            groups.setdefault(host.symptoms, []).append(host)
    merged: dict[object, HostFinding] = {}
    for group in groups.values():
        documents = [one for host in group[:_WITNESSES] for one in _evidence_again(host, again)]
        if not documents:
            continue
        for finding in judge((*documents, *context), held).findings:
            if finding.severity is not Severity.ERROR:
                continue
            key = (finding.cause, finding.title)
            before = merged.get(key)
            names = (*(before.hosts if before else ()), *(host.name for host in group))
            merged[key] = HostFinding(before.finding if before else finding, tuple(dict.fromkeys(names)))
    return tuple(sorted(merged.values(), key=lambda one: -len(one.hosts)))


def _evidence_again(host: Reported, again: Callable[[Reported], Reported | None]) -> tuple[Document, ...]:
    read = again(host)
    return evidence_of(read) if read else ()


def evidence_of(host: Reported) -> tuple[Document, ...]:
    """What a failed host's outputs and path evidence say, if they are recognised."""
    found = [
        document
        for name, data in evidence_files(host)
        for document in read_claimed(f"{host.name}: {name}", data)
        if document.kind is not Kind.UNRECOGNISED
    ]
    if host.too_much:
        why = f"could not be read: it is larger than the {MOST_EVIDENCE:,} bytes of it that are judged"
        found.append(unreadable(f"{host.name}: path.json", why))
    return tuple(found)


def evidence_files(host: Reported) -> Iterator[tuple[str, bytes]]:
    """What a host handed in, as files that `arcferry explain` reads: their names and content."""
    failure = host.run.failure
    if failure is not None and failure.output:
        yield _OUTPUTS.get(failure.step, "output.txt"), failure.output.encode()
    if host.path is not None:
        yield "path.json", json.dumps(host.path, indent=1).encode()


def symptoms_of(host: Reported) -> bytes:
    """A hash of what makes two hosts fail alike: the step, its code, and what each endpoint failed of."""
    symptoms = (_failed(host.run.failure), sorted(set(_rows(host.path))), host.too_much)
    return hashlib.sha256(json.dumps(symptoms).encode()).digest()


def _failed(failure: StepResult | None) -> tuple[object, ...]:
    if failure is None:
        return ()
    # If no endpoint tells hosts apart, their outputs may: a sign-in fails in many ways under one code.
    words = () if failure.unreachable else (failure.says,)
    return (failure.step, failure.code, failure.unreachable, *words)


def _rows(path: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401  # a host's JSON, of any shape
    rows = path.get("endpoints") if isinstance(path, dict) else None
    for row in rows if isinstance(rows, list) else ():
        failure = row.get("failure") if isinstance(row, dict) else None
        if isinstance(failure, dict):
            yield tuple(
                str(part)[:300] for part in (row.get("host"), row.get("address"), failure.get("kind"))
            )
