"""A retry's own process: it sees the command end, and keeps in the run's folder how.

It goes on where the page's server ends. Whoever serves the run later reads there how the newest retry stands.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arcferry.errors import ArcferryError, FileInputError
from arcferry.files import is_held, only_one, opened_own, write_whole
from arcferry.text import clean, from_json
from arcferry.times import from_text, to_text

if TYPE_CHECKING:  # what it imports takes seconds, which a retry would begin later
    from arcferry.fleet.run_folder import RunFolder

BEGUN = b"begun\n"
"""What it tells the page's server once it is known to whoever reads the folder."""

_SCHEMA = 1
_RECORD, _LOCK = "retry.json", "retry.lock"
_LIMIT = 4 * 1024
_MOST_PRINTED = 4000


@dataclass(frozen=True, slots=True)
class Attempt:
    """The newest retry of a run that a page began.

    Attributes:
        hosts: how many it was to take up.
        code: its exit code; None where it goes on, or its process was gone before it could be kept.
        printed: the last that it printed, once it does not go on.
    """

    began: str
    hosts: int
    goes_on: bool = False
    code: int | None = None
    printed: str = ""


def newest(run: "RunFolder") -> Attempt | None:
    """How the newest retry stands; None where a page never began one.

    Raises:
        FileInputError: its record cannot be read, or others could have written it.
    """
    path = run.path / _RECORD
    if not path.exists():
        return None
    # Before the record is read: the code is there before the lock is let go.
    held = is_held(run.path, _LOCK)
    with opened_own(path) as stream:
        text = stream.read(_LIMIT)
    try:
        given = from_json(text)
        began, hosts = to_text(from_text(str(given["began"]))), _whole(given["hosts"])
        code = None if given["code"] is None else _whole(given["code"])
        begins = _whole(given["begins"])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        raise FileInputError(path, "is not the record of a retry") from None
    if held and code is None:
        return Attempt(began, hosts, goes_on=True)
    return Attempt(began, hosts, code=code, printed=_end_of(run.retries, begins))


def _whole(value: object) -> int:
    """The same, if it is a whole number.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _end_of(path: Path, begins: int) -> str:
    with suppress(FileInputError, OSError, ValueError), opened_own(path) as stream:
        size = stream.seek(0, 2)
        stream.seek(max(begins, size - _MOST_PRINTED))
        return clean(stream.read(_MOST_PRINTED)).strip()
    return ""


def oversee(folder: Path, record: Mapping[str, object], command: Sequence[str]) -> None:
    """Run the command, which prints to this process's stderr, and keep how it ends.

    Args:
        folder: the run's.
        record: when it began, how many hosts it takes up, and where what it prints begins in its file.
        command: with its arguments.

    Raises:
        BlockedError: another retry of the run goes on.
        FileInputError: the run's folder cannot be written.
    """

    def keep(code: int | None) -> None:
        document = {"schema": _SCHEMA, "kind": "retry", **record, "code": code}
        write_whole(folder / _RECORD, json.dumps(document).encode(), mode=0o600)

    with only_one(folder, "retry", name=_LOCK, hint=""):
        keep(None)
        with suppress(OSError):  # the server may be gone by now
            sys.stdout.buffer.write(BEGUN)
            sys.stdout.buffer.flush()
        keep(subprocess.call(command, stdin=subprocess.DEVNULL, stdout=sys.stderr))


if __name__ == "__main__":
    try:
        oversee(Path(sys.argv[1]), from_json(sys.argv[2]), sys.argv[3:])
    except ArcferryError as error:
        sys.exit(error.message)
