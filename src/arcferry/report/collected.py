"""What hosts left on a share: JSON, JSON lines, or a table of the hosts with what failed and why."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from arcferry.export.collect import Collection
from arcferry.export.result import Reported
from arcferry.fleet.outcome import HostOutcome
from arcferry.language import _, headings, marked, ngettext, together, translated
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import MOST_NAMED, named
from arcferry.report.console import STYLES, print_line, print_marked, print_sum, print_table, print_text
from arcferry.report.fleet import failures, host_case, host_document, print_causes, print_failures
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.times import to_text

ROWS = "hosts", "host"
_HEADINGS = headings("HOST", "RESULT", "BY", "ENDED", "STEP", "CODE", "CAUSE")
_WORDS = {
    HostOutcome.CONNECTED: ("ok", ""),
    HostOutcome.NOT_HEARD_FROM: (marked("not heard from"), STYLES["warn"]),
    HostOutcome.FAILED: ("FAIL", STYLES["FAIL"]),
}


def document(collection: Collection) -> dict[str, Any]:
    """Everything as one JSON document."""
    return {
        "schema": SCHEMA,
        "kind": "collected",
        "share": str(collection.share),
        "summary": {
            "hosts": len(collection.hosts),
            "connected": sum(host.connected for host in collection.hosts),
            "not_heard_from": len(collection.not_heard_from),
            "failed": len(collection.failed),
            "missing": len(collection.missing),
            "skipped": len(collection.skipped),
        },
        "asked_azure": collection.asked,
        "hosts": list(map(_host, collection.hosts)),
        "skipped": [picked(one, "file", "why") for one in collection.skipped],
        **picked(collection, "missing", "strangers"),
        "unclear": [picked(one, "host", "may_be") for one in collection.unclear],
        "doubts": [{"file": one.file, "says": one.why} for one in collection.doubts],
        **as_json.fields(collection.diagnosis),
    }


def _host(host: Reported) -> dict[str, Any]:
    agent = {"agent": {"version": host.agent.version, "was": host.was}}
    return host_document(host.run) | picked(host, "via", "bundle", "began", "ended", "file") | agent


def junit(collection: Collection) -> str:
    """A case a host that reported, or should have, and a file that could not be used. Then the findings."""
    cases = [host_case(one.run) for one in collection.hosts]
    cases += [
        JunitCase(name, JunitResult.FAILURE, "did not report", "missing") for name in collection.missing
    ]
    cases += [JunitCase(one.file, JunitResult.SKIPPED, one.why, "left out") for one in collection.skipped]
    return xml({"collect": cases}, collection.diagnosis)


def draw(collection: Collection, console: Console) -> None:
    """A table, then each failure once with its hosts and the way out, then the sum."""
    titles = (*_HEADINGS[:2], marked("IN AZURE"), *_HEADINGS[2:]) if collection.asked else _HEADINGS
    print_table(console, titles, _rows(collection))
    print_line(console)
    print_failures(console, failures(host.run for host in collection.failed))
    print_failures(console, failures(host.run for host in collection.not_heard_from), "warn")
    for line in _upgrades(collection):
        print_text(console, line)
    print_causes(console, collection.diagnosis.findings)
    for says in _doubtful(collection):
        print_marked(console, "warn", says)
    word = "ok" if collection.all_good else "FAIL" if collection.failed or collection.missing else "warn"
    print_sum(console, word, summary(collection))


def summary(collection: Collection) -> str:
    """One line: how many are connected, and what became of the others."""
    connected = sum(host.connected for host in collection.hosts)
    text = marked("{connected} of {hosts} hosts that reported say that they are connected")
    if collection.asked:
        text = marked("{connected} of {hosts} hosts that reported are connected in Azure")
    parts = [_(text, connected=connected, hosts=len(collection.hosts))]
    if collection.not_heard_from:
        parts.append(_("{count} not yet heard from", count=len(collection.not_heard_from)))
    if collection.failed:
        parts.append(_("{count} {state}", count=len(collection.failed), state=_("failed")))
    if collection.missing:
        parts.append(_("{count} of the inventory did not report", count=len(collection.missing)))
    if collection.skipped:
        parts.append(ngettext("{count} file left out", "{count} files left out", len(collection.skipped)))
    return together(parts)


def _rows(collection: Collection) -> Iterator[tuple[tuple[str, ...], str]]:
    causes: dict[str, str] = {}
    for one in collection.diagnosis.findings:
        for name in one.servers:
            causes.setdefault(name, one.cause)
    for host in collection.hosts:
        failure, (word, style) = host.run.failure, _WORDS[host.run.outcome]
        ended = to_text(host.ended) if host.ended else ""
        step, code = (failure.step, failure.code) if failure else ("", "")
        cells = [host.name, _(word), host.via, ended, step, code, causes.get(host.name, "")]
        if collection.asked:
            cells.insert(2, host.run.machine.status if host.run.machine else _("none"))
        yield tuple(cells), style


def _upgrades(collection: Collection) -> Iterator[str]:
    """Which hosts have another agent now, by the versions before and after."""
    found: dict[tuple[str, str], list[str]] = {}
    for host in collection.hosts:
        if host.was:
            found.setdefault((host.was, host.agent.version), []).append(host.name)
    for (was, version), names in found.items():
        yield _("agent {was} is {version} now: {hosts}", was=was, version=version, hosts=named(names))


def _doubtful(collection: Collection) -> Iterator[str]:
    if collection.missing:
        yield _("not reported: {hosts}", hosts=named(collection.missing))
    if collection.strangers:
        yield _("not in the inventory: {hosts}", hosts=named(collection.strangers))
    for unclear in collection.unclear:
        names = _(" or ").join(unclear.may_be[:MOST_NAMED])
        says = marked("{host} may be {names}: it counts for none; list servers by their whole names")
        yield _(says, host=unclear.host, names=names)
    for one in (*collection.doubts, *collection.skipped):
        yield _("{name}: {says}", name=one.file, says=translated(one.why))
