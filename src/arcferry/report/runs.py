"""The runs that a state folder remembers, from their journals."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from arcferry.fleet.run_folder import RunFolder, runs
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.text import from_json, one_line
from arcferry.times import to_text

_LIMIT = 64 * 1024 * 1024
_LINE = 16 * 1024
_OF_HOST = ("state", "step", "says", "time", "stage")


def remembered(folder: Path) -> list[dict[str, Any]]:
    """Each run with the last that its journal says of every host, the newest run first.

    Raises:
        FileInputError: a run's record cannot be read.
    """
    return [
        {
            "run": run.id,
            "started": to_text(run.started),
            "inventory": str(record.get("inventory", "")),
            "bundle": str(record.get("bundle", "")),
            "target": record.get("target", {}),
            "folder": str(run.path),
            "hosts_total": int(record.get("hosts", 0)),
            "hosts": _hosts(run),
        }
        for run, record in runs(folder)
    ]


def _hosts(run: RunFolder) -> dict[str, dict[str, str]]:
    last: dict[str, dict[str, str]] = {}
    for event in _events(run.journal):
        host = last.setdefault(str(event.get("host", "")), dict.fromkeys(_OF_HOST, ""))
        if event.get("step"):
            host.update(step=str(event["step"]), says=one_line(str(event.get("says", ""))))
        host.update(state=str(event.get("event", "")), time=str(event.get("time", "")))
        host.update(stage=str(event.get("stage", "")) or host["stage"])
    return last


def _events(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as stream:
            size = 0
            while (line := stream.readline(_LINE)) and (size := size + len(line)) < _LIMIT:
                try:
                    event = from_json(line)
                except ValueError:
                    continue  # the last line of a run that was killed may be cut short
                if isinstance(event, dict):
                    yield event
    except OSError:
        return


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
        yield "no runs are remembered here"
    for run in found:
        counts = Counter(host["state"] for host in run["hosts"].values())
        connected = counts["connected"]
        yield (
            f"run {run['run']}  begun {run['started']}  {connected} of {run['hosts_total']} connected  "
            f"{run['inventory']}"
        )
        for name, host in run["hosts"].items():
            if host["state"] != "connected":
                stage = f" ({host['stage']})" if host["stage"] else ""
                yield f"  {name}{stage}  {host['step']} {host['state']}  {host['says']}".rstrip()
