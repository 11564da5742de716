"""How machines stand in Azure: JSON, JSON lines, JUnit, or a table of what is not as it should be."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from arcferry.catalog import releases_source
from arcferry.diagnosis.finding import Finding, addressed
from arcferry.errors import AzureError
from arcferry.fleet.run_folder import target_to_json
from arcferry.language import _, headings, marked, translated
from arcferry.report.as_json import SCHEMA, finding_document, picked
from arcferry.report.columns import named
from arcferry.report.console import HANG, STYLES, print_line, print_marked, print_sum, print_table, print_text
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.text import one_line
from arcferry.times import to_text
from arcferry.verify import Fault, Past, Standing, State, Verification, Watched
from arcferry.verify.standing import EXPIRES_AFTER, SILENCE

ROWS = "machines", "machine"
_MOST_EXTRAS = 12
_MOST_GROUPS = 40
_MOST_CHANGES = 6
_HEADINGS = headings("SERVER", "STATE", "SINCE", "AGENT")
_MACHINE = (
    "name", "id", "status", "vm_id", "location", "agent_version", "os", "last_status_change", "tags",
)  # fmt: skip
_WARNS = frozenset((State.DISCONNECTED, State.AWAITING, State.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Verified:
    """A verification, and whether the machines that are as they should be are listed too."""

    found: Verification
    every: bool = False


def document(result: Verified) -> dict[str, Any]:
    """All of it as one JSON document; every machine, whatever the table leaves out."""
    found = result.found
    return {
        "schema": SCHEMA,
        "kind": "verification",
        "asked": to_text(found.at),
        "target": target_to_json(found.target),
        "whole": not found.half,
        "good": found.good,
        "thresholds": {
            "connected": SILENCE,
            "stale_after_days": found.stale_after.days,
            "expires_after_days": EXPIRES_AFTER.days,
        },
        "agents": {
            "bundle": found.goal.bundle,
            "versions": dict(found.goal.versions),
            "newest_known": found.goal.newest.version,
            "source": str(releases_source()),
        },
        "notes": list(found.notes),
        "unasked": [
            {"subscription_id": key[0], "resource_group": key[1], "status": error.status, "code": error.code,
             "says": error.message, "hint": error.hint}
            for key, error in found.unasked.items()
        ],
        "summary": counts(found),
        "machines": [_row(found, row) for row in (*found.rows, *found.extras)],
        "findings": [finding_document(finding) for finding in _findings(found)],
    }  # fmt: skip


def counts(found: Verification) -> dict[str, int]:
    """How many rows stand how, how many have which fault, and how many machines are extra."""
    states = Counter(row.state.value for row in found.rows)
    faults = Counter(fault.kind.value for row in found.rows for fault in row.faults)
    return {
        "servers": len(found.rows),
        "good": sum(row.good for row in found.rows),
        **{state.value: states[state.value] for state in State},
        **dict(sorted(faults.items())),
        "extra": len(found.extras),
    }


def _row(found: Verification, row: Standing) -> dict[str, Any]:
    since = row.since
    return {
        **picked(row, "name", "state", "good", "extra", "subscription_id"),
        "resource_group": row.group,
        "line": row.line or None,
        **picked(row, "says", "hint", "since"),
        "age_seconds": round((found.at - since).total_seconds()) if since else None,
        "expires_from": row.expires.date().isoformat() if row.expires else None,
        "faults": [picked(fault, "kind", "says", "hint") for fault in row.faults],
        "last_run": _past_document(row.past) if row.past else None,
        "watch": _watch_document(row.watched) if row.watched else None,
        "machine": picked(row.machine, *_MACHINE) if row.machine else None,
    }


def _past_document(past: Past) -> dict[str, Any]:
    causes = [finding.cause for finding in past.findings]
    told = picked(past, "run", "at", "ended", "step", "says", "changes")
    return told | {"causes": causes, "path_proved": past.proved or None, "proved_since": past.mended}


def _watch_document(seen: Watched) -> dict[str, Any]:
    told = picked(seen, "location", "last", "changes")
    return told | {"causes": [finding.cause for finding in seen.findings]}


def _findings(found: Verification) -> list[Finding]:
    """The causes of silence, each once with the servers that are silent now."""
    servers: dict[tuple[str, str], list[str]] = {}
    first: dict[tuple[str, str], Finding] = {}
    for row in found.rows:
        for finding in row.findings:
            key = (finding.cause, finding.title)
            first.setdefault(key, finding)
            servers.setdefault(key, []).append(row.name)
    return [replace(first[key], servers=tuple(names)) for key, names in servers.items()]


def junit(result: Verified) -> str:
    """A case a server: what is unknown is an error, an extra machine is skipped."""
    found = result.found
    cases = [_case(row) for row in (*found.rows, *found.extras)]
    for (subscription, group), error in found.unasked.items():
        name = f"{group} of subscription {subscription}"
        cases.append(JunitCase(name, JunitResult.ERROR, error.message, "unasked", error.hint))
    return xml({"verify": cases})


def _case(row: Standing) -> JunitCase:
    told = [*_reasons(row), *([str(row.past)] if row.past else [])]
    if row.extra:
        return JunitCase(row.name, JunitResult.SKIPPED, f"extra: {row.group} has it, and no row names it")
    if row.good:
        return JunitCase(row.name)
    kind = row.state.value if row.state is not State.CONNECTED else row.faults[0].kind.value
    outcome = JunitResult.ERROR if row.state is State.UNKNOWN else JunitResult.FAILURE
    details = "\n".join((*told, *filter(None, (row.hint, *(fault.hint for fault in row.faults)))))
    return JunitCase(row.name, outcome, "; ".join(told) or row.state.value, kind, details)


def _reasons(row: Standing) -> Iterator[str]:
    if row.says:
        yield row.says
    yield from (fault.says for fault in row.faults)


def draw(result: Verified, console: Console) -> None:
    """The servers that are not as they should be, why, what was not asked, then the sum."""
    found = result.found
    shown = [row for row in found.rows if result.every or not row.good]
    if shown:
        print_table(console, _HEADINGS, map(_cells, shown), cut=(0,))
        print_line(console)
    alike = list(_alike(shown))
    for group in alike[:_MOST_GROUPS]:
        _print_group(console, *group)
    if len(alike) > _MOST_GROUPS:
        rest = len(alike) - _MOST_GROUPS
        print_line(console, _("and {rest} more of this kind, which --output json has", rest=rest))
        print_line(console)
    _print_extras(console, found)
    for (subscription, group_name), error in found.unasked.items():
        _print_unasked(console, found, (subscription, group_name), error)
    for note in found.notes:
        _print(console, _("note: {note}", note=note), indent=0)
    if any(row.state in (State.CONNECTED, State.DISCONNECTED, State.STALE) for row in found.rows):
        stale = _("stale: disconnected for more than {days} days", days=found.stale_after.days)
        _print(console, _("{silence}; {stale}.", silence=_(SILENCE), stale=stale), indent=0)
    if others := ", ".join(_others(found)):
        _print(console, others, indent=0)
    print_sum(console, "ok" if found.good else "warn" if found.half else "FAIL", summary(found))


def _print_unasked(console: Console, found: Verification, key: tuple[str, str], error: AzureError) -> None:
    """A group whose machines are not known, with the servers that should be in it."""
    names = [
        row.name
        for row in found.rows
        if row.state is State.UNKNOWN and (row.subscription_id.lower(), row.group.lower()) == key
    ]
    print_marked(console, "FAIL", _("not known: the machines of {group}", group=key[1]))
    if names:
        _print(console, named(names))
    _print(console, _("subscription {id}: {says}", id=key[0], says=translated(error.message)))
    _print(console, translated(error.hint))
    print_line(console)


def _cells(row: Standing) -> tuple[tuple[str, ...], str]:
    state = row.state.value if row.good or row.state is not State.CONNECTED else row.faults[0].kind.value
    style = "" if row.good else STYLES["warn" if row.state in _WARNS else "FAIL"]
    agent = row.machine.agent_version if row.machine else ""
    return (row.name, _(state), to_text(row.since) if row.since else "", one_line(agent, limit=18)), style


def _alike(shown: list[Standing]) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """What is wrong, once for all servers that have it: a mark, the headline, the text, and the servers."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for row in shown:
        for mark, headline, text in _wrongs(row):
            groups.setdefault((mark, headline, text), []).append(row.name)
    for (mark, headline, text), names in groups.items():
        yield mark, headline, list(text), names


def _wrongs(row: Standing) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if row.state is State.UNKNOWN and row.machine is None:
        return  # told once for its whole group
    if row.state is not State.CONNECTED:
        says = () if row.state is State.STALE else tuple(filter(None, (translated(row.says),)))
        mark = "warn" if row.state in _WARNS else "FAIL"
        yield mark, row.state.value, (*says, *_past_lines(row), *filter(None, (translated(row.hint),)))
    for fault in row.faults:
        yield "FAIL", fault.kind.value, _fault_lines(fault)


def _fault_lines(fault: Fault) -> tuple[str, ...]:
    return tuple(map(translated, filter(None, (fault.says, fault.hint))))


def _past_lines(row: Standing) -> Iterator[str]:
    """What runs and watches remember; the cause in its own words, whose it is, and the way out."""
    past, seen = row.past, row.watched
    if past is None:
        if seen is None and row.state in (State.DISCONNECTED, State.STALE):
            yield _("no run that is remembered here says anything of its path")
    elif past.mended:
        yield _(
            "{past}; its network's path was proved after that, on {day}",
            past=translated(str(past)),
            day=past.proved,
        )
    elif not past.findings:
        yield translated(str(past))
        if past.proved:
            yield _("its network's path was proved last on {day}", day=past.proved)
    else:
        yield _("its last path evidence (run {run}, {day}) says:", run=past.run, day=past.at[:10])
        yield from _cause_lines(past)
    if seen is not None:
        told = _("says:") if seen.findings else _("reached every endpoint")
        by = _("for site {site}", site=seen.site) if seen.site else _("here")
        yield _(
            "the watch of {location} {by} (last round {last}) {told}",
            location=seen.location,
            by=by,
            last=to_text(seen.last),
            told=told,
        )
        yield from _cause_lines(seen)


def _cause_lines(told: Past | Watched) -> Iterator[str]:
    for finding in told.findings[:2]:
        yield _("{name}: {says}", name=finding.cause, says=one_line(finding.title))
        says = one_line(finding.remedy.summary, limit=400)
        yield _("{name}: {says}", name=addressed("", finding.owner), says=says)
        yield f"arcferry explain {finding.cause}"
    yield from map(translated, told.changes[:_MOST_CHANGES])


def _print_group(console: Console, mark: str, headline: str, text: list[str], names: list[str]) -> None:
    print_marked(console, mark, _("{name}: {says}", name=_(headline), says=named(names, most=3)))
    for line in text:
        _print(console, line)
    print_line(console)


def _print_extras(console: Console, found: Verification) -> None:
    """What is in the inventory's groups and in no row, by group; nothing touches it."""
    groups: dict[str, list[str]] = {}
    for row in found.extras:
        groups.setdefault(row.group, []).append(row.name)
    for group, names in groups.items():
        print_marked(
            console,
            "warn",
            _("extra: {count} in {group} and in no row; left alone", count=len(names), group=group),
        )
        _print(console, named(names, most=_MOST_EXTRAS))
        print_line(console)


def _print(console: Console, text: str, *, indent: int = HANG) -> None:
    print_text(console, one_line(text, limit=1200), indent=indent)


def _others(found: Verification) -> Iterator[str]:
    """How many are not as they should be, by what is amiss."""
    told = counts(found)
    states = (state for state in State if state is not State.CONNECTED and told[state.value])
    yield from (_("{count} {state}", count=told[state.value], state=_(state.value)) for state in states)
    if wrong := sum(row.state is State.CONNECTED and bool(row.faults) for row in found.rows):
        yield _("{wrong} connected with faults", wrong=wrong)
    if told["extra"]:
        yield _("{extra} extra", extra=told["extra"])


def summary(found: Verification) -> str:
    """One line: how many are as they should be."""
    told = counts(found)
    text = marked("{good} of {servers} machines connected and as they should be")
    if found.listed:
        text = marked("{good} of {servers} servers connected and as they should be")
    half = _("; Azure's answer is not whole") if found.half else ""
    return _(text, good=told["good"], servers=told["servers"]) + half
