"""Taking up failed hosts again from the page: the command itself as a process of its own, one at a time.

That process goes on where this one ends. How it works stands in the run's journal, which every page reads.
"""

import hashlib
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from arcferry.errors import BlockedError
from arcferry.files import naming
from arcferry.fleet.failed import failed_hosts
from arcferry.fleet.run_folder import RunFolder
from arcferry.serve.listing import RunView
from arcferry.text import clean, one_line
from arcferry.times import now, to_text

_PRINTED = 4000
_PRINTS = {"PYTHONIOENCODING": "utf-8"}  # into a file Windows would have it write in the system's code page
_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows alone has it


@dataclass(frozen=True, slots=True)
class Command:
    """The command that takes up hosts of one run, without which of them. No secret is in it.

    Attributes:
        run: the run that inventory, bundle and target of the command make.
        words: what it begins with.
        given: what stands behind the choice of hosts: the inventory, and options as an operator gave them.
    """

    run: str
    words: tuple[str, ...]
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Hosts that are to be taken up again: all that failed, those of one cause, or one of them."""

    hosts: tuple[str, ...]
    cause: str = ""
    host: str = ""

    @property
    def options(self) -> Iterator[str]:
        """The same for the command."""
        yield "--failed"
        if self.cause:
            yield f"--cause={self.cause}"
        if self.host:
            yield f"--limit={self.host}"

    @property
    def mark(self) -> str:
        """Another one for other hosts, so that no more is begun than was confirmed."""
        return hashlib.sha256("\n".join(sorted(self.hosts)).encode()).hexdigest()[:16]

    def by_state(self, view: RunView) -> Mapping[str, int]:
        """How many of them ended how."""
        return Counter(view.rows[name].state(at_work=False) for name in self.hosts if name in view.rows)

    def by_cause(self, view: RunView) -> Mapping[str, int]:
        """How many of them failed of each cause; a host may be of several. Of none is under an empty name."""
        found = {slug: len(of.intersection(self.hosts)) for slug, of in view.of_cause.items()}
        found[""] = len(set(self.hosts).difference(*view.of_cause.values()))
        return {slug: count for slug, count in found.items() if count}


def chosen(run: RunFolder, view: RunView, given: Mapping[str, str]) -> Chosen:
    """The hosts that a page asks for, by the command's own rule. A cause that the run has not is none.

    Raises:
        BlockedError: none of them failed.
        UnknownNameError: none failed of that cause.
    """
    host, cause = given.get("host", ""), given.get("cause", "")
    cause = cause if cause in view.of_cause and not host else ""
    failed = tuple(map(one_line, failed_hosts(run, cause)))
    if host and host not in failed:
        raise BlockedError(
            "that server did not fail, or was taken up again meanwhile", hint="Its page shows how it stands."
        )
    return Chosen((host,) if host else failed, cause, host)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A retry that was begun here.

    Attributes:
        code: its exit code; None while it goes on.
        printed: the last that it printed, once it has ended.
    """

    began: datetime
    hosts: int
    code: int | None = None
    printed: str = ""


class Retrying:
    """The retries of one server.

    Attributes:
        last: the newest; None where none was begun.
    """

    def __init__(self, command: Command | None = None) -> None:
        self._command = command
        self.last: Attempt | None = None

    @property
    def run(self) -> str:
        """The run whose hosts can be taken up here; empty where none can."""
        return self._command.run if self._command else ""

    @property
    def is_under_way(self) -> bool:
        """Whether one goes on."""
        return self.last is not None and self.last.code is None

    def of(self, view: RunView) -> Attempt | None:
        """The newest retry of that run."""
        return self.last if view.id == self.run else None

    def begin(self, run: RunFolder, which: Chosen) -> None:
        """Begin one; it is for the caller that none is under way, and that the run is the command's.

        Raises:
            FileInputError: the run's folder cannot be written, or no process can be made.
        """
        assert self._command is not None  # noqa: S101  # see above
        words = [*self._command.words, *which.options, *self._command.given]
        began = now()
        with naming(run.retries, "cannot be written"):
            descriptor = os.open(run.retries, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as printed:
            printed.write(f"# {to_text(began)} {' '.join(which.options)}\n".encode())
            begins = printed.seek(0, os.SEEK_END)
            with naming(Path(sys.executable), "cannot be begun"):
                # In a session of its own, so that the terminal's Ctrl-C, which ends the page, is not for it.
                process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
                    env=os.environ | _PRINTS, start_new_session=True, creationflags=_OWN_GROUP,
                )  # fmt: skip
        self.last = attempt = Attempt(began, len(which.hosts))

        def see_end() -> None:
            code = process.wait()
            self.last = replace(attempt, code=code, printed=_end_of(run.retries, begins))

        # Not awaited: asyncio ends its processes with the loop, and waits for its threads.
        threading.Thread(target=see_end, daemon=True).start()


def _end_of(path: Path, begins: int) -> str:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(begins, size - _PRINTED))
            return clean(stream.read(_PRINTED)).strip()
    except OSError:
        return ""
