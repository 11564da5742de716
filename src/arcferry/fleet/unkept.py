"""Notices that the record of steps can no longer be kept, in whatever thread that shows.

DBOS logs what its own threads meet and tries again for ever; a run must end and say which disk it is.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from arcferry.errors import FileInputError
from arcferry.files import ROOM, disk_of
from arcferry.fleet.state import RunFolder
from arcferry.text import one_line

_FULL = {sqlite3.SQLITE_FULL}
_LASTING = _FULL | {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
}
"""What trying again does not mend. A locked database is waited for."""


@contextmanager
def noticed(run: RunFolder, tell: Callable[[FileInputError], None]) -> Iterator[None]:
    """Call `tell` in the running loop whenever a statement fails for good on a database of this process."""
    loop = asyncio.get_running_loop()

    def see(context: ExceptionContext) -> None:
        error = context.original_exception
        if _code(error) in _LASTING and not loop.is_closed():
            loop.call_soon_threadsafe(tell, unkept(run, error))

    event.listen(Engine, "handle_error", see)
    try:
        yield
    finally:
        event.remove(Engine, "handle_error", see)


def unkept(run: RunFolder, error: BaseException) -> FileInputError:
    """The error for records that cannot be read or written; a full disk is named by where it is mounted."""
    if _code(error) in _FULL:
        return FileInputError(run.database, f"the disk at {disk_of(run.database)} is full", hint=ROOM)
    return FileInputError(
        run.database,
        f"the record of steps cannot be used: {one_line(str(error))}",
        hint="Make room or give access, then apply again. Where it is damaged, move the run's folder "
        "away: hosts and Azure still say what is done.",
    )


def _code(error: BaseException) -> int:
    """SQLite's own primary code; 0 where the error is not SQLite's."""
    found = getattr(error, "sqlite_errorcode", 0)
    return found & 0xFF if isinstance(found, int) else 0
