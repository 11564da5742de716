"""A watch that runs by itself: a unit of systemd's, or a scheduled task of Windows'.

The directives are those of systemd.exec(5) and systemd.service(5) of systemd 252; the oldest that knows all
of them is 247. Memory that is writable and executable is not denied: pyOpenSSL's callbacks want it.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from xml.sax.saxutils import escape

from arcferry.errors import InputError
from arcferry.export.task import NAMESPACE, template
from arcferry.files import is_held, naming, write_whole
from arcferry.text import fill, quoted

MARK = "# Written by arcferry watch install."
_BARE = re.compile(r"[\w./:@=+,%-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}\$?")
_HOMES = tuple(map(PurePath, ("/home", "/root", "/run/user")))


@dataclass(frozen=True, slots=True)
class WatchService:
    """A watch as a service.

    Attributes:
        name: of the unit, the task, and the folder of its history.
        location: the region that it watches.
        program: what runs arcferry.
        words: what `arcferry` is told, without `--state`.
        run_as: the user that it runs as; one of its own where empty.
        data: the folder with held data; the service's own user has none.
        credentials: files that only it may read, by the name that the words call each by.
        writable: folders that it writes into besides its own.
        needs: files and folders that it must be able to read.
    """

    name: str
    location: str
    program: Sequence[str]
    words: Sequence[str]
    run_as: str = ""
    data: Path | None = None
    credentials: Mapping[str, Path] = field(default_factory=dict)
    writable: Sequence[Path] = ()
    needs: Sequence[Path] = ()

    @property
    def in_homes(self) -> list[Path]:
        """What of its needs lies in somebody's home."""
        needs = {*self.needs, *self.writable, *([self.data] if self.data else [])}
        return sorted(path for path in needs if any(path.is_relative_to(home) for home in _HOMES))


def credential(name: str) -> str:
    """How the words of a unit call a file that only its service may read."""
    return f"${{CREDENTIALS_DIRECTORY}}/{name}"


def unit(service: WatchService) -> str:
    """The unit, which may do nothing but ask the network and write its history.

    Raises:
        InputError: a word cannot stand in a unit, there can be no such user, or what is needed lies where
            the service may not look.
    """
    if service.run_as and not _USER.fullmatch(service.run_as):
        raise InputError(f"{quoted(service.run_as)} is no name of a user", hint="Give --run-as NAME.")
    homes = service.in_homes
    if homes and not service.run_as:
        raise InputError(
            f"{homes[0]} lies in a home, into which a user of the service's own cannot look",
            hint="Move it, such as to /opt or /etc, or give --run-as the user whose home it is.",
        )
    settings = [f"Environment={_word(f'ARCFERRY_DATA={service.data}')}"] if service.data else []
    settings += [f"LoadCredential={name}:{_doubled(str(path))}" for name, path in service.credentials.items()]
    settings += [f"ReadWritePaths={_word(str(path))}" for path in service.writable]
    values = {
        "location": service.location,
        "name": service.name,
        "command": " ".join(map(_argument, (*service.program, *service.words))),
        "account": f"User={service.run_as}" if service.run_as else "DynamicUser=yes",
        "state": f'"ARCFERRY_STATE=%S/{service.name}"',
        "settings": "".join(f"{line}\n" for line in settings),
        "home": "read-only" if homes else "yes",
    }
    return fill(template("watch.service"), values) + "\n"


def task(service: WatchService, state: str) -> bytes:
    """The task in the Task Scheduler's own schema, as LOCAL SERVICE: `schtasks /create /xml` takes UTF-16.

    Args:
        service: the watch.
        state: the folder of its history.

    Raises:
        InputError: a word cannot stand in a task.
    """
    if service.run_as:
        hint = "Leave --run-as out; who runs a task can be changed in the Task Scheduler."
        raise InputError("a task is written for LOCAL SERVICE alone", hint=hint)
    program, *first = service.program
    words = list(map(_of_task, (*first, *service.words, "--state", state)))
    values = {
        "namespace": f' xmlns="{NAMESPACE}"',
        "location": escape(service.location),
        "program": escape(_of_task(program)),
        "arguments": escape(subprocess.list2cmdline(words)),
    }
    return f"<?xml version='1.0' encoding='utf-16'?>\n{fill(template('watch.xml'), values)}".encode("utf-16")


def write_unit(path: Path, text: str) -> None:
    """Write a unit; a file of somebody else's stays.

    Raises:
        InputError: there is a unit by that name that arcferry has not written.
        FileInputError: it cannot be written.
    """
    if path.exists() and not is_ours(path):
        raise InputError(f"{path} is not arcferry's", hint="Move it away, or write elsewhere with --out.")
    write_whole(path, text.encode())


def remove_unit(path: Path, state: Path) -> None:
    """Remove a unit of arcferry's that does not run; its history stays.

    Args:
        path: the unit.
        state: the folder of its history.

    Raises:
        InputError: it is somebody else's, or runs.
        FileInputError: it is missing, or cannot be removed.
    """
    with naming(path):
        if not is_ours(path):
            raise InputError(f"{path} is not arcferry's", hint="Look at it, and remove it by hand.")
    if runs(state):
        raise InputError(
            f"{path.stem} is running", hint=f"Stop it first: systemctl disable --now {path.stem}"
        )
    with naming(path, "cannot be removed"):
        path.unlink()


def runs(state: Path) -> bool:
    """Whether a watch takes rounds whose history lies in this state folder."""
    return any(is_held(lock.parent, lock.name) for lock in (state / "watch").glob("*.lock"))


def is_ours(path: Path) -> bool:
    """Whether arcferry has written this unit."""
    with path.open("rb") as stream:
        return stream.read(len(MARK)) == MARK.encode()


def _argument(word: str) -> str:
    """A word of ExecStart, in which systemd puts in variables too; its own credentials are meant to be."""
    if word.startswith(f"file:{credential('')}"):
        return word
    return _word(word.replace("$", "$$"))


def _word(text: str) -> str:
    """One word as systemd.syntax(7) reads it."""
    text = _doubled(text)
    if _BARE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _doubled(text: str) -> str:
    """Text in a unit, with each percent sign meant as one."""
    return _checked(text).replace("%", "%%")


def _checked(text: str) -> str:
    if _CONTROL.search(text):
        raise InputError(f"{quoted(text)} holds what cannot stand in a service", hint="Rename it.")
    return text


def _of_task(text: str) -> str:
    """A word of a task, in which a percent sign would name a variable."""
    if "%" in text:
        raise InputError(
            f"{quoted(text)} holds a percent sign, which a task has no way to write", hint="Rename it."
        )
    return _checked(text)
