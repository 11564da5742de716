"""The runs that a state folder remembers, from their journals."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from arcferry.diagnosis import Diagnosis
from arcferry.fleet.events import EventKind
from arcferry.fleet.findings import judged_of
from arcferry.fleet.following import RunState, standing, steps_of
from arcferry.fleet.run_folder import RunFolder, runs
from arcferry.language import _, translated
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA
from arcferry.report.console import print_text
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.text import one_line
from arcferry.times import to_text


def remembered(folder: Path) -> list[dict[str, Any]]:
    """Each run with the last that its journal says of every host, the newest run first.

    Raises:
        FileInputError: a run's record cannot be read.
    """
    return [_remembered(run, record) for run, record in runs(folder)]


def with_steps(folder: Path, name: str) -> dict[str, Any] | None:
    """The document of one run, its hosts with the steps that they took; None where no run is called so.

    Raises:
        FileInputError: its record or its evidence cannot be read.
    """
    found = next(((run, record) for run, record in runs(folder) if run.id == name), None)
    if found is None:
        return None
    run, stands = found[0], _remembered(*found)
    for host, steps in steps_of(run).items():
        stands["hosts"][host]["steps"] = steps
    return document([stands], judged_of(run))


def document(found: list[dict[str, Any]], judged: Diagnosis) -> dict[str, Any]:
    """The JSON document of these runs and of what was judged of one of them."""
    return {"schema": SCHEMA, "kind": "runs", "runs": found, **as_json.fields(judged)}


def _remembered(run: RunFolder, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run": run.id,
        "started": to_text(run.started),
        "inventory": str(record.get("inventory", "")),
        "bundle": str(record.get("bundle", "")),
        "target": record.get("target", {}),
        "folder": str(run.path),
        "hosts_total": int(record.get("hosts", 0)),
        **standing(run),
    }


def event_line(event: Mapping[str, Any]) -> str:
    """An event of a journal for people; empty for one that says nothing by itself."""
    words = {key: one_line(str(event.get(key, "")), limit=400) for key in ("time", "host", "step", "event")}
    if words["event"] == EventKind.STARTED:
        return ""
    says = one_line(str(event.get("says", "")), limit=400)
    if not words["host"] and words["event"] in {EventKind.PAUSED, EventKind.RESUMED} and says:
        # It begins with that word, or tells what holds the run.
        return f"{words['time']}  {_('run')}  {translated(says)}"
    what = " ".join(filter(None, (words["step"], _(words["event"]))))
    told = _("{name}: {says}", name=what, says=translated(says)) if says else what
    return f"{words['time']}  {words['host'] or _('run')}  {told}"


def draw_event(event: Mapping[str, Any], console: Console) -> None:
    """An event of a journal, if it says anything by itself."""
    if line := event_line(event):
        print_text(console, line, indent=2, first="")


def junit(found: Sequence[Mapping[str, Any]]) -> str:
    """A suite a run, a case a host by the last that the run's journal says of it."""
    outcomes = {
        "connected": JunitResult.PASSED,
        "failed": JunitResult.FAILURE,
        "blocked": JunitResult.FAILURE,
    }
    return xml(
        {
            f"run {one['run']}": [
                JunitCase(name, outcomes.get(host["state"], JunitResult.SKIPPED), host["says"], host["step"])
                for name, host in one["hosts"].items()
            ]
            for one in found
        }
    )


def plain(found: list[dict[str, Any]]) -> Iterator[str]:
    """For people: a line a run, and under it the hosts that are not connected."""
    if not found:
        yield _("no runs are remembered here")
    for run in found:
        counts = Counter(host["state"] for host in run["hosts"].values())
        connected = counts["connected"]
        yield _(
            "run {run}  {state}  begun {began}  {connected} of {hosts} connected  {inventory}",
            run=run["run"],
            state=_(run["state"]),
            began=run["started"],
            connected=connected,
            hosts=run["hosts_total"],
            inventory=run["inventory"],
        )
        if run["says"] and run["state"] != RunState.ENDED:
            yield f"  {translated(run['says'])}"
        for name, host in run["hosts"].items():
            if host["state"] != "connected":
                stage = f" ({host['stage']})" if host["stage"] else ""
                state, says = _(host["state"]), translated(host["says"])
                yield f"  {name}{stage}  {host['step']} {state}  {says}".rstrip()
