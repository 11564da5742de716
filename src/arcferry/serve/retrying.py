"""Taking up failed hosts again from the page: the command itself as a process of its own, one at a time.

How it works stands in the run's journal, and how it ends in the run's folder; every page reads both.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from arcferry.errors import BlockedError
from arcferry.files import naming
from arcferry.fleet.failed import failed_hosts
from arcferry.fleet.run_folder import RunFolder
from arcferry.serve.listing import RunView
from arcferry.serve.overseen import BEGUN
from arcferry.text import one_line
from arcferry.times import now, to_text

# -P: no module of the folder that the page was begun in takes the place of arcferry's.
_OVERSEEN = (sys.executable, "-P", "-m", "arcferry.serve.overseen")
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


def begin(command: Command, run: RunFolder, which: Chosen) -> None:
    """Begin a retry of the command's run, and return once whoever reads the run's folder knows of it.

    Raises:
        BlockedError: it does not begin, as where another server's retry goes on.
        FileInputError: the run's folder cannot be written, or no process can be made.
    """
    began = to_text(now())
    with naming(run.retries, "cannot be written"):
        descriptor = os.open(run.retries, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as printed:
        printed.write(f"# {began} {' '.join(which.options)}\n".encode())
        record = {"began": began, "hosts": len(which.hosts), "begins": printed.seek(0, os.SEEK_END)}
        words = [
            *_OVERSEEN, str(run.path), json.dumps(record), *command.words, *which.options, *command.given,
        ]  # fmt: skip
        with naming(Path(sys.executable), "cannot be begun"):
            # In a session of its own, so that the terminal's Ctrl-C, which ends the page, is not for it.
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=printed,
                env=os.environ | _PRINTS, start_new_session=True, creationflags=_OWN_GROUP,
            )  # fmt: skip
    # Not awaited: asyncio ends its processes with the loop, and waits for its threads.
    threading.Thread(target=process.wait, daemon=True).start()
    assert process.stdout  # noqa: S101  # a pipe was asked for
    with process.stdout as told:
        if told.readline() != BEGUN:
            raise BlockedError("the retry did not begin", hint="retries.txt in the run's folder says why.")
