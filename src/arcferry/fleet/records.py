"""Durable steps: DBOS on SQLite, set up so that it serves one run in one folder and nothing else."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, Serializer, SetWorkflowID
from dbos._error import DBOSException
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

from arcferry.errors import FileInputError
from arcferry.files import ROOM, disk_of
from arcferry.fleet.run_folder import RunFolder
from arcferry.redaction import mask
from arcferry.text import one_line

QUEUE = "hosts"
_WORKFLOW = "host"
_VERSION = "arcferry-run-1"
"""Fixed; raised only when the steps change incompatibly. DBOS leaves work of another version alone."""

_EXECUTOR = "arcferry"
_ACTIVE = ["ENQUEUED", "PENDING"]
_LOGGERS = {
    "dbos": logging.INFO,
    "arcferry": logging.INFO,
    "azure": logging.WARNING,
    "asyncssh": logging.WARNING,
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
}

Json = dict[str, Any]
HostWork = Callable[[str, int, Json], Awaitable[Json]]

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


class JsonSerializer(Serializer):
    """Plain JSON in place of pickle: what is recorded can be read, searched, and never run."""

    def serialize(self, data: Any) -> str:  # noqa: ANN401  # the base class's own signature
        """JSON text; an unforeseen exception is kept as one line."""
        return json.dumps(data, default=_stand_in, ensure_ascii=False)

    def deserialize(self, serialized_data: str) -> Any:  # noqa: ANN401  # the base class's own signature
        """The value that was recorded."""
        value = json.loads(serialized_data)
        if isinstance(value, dict) and value.keys() == {"exception"}:
            return RuntimeError(str(value["exception"]))
        return value

    def name(self) -> str:
        """As it is recorded beside each value."""
        return "arcferry_json"


def _stand_in(value: object) -> object:
    if isinstance(value, BaseException):
        return {"exception": one_line(mask(f"{type(value).__name__}: {value}"))}
    raise TypeError(f"{type(value).__name__} cannot be recorded")


@dataclass(frozen=True, slots=True)
class RecordedAttempt:
    """One attempt of one host, as recorded.

    Attributes:
        active: whether it has not ended; it goes on by itself.
        result: what the host's work returned, None while active or where it ended in an error.
    """

    host: str
    attempt: int
    active: bool
    given: Json
    result: Json | None


class RunRecords:
    """The records of one run. Made by `open_records`."""

    def __init__(self, run: RunFolder, work: HostWork) -> None:
        self._run = run

        async def host(name: str, attempt: int, given: Json) -> Json:
            return await work(name, attempt, given)

        self._workflow = DBOS.workflow(name=_WORKFLOW)(host)

    async def attempts(self) -> dict[str, RecordedAttempt]:
        """The latest attempt of each host that has one, by the host's name."""
        latest: dict[str, RecordedAttempt] = {}
        with _translated(self._run):
            listed = await DBOS.list_workflows_async(name=_WORKFLOW)
        for status in listed:
            _, host, number = status.workflow_id.rsplit("/", 2)
            if host in latest and latest[host].attempt > int(number):
                continue
            given = status.input["args"][2] if status.input else {}
            output = status.output if status.status == "SUCCESS" else None
            active = status.status in _ACTIVE
            latest[host] = RecordedAttempt(host, int(number), active, given, output)
        return latest

    async def steps(self, host: str, attempt: int) -> list[tuple[str, Json]]:
        """The recorded steps of an attempt, in their order."""
        with _translated(self._run):
            found = await DBOS.list_workflow_steps_async(self._id(host, attempt))
        return [(step["function_name"], step["output"] or {}) for step in found]

    async def enqueue(self, host: str, attempt: int, given: Json) -> None:
        """Let a host's work begin when its turn comes; a host and attempt that are known change nothing."""
        with _translated(self._run), SetWorkflowID(self._id(host, attempt)):
            await DBOS.enqueue_workflow_async(QUEUE, self._workflow, host, attempt, given)

    async def active(self) -> set[str]:
        """The hosts whose latest attempt has not ended."""
        with _translated(self._run):
            found = await DBOS.list_workflows_async(
                name=_WORKFLOW, status=list(_ACTIVE), load_input=False, load_output=False
            )
        return {status.workflow_id.rsplit("/", 2)[1] for status in found}

    def _id(self, host: str, attempt: int) -> str:
        return f"{self._run.id}/{host}/{attempt}"


async def recorded_step(name: str, action: Callable[[], Awaitable[Json]]) -> Json:
    """What is recorded for a step of the current host, or what `action` gives, recorded now."""

    async def perform() -> Json:  # DBOS asks whether it is a coroutine function, which a partial is not
        return await action()

    return await DBOS.run_step_async({"name": name}, perform)


def steps_so_far(run: RunFolder, host: str) -> tuple[int, list[Json]]:
    """The number of a host's latest attempt and its steps, also while another process works on the run.

    The number is 0 where nothing is recorded of it.

    Raises:
        FileInputError: the records cannot be read.
    """
    if not run.database.is_file():
        return 0, []
    with _translated(run):
        client = DBOSClient(
            system_database_url=f"sqlite:///{run.database}",
            serializer=JsonSerializer(),
            retry_connection_errors=False,
        )
        try:
            found = client.list_workflows(workflow_id_prefix=f"{run.id}/{host}/")
            numbers = {int(one.workflow_id.rpartition("/")[2]): one for one in found}
            if not numbers:
                return 0, []
            last = numbers[max(numbers)]
            if last.status == "SUCCESS" and last.output:
                return max(numbers), last.output["steps"]
            steps = client.list_workflow_steps(last.workflow_id)
        finally:
            client.destroy()
    return max(numbers), [step["output"] for step in steps if step["output"]]


@contextmanager
def _translated(run: RunFolder) -> Iterator[None]:
    """The one place where DBOS's and the database's exceptions become arcferry's."""
    try:
        yield
    except (SQLAlchemyError, DBOSException, sqlite3.Error) as error:
        raise _unusable(run, getattr(error, "orig", None) or error) from None


@contextmanager
def _failures_told(run: RunFolder, tell: Callable[[FileInputError], None]) -> Iterator[None]:
    """Call `tell` in the running loop whenever a statement fails for good on a database of this process.

    DBOS logs what its own threads meet and tries again for ever; a run must end and say which disk it is.
    """
    loop = asyncio.get_running_loop()

    def see(context: ExceptionContext) -> None:
        error = context.original_exception
        if _sqlite_code(error) in _LASTING and not loop.is_closed():
            loop.call_soon_threadsafe(tell, _unusable(run, error))

    event.listen(Engine, "handle_error", see)
    try:
        yield
    finally:
        event.remove(Engine, "handle_error", see)


def _unusable(run: RunFolder, error: BaseException) -> FileInputError:
    """The error for records that cannot be read or written; a full disk is named by where it is mounted."""
    if _sqlite_code(error) in _FULL:
        return FileInputError(run.database, f"the disk at {disk_of(run.database)} is full", hint=ROOM)
    return FileInputError(
        run.database,
        f"the record of steps cannot be used: {one_line(str(error))}",
        hint="Make room or give access, then apply again. Where it is damaged, move the run's folder "
        "away: hosts and Azure still say what is done.",
    )


def _sqlite_code(error: BaseException) -> int:
    """SQLite's own primary code; 0 where the error is not SQLite's."""
    found = getattr(error, "sqlite_errorcode", 0)
    return found & 0xFF if isinstance(found, int) else 0


@asynccontextmanager
async def open_records(
    run: RunFolder, work: HostWork, *, concurrency: int, lost: Callable[[FileInputError], None]
) -> AsyncIterator[RunRecords]:
    """Open a run's records. What an earlier process left unfinished begins to go on at once.

    Args:
        run: whose records.
        work: the work on one host.
        concurrency: hosts worked on at one time.
        lost: called in the loop where the records can no longer be kept.

    Raises:
        FileInputError: the records cannot be opened.
    """
    config: DBOSConfig = {
        "name": "arcferry",
        "system_database_url": f"sqlite:///{run.database}",
        "application_version": _VERSION,
        "executor_id": _EXECUTOR,
        "serializer": JsonSerializer(),
        "enable_otlp": False,
        "log_level": "INFO",
        "max_executor_threads": 32,
        "notification_listener_polling_interval_sec": 0.2,
    }
    # DBOS would log to the screen where its logger has no handler: `logged` gives it one.
    DBOS(config=config)
    records = RunRecords(run, work)  # before anything is recovered
    try:
        with _failures_told(run, lost):
            with _translated(run):
                DBOS.launch()
                await DBOS.register_queue_async(
                    QUEUE,
                    worker_concurrency=concurrency,
                    polling_interval_sec=0.1,
                    on_conflict="always_update",
                )
            yield records
    finally:
        # In a thread of its own: DBOS's threads may hand work to this loop until they are stopped.
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as pool:
            await loop.run_in_executor(pool, partial(DBOS.destroy, destroy_registry=True))
        # DBOS had made its own pool, which is gone now, the loop's default.
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="arcferry"))


class _Log(logging.FileHandler):
    """A log that is done without where its disk is full: what is amiss is told by the records' own error."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the base class's own name
        """Nothing: the base class would print a traceback a line."""

    def close(self) -> None:
        """As the base class does, but for what it could not write."""
        with suppress(OSError):
            super().close()


class _Masked(logging.Formatter):
    """Libraries log what hosts and services said, in words that nobody chose."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


@contextmanager
def logged(run: RunFolder) -> Iterator[None]:
    """Send what the libraries log into the run's folder; it does not belong on the operator's screen."""
    handler = _Log(run.log, encoding="utf-8", delay=True)
    handler.setFormatter(_Masked("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    before = []
    for name, level in _LOGGERS.items():
        logger = logging.getLogger(name)
        before.append((logger, logger.level, logger.propagate, logger.handlers))
        logger.setLevel(level)
        logger.propagate, logger.handlers = False, [handler]
    try:
        yield
    finally:
        for logger, level, propagate, handlers in before:
            logger.setLevel(level)
            logger.propagate, logger.handlers = propagate, handlers
        handler.close()
