"""What this machine holds of arcferry: the servers of its runs, watches, what is remembered, held data."""

import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arcferry.bundle.versions import FOLDER as BUNDLES
from arcferry.data.store import Store
from arcferry.errors import ArcferryError
from arcferry.export.watch_service import is_ours, remove_unit
from arcferry.export.watch_service import runs as watch_runs
from arcferry.files import naming
from arcferry.fleet.errands.leaving import UNINSTALL
from arcferry.fleet.errands.run import JOURNAL
from arcferry.fleet.events import EventKind
from arcferry.fleet.following import entries
from arcferry.fleet.pipeline import NAMES
from arcferry.fleet.run_folder import RunFolder, runs
from arcferry.leave.places import Where
from arcferry.leave.trace import Trace, TraceKind, TraceState, trace
from arcferry.times import to_text

UNIT = "arcferry-watch-"
MEMORY, DATA = "what arcferry remembers", "held data"
_REMEMBERED = ("runs", "baselines", "watch", BUNDLES, JOURNAL)
_STEPS = NAMES[1:]
"""Those that may leave something on a server: all but the facts."""

_NOT_BEGUN = (EventKind.BLOCKED, EventKind.WAITING)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A run, with the servers that it began with.

    Attributes:
        began: those on which something may have been left.
        clean: those of them that were uninstalled since.
    """

    run: RunFolder
    record: dict[str, Any]
    began: frozenset[str]
    clean: frozenset[str]

    @property
    def left(self) -> frozenset[str]:
        """The servers that are not known to be clean."""
        return self.began - self.clean

    @property
    def where(self) -> Where:
        """Where its servers went."""
        target = self.record.get("target")
        told = target if isinstance(target, dict) else {}
        names = ("cloud", "location", "subscription_id", "resource_group")
        return Where(*(str(told.get(name, "")) for name in names))


def remembered(state: Path) -> tuple[Remembered, ...]:
    """Every run of a state folder that began with a server, the newest first.

    Raises:
        FileInputError: a record cannot be read.
    """
    uninstalled = _uninstalled(state / JOURNAL)
    found = []
    for run, record in runs(state):
        last = {
            str(entry.event["host"]): str(entry.event.get("time", ""))
            for entry in entries(run.journal)
            if not entry.of_run and entry.event.get("step") in _STEPS and entry.kind not in _NOT_BEGUN
        }
        clean = frozenset(name for name, when in last.items() if uninstalled.get(name, "") >= when)
        found.append(Remembered(run, record, frozenset(last), clean))
    return tuple(one for one in found if one.began)


def _uninstalled(journal: Path) -> dict[str, str]:
    """The servers off which the agent was taken, and when."""
    return {
        str(entry.event["host"]): str(entry.event.get("time", ""))
        for entry in entries(journal)
        if not entry.of_run
        and not entry.event.get("step")
        and entry.kind == EventKind.DONE
        and str(entry.event.get("run", "")).startswith(f"{UNINSTALL.name}-")
    }


def servers(found: Iterable[Remembered]) -> Iterator[Trace]:
    """The servers of each run that are not known to be clean."""
    for one in found:
        total, left = len(one.began), len(one.left)
        if left:
            yield trace(
                TraceKind.SERVERS,
                f"run {one.run.id}",
                str(one.record.get("inventory", "")),
                f"begun {to_text(one.run.started)}; not known to be uninstalled: {left} of its {total} "
                f"servers; {one.where}",
            )


def watches(units: Path) -> Iterator[Trace]:
    """The units of systemd's that arcferry has written."""
    for path in sorted(units.glob(f"{UNIT}*.service")):
        with naming(path):
            ours = is_ours(path)
        if ours:
            history = Path("/var/lib") / path.stem
            runs_now = " and runs" * watch_runs(history)
            told = {
                "name": path.stem,
                "location": path.stem.removeprefix(UNIT),
                "history": str(history),
            }
            yield trace(TraceKind.WATCH, path.stem, str(path), f"a unit of systemd's{runs_now}", blanks=told)


def tasks(state: Path) -> Iterator[Trace]:
    """The scheduled tasks of Windows' that have written a history, if this is Windows."""
    for path in sorted((state / "watch").glob("*.sqlite")) if sys.platform == "win32" else ():
        location = path.stem.partition("-")[2]
        told = {"name": f"{UNIT}{location}", "history": str(path.parent)}
        says = "its history, which a scheduled task of this name wrote"
        yield trace(TraceKind.WATCH, told["name"], str(path), says, words="task", blanks=told)


def memory(state: Path, data: Path) -> Iterator[Trace]:
    """What is remembered, and what is held."""
    parts = [name for name in _REMEMBERED if (state / name).exists()]
    if parts:
        yield trace(TraceKind.MEMORY, MEMORY, str(state), ", ".join(parts))
    held = Store(data).held()
    if held:
        days = [one.taken for one in held if one.taken]
        newest = f", the newest of {max(days)}" if days else ""
        yield trace(TraceKind.DATA, DATA, str(data), f"{len(held)} documents{newest}")


def remove_watch(one: Trace) -> Trace:
    """Remove a unit that does not run."""
    history = Path("/var/lib") / one.name
    try:
        remove_unit(Path(one.where), history)
    except ArcferryError as error:
        return replace(one, state=TraceState.KEPT, says=error.message, hint=error.hint)
    says = f"its history stays in {history}"
    return replace(one, state=TraceState.REMOVED, says=says, hint="Let systemd know: systemctl daemon-reload")


def forget(one: Trace, left: int) -> Trace:
    """Remove what is remembered, or held.

    Args:
        one: which of them.
        left: how many servers are not known to be clean; with any, who they are is not forgotten.
    """
    if one.kind is TraceKind.MEMORY and left:
        says = f"not known to be uninstalled: {left} of the servers, and who they are stands here"
        hint = "Uninstall them first (--inventory FILE), or remove the folder by hand."
        return replace(one, state=TraceState.KEPT, says=says, hint=hint)
    if one.kind is TraceKind.MEMORY and watch_runs(Path(one.where)):
        return replace(one, state=TraceState.KEPT, says="a watch writes here", hint="Stop it first.")
    with naming(Path(one.where), "cannot be removed"):
        if one.kind is TraceKind.DATA:
            store = Store(Path(one.where))
            store.remove(store.held())
        else:
            _remove_remembered(Path(one.where))
    return replace(one, state=TraceState.REMOVED)


def _remove_remembered(state: Path) -> None:
    """Only what arcferry makes there: the folder may be anything else's, too."""
    for name in _REMEMBERED:
        path = state / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
