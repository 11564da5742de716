"""Findings as text for an infrastructure engineer."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from rich.console import Console

from arcferry.diagnosis import Diagnosis, Severity
from arcferry.diagnosis.finding import Command, Evidence, Finding, Outcome, Remedy, Taken, addressed, team
from arcferry.language import _, marked, ngettext, together, translated
from arcferry.report.columns import UNDISCOVERED
from arcferry.report.console import print_letter, print_line, print_rows, print_text
from arcferry.text import clean, one_line, width
from arcferry.times import to_text

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
_KINDS = {
    "agent-check": marked("azcmagent check output"),
    "agent-connect": marked("azcmagent connect output"),
    "download-error": marked("a failed download"),
    "dns-answers": marked("DNS answers"),
    "arcferry-check": marked("an arcferry check"),
    "agent-show": marked("azcmagent show output"),
    "azure-machine": marked("Azure's document of the machine"),
    "connect-settings": marked("how the agent was connected"),
    "agent-log": marked("a log of the agent"),
    "agent-logs-zip": marked("a log bundle of azcmagent logs"),
    "install-log": marked("a log of the installer"),
    "host-answers": marked("answers of the host script"),
    "server-evidence": marked("evidence of a server"),
    "onboarding-script": marked("output of the onboarding script"),
    "powershell-error": marked("a PowerShell error"),
    "connection-test": marked("a connection test"),
    "program-output": marked("output of a program"),
    "services": marked("services of the agent"),
    "winhttp-proxy": marked("the proxy of Windows' own services"),
    "azure-error": marked("an error of Azure's"),
    "azure-object": marked("an object of Azure's"),
    "server-state": marked("what a tool says of a server or a router"),
    "received-routes": marked("routes of a router"),
    "azure-routes": marked("Azure's route table of the peering"),
    "bgp-sessions": marked("BGP sessions"),
    "azure-arp": marked("Azure's ARP table of the peering"),
    "circuit": marked("an ExpressRoute circuit"),
    "watch-history": marked("a history of arcferry watch"),
    "route-filter": marked("a route filter"),
    "service-tags": marked("service tags"),
    "community-list": marked("a list of BGP communities"),
    "unrecognised": marked("not recognised"),
    "unreadable": marked("not readable"),
}
_WITHOUT_FINDINGS = {
    Outcome.FINDINGS: "",
    Outcome.CLEAR: marked("No findings: what was handed in shows success, and nothing points to a fault."),
    Outcome.NOTHING_TRIED: marked(
        "No findings, and no all-clear: nothing here shows that an endpoint was reached."
    ),
    Outcome.NOT_UNDERSTOOD: marked(
        "Nothing in this was understood: it shows neither a failure nor a success."
    ),
}
_MOST_SHOWN = 40


def _day(instant: datetime) -> str:
    """The instant, without a time of day where only the day is known."""
    return to_text(instant).removesuffix("T00:00:00Z")


def _identity(finding: Finding) -> Iterator[tuple[str, str]]:
    yield _("cause"), finding.cause
    for place, one in enumerate(finding.endpoints[:_MOST_SHOWN]):
        known = (one.host or _(UNDISCOVERED), one.address, one.service_tag, one.region, one.community)
        yield (_("endpoint") if place == 0 else ""), one_line(", ".join(filter(None, known)))
    if (left := len(finding.endpoints) - _MOST_SHOWN) > 0:
        yield "", _("and {left} more, see --output json", left=left)
    yield _("owner"), team(finding.owner)
    yield _("certainty"), _(finding.confidence)
    if finding.would_decide:
        yield _("would decide"), ", ".join(finding.would_decide)


def _origin(line: Evidence) -> str:
    return one_line(line.origin, limit=160) + (f", {_day(line.taken)}" if line.taken else "")


def _draw_evidence(finding: Finding, console: Console) -> None:
    """Each origin with its date once, its lines beneath."""
    print_line(console, f"  {_('Evidence')}", "bold")
    for origin, lines in groupby(finding.evidence[:_MOST_SHOWN], key=_origin):
        print_text(console, origin, "dim", indent=4)
        for line in lines:
            print_text(console, one_line(translated(line.says), limit=600), indent=6)
    if (left := len(finding.evidence) - _MOST_SHOWN) > 0:
        print_text(console, _("and {left} more lines, see --output json", left=left), indent=4)


def _draw_change(remedy: Remedy, console: Console) -> None:
    """The steps, then each command on lines of its own."""
    print_line(console, f"  {_('What to change')}", "bold")
    print_text(console, one_line(remedy.summary), indent=4)
    steps = enumerate(remedy.steps, 1)
    print_rows(console, 4, ((f"{number}.", one_line(step, limit=600)) for number, step in steps))
    draw_commands(remedy.commands, 4, console)


def draw_commands(commands: Iterable[Command], indent: int, console: Console) -> None:
    """Each command with its tool and whether it reads or changes, on lines of its own to be copied."""
    for command in commands:
        told = _("{tool}, {does}", tool=one_line(command.tool), does=_(command.does))
        print_line(console, f"{' ' * indent}{told}", "dim")
        for line in clean(command.text).splitlines():
            print_line(console, f"{' ' * indent}  {line}", "cyan")


def _draw_request(finding: Finding, console: Console) -> None:
    if finding.remedy.request:
        title = _("to send to {to}", to=addressed(finding.remedy.to, finding.owner))
        print_line(console)
        print_letter(console, title, clean(finding.remedy.request), indent=2)


def draw_finding(finding: Finding, console: Console) -> None:
    """One finding: what, where, by whom; what it rests on; what to change; what to send."""
    word = f"{_(finding.severity.value).upper()}  "
    print_text(console, one_line(finding.title), _STYLES[finding.severity], indent=width(word), first=word)
    print_rows(console, 2, _identity(finding))
    print_line(console)
    _draw_evidence(finding, console)
    print_line(console)
    _draw_change(finding.remedy, console)
    _draw_request(finding, console)


def taken_for(one: Taken) -> str:
    """What a file was taken for, and of which day it is."""
    kind = kind_told(one.kind)
    return _("{kind}, as of {day}", kind=kind, day=_day(one.taken)) if one.taken else kind


def kind_told(kind: str) -> str:
    """What stands for a kind of document in a text, such as `service tags`."""
    return _(_KINDS.get(kind, kind.replace("-", " ")))


def draw(diagnosis: Diagnosis, console: Console) -> None:
    """What each file was taken for, then every finding, then one line that sums up."""
    print_line(console, _("Taken for"), "bold")
    inputs = diagnosis.inputs
    print_rows(console, 2, ((one_line(one.name, limit=120), taken_for(one)) for one in inputs))
    for finding in diagnosis.findings:
        print_line(console)
        draw_finding(finding, console)
    print_line(console)
    print_text(console, summary(diagnosis))


def summary(diagnosis: Diagnosis) -> str:
    """One line: how many findings of which severity."""
    severities = Counter(finding.severity for finding in diagnosis.findings)
    counts = (
        ngettext("{count} error", "{count} errors", severities[Severity.ERROR]),
        ngettext("{count} warning", "{count} warnings", severities[Severity.WARNING]),
        ngettext("{count} note", "{count} notes", severities[Severity.INFO]),
    )
    told = together(one for one, severity in zip(counts, Severity, strict=True) if severities[severity])
    return told or _(_WITHOUT_FINDINGS[diagnosis.outcome])
