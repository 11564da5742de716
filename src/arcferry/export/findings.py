"""From what failed on many hosts to few findings: hosts with the same symptoms are diagnosed once."""

import json
from collections.abc import Callable, Iterable, Iterator

from arcferry.diagnosis import Diagnosis
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers.guard import unreadable
from arcferry.evidence.reading import read_claimed
from arcferry.export.result import MOST_EVIDENCE, Reported
from arcferry.fleet.findings import findings_of, symptoms_of

_WITNESSES = 3
"""Hosts of one group whose evidence is shown; the others have the same symptoms."""

_OUTPUTS = {
    "check": "azcmagent-check.txt",
    "connect": "azcmagent-connect.txt",
    "install": "installer-log.txt",
}


def findings_of_hosts(
    hosts: Iterable[Reported],
    again: Callable[[Reported], Reported | None],
    context: Iterable[Document] = (),
    held: Iterable[Document] = (),
) -> Diagnosis:
    """What the failed hosts' evidence leads to; first what most hosts have.

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
    alike = (
        (
            [host.name for host in group],
            [one for host in filter(None, map(again, group[:_WITNESSES])) for one in _evidence_of(host)],
        )
        for group in groups.values()
    )
    return findings_of(alike, context, held)


def _evidence_of(host: Reported) -> tuple[Document, ...]:
    """What a failed host's outputs and path evidence say, if they are recognised."""
    found = [
        document
        for name, data in evidence_files(host)
        for document in read_claimed(f"{host.name}: {name}", data)
        # A host tells what it saw, and not what a filter, a circuit or a list says.
        if document.kind is not Kind.UNRECOGNISED and document.excerpt is None
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


def symptoms_of_host(host: Reported) -> bytes:
    """A hash of what makes two hosts fail alike."""
    return symptoms_of(host.run.failure, host.path, more=host.too_much)
