"""The store of a watch: one SQLite file a location, bounded however long it runs."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from arcferry.catalog import Cloud, Region
from arcferry.errors import FileInputError, InputError
from arcferry.evidence.case import Document, Kind
from arcferry.files import make_private
from arcferry.probe.observation import Attempt, DnsAnswer, Failure, Stage
from arcferry.watch.changes import ORIGIN, Round

KEPT = timedelta(days=90)
SHORTEST_GAP = timedelta(minutes=1)
"""A shorter time without a round is no gap: a round with timeouts alone takes seconds."""
GAP_INTERVALS = 3
"""A watch without a round for so many of its intervals is late, or has stopped."""
_SCHEMA = 1
_MOST_ROWS = 200_000
"""Of each table. Entra rotates its addresses from round to round, so that spans of it hardly ever grow."""
_BUSY_SECONDS = 10.0
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY, host TEXT NOT NULL, resolver TEXT NOT NULL, answer TEXT NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL, rounds INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS answers_of ON answers (host, resolver, id);
CREATE TABLE IF NOT EXISTS reach (
    id INTEGER PRIMARY KEY, host TEXT NOT NULL, says TEXT NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL, rounds INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS reach_of ON reach (host, id);
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY, last REAL NOT NULL, level TEXT NOT NULL, host TEXT NOT NULL,
    says TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """One answer of one resolver for one name, while it stayed the same.

    Attributes:
        addresses: sorted; none where there was no address.
        says: the failure's kind where there was no address, such as `nxdomain`.
        first: the first round that saw it.
        last: the last one; the answer may have changed anywhere up to the next round.
        rounds: how many rounds saw it.
    """

    host: str
    resolver: str
    chain: tuple[str, ...]
    addresses: tuple[str, ...]
    says: str
    first: datetime
    last: datetime
    rounds: int

    @property
    def answer(self) -> DnsAnswer:
        """The answer as evidence, as of the last round that saw it."""
        return DnsAnswer(self.host, self.chain, self.addresses, self.resolver, self.says, ORIGIN, self.last)


@dataclass(frozen=True, slots=True)
class ReachSpan:
    """Whether one endpoint was reached, while that stayed the same.

    Attributes:
        says: empty where it was reached, else step and kind, such as `tcp timeout`.
    """

    host: str
    says: str
    first: datetime
    last: datetime
    rounds: int

    @property
    def reached(self) -> bool:
        """Whether the endpoint answered."""
        return not self.says

    @property
    def attempt(self) -> Attempt:
        """The same as evidence, as of the last round that saw it."""
        stage, _, kind = self.says.partition(" ")
        failure = Failure(Stage(stage), kind, self.says) if stage in list(Stage) else None
        return Attempt(self.host, ORIGIN, self.reached, self.last, failure=failure)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a history holds of a time, the oldest first.

    Attributes:
        notices: instant, level, host and text of what was told at the time.
    """

    answers: tuple[AnswerSpan, ...]
    reach: tuple[ReachSpan, ...]
    notices: tuple[tuple[datetime, str, str, str], ...]

    @property
    def first(self) -> datetime | None:
        """The oldest round."""
        return min((span.first for span in self.reach), default=None)

    @property
    def interval(self) -> timedelta:
        """How far apart its rounds were, on average; zero where there were too few to tell."""
        steps = sum(span.rounds - 1 for span in self.reach)
        whole = sum((span.last - span.first for span in self.reach), timedelta())
        return whole / steps if steps else timedelta()

    @property
    def last(self) -> datetime | None:
        """The newest round."""
        return max((span.last for span in self.reach), default=None)

    def document(self, until: datetime | None = None) -> Document:
        """What stood at an instant, as evidence; at the last round where none is given."""
        then = until or self.last
        answers = {(one.host, one.resolver): one for one in self.answers if then and one.first <= then}
        reach = {one.host: one for one in self.reach if then and one.host and one.first <= then}
        return Document(
            ORIGIN,
            Kind.WATCH_HISTORY,
            then,
            attempts=tuple(replace(one.attempt, taken=then) for one in reach.values()),
            answers=tuple(replace(one.answer, taken=then) for one in answers.values()),
        )


def history_path(folder: Path, cloud: Cloud, region: Region, site: str = "") -> Path:
    """The file of one location in a state folder; each site that it is watched from has its own."""
    of_site = f".{site}" if site else ""
    return folder / "watch" / f"{cloud.name}-{region.name}{of_site}.sqlite"


def histories(folder: Path, cloud: Cloud, region: Region) -> dict[str, Path]:
    """What was watched of a location so far, by site; the one without a site first, under no name."""
    alone = history_path(folder, cloud, region)
    of_sites = sorted(alone.parent.glob(f"{alone.stem}.*.sqlite"))
    found = {path.stem.partition(".")[2]: path for path in of_sites}
    return ({"": alone} if alone.is_file() else {}) | found


class History:
    """What was seen over time.

    A round that shows what the round before showed lengthens spans; only a change adds rows. Nothing older
    than `KEPT` periods, and of each table no more than the newest 200,000 rows, so that the file periods
    below some 50 MB.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, existing: bool = False) -> Iterator[Self]:
        """The history in this file, made where it is missing unless `existing`.

        Raises:
            FileInputError: the file cannot be read or made, or is no history.
            InputError: there is none, and `existing` was asked for.
        """
        if existing and not path.is_file():
            raise InputError(
                f"nothing was watched yet: {path} does not exist",
                hint="Start with arcferry watch --location REGION.",
            )
        make_private(path.parent)
        with _mapped(path):
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
            try:
                _set_up(path, connection)
                yield cls(path, connection)
            finally:
                connection.close()

    def record(self, seen: Round, notices: Iterable[tuple[str, str, str]], *, longest_gap: timedelta) -> None:
        """Keep one round and what was told of it (level, host, text), whole or not at all.

        A time without a round that is longer than the gap begins new spans, since nobody looked.

        Raises:
            FileInputError: the disk is full, or the file cannot be written.
        """
        now, since = _stamp(seen.taken), _stamp(seen.taken - longest_gap)
        with _mapped(self.path), self._connection as write:
            for answer in seen.answers:
                key = {"host": answer.host, "resolver": answer.resolver}
                kept = [list(answer.chain), sorted(answer.addresses), answer.rcode]
                text = json.dumps(kept, separators=(",", ":"))
                _lengthen_or_add(write, "answers", key | {"answer": text}, now, since)
            for one in seen.observations:
                says = f"{one.failure.stage} {one.failure.kind}" if one.failure else ""
                _lengthen_or_add(write, "reach", {"host": one.endpoint.host, "says": says}, now, since)
            _add_notices(write, now, notices)

    def note(self, taken: datetime, notices: Iterable[tuple[str, str, str]]) -> None:
        """Keep what was told beside a round (level, host, text), such as that somebody could not be told.

        Raises:
            FileInputError: the disk is full, or the file cannot be written.
        """
        with _mapped(self.path), self._connection as write:
            _add_notices(write, _stamp(taken), notices)

    def prune(self, now: datetime) -> None:
        """Drop what is older than `KEPT`, and the oldest rows where there are too many.

        Raises:
            FileInputError: the file cannot be written.
        """
        with _mapped(self.path), self._connection as write:
            for table in ("answers", "reach", "notices"):
                write.execute(f"DELETE FROM {table} WHERE last < ?", (_stamp(now - KEPT),))  # noqa: S608 - names of our own
                write.execute(
                    f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?",  # noqa: S608 - same
                    (_MOST_ROWS,),
                )

    def read(self, since: datetime | None = None) -> Record:
        """Every span that reaches into the time since an instant, the oldest first.

        Raises:
            FileInputError: the file cannot be read.
        """
        with _mapped(self.path):
            return Record(
                tuple(map(_answer_span, self._rows("answers", since))),
                tuple(map(_reach_span, self._rows("reach", since))),
                tuple(
                    (_instant(last), level, host, says)
                    for _, last, level, host, says in self._rows("notices", since)
                ),
            )

    def newest(self) -> Record:
        """The newest span of every name and resolver, as of the last round.

        Raises:
            FileInputError: the file cannot be read.
        """
        with _mapped(self.path):
            answers = self._connection.execute(
                "SELECT * FROM answers WHERE id IN (SELECT max(id) FROM answers GROUP BY host, resolver)"
            )
            reach = self._connection.execute(
                "SELECT * FROM reach WHERE id IN (SELECT max(id) FROM reach GROUP BY host)"
            )
            return Record(tuple(map(_answer_span, answers)), tuple(map(_reach_span, reach)), ())

    def _rows(self, table: str, since: datetime | None) -> Iterable[Any]:
        after = _stamp(since) if since else 0
        return self._connection.execute(
            f"SELECT * FROM {table} WHERE last >= ? ORDER BY id",  # noqa: S608 - names of our own
            (after,),
        )


def _set_up(path: Path, connection: sqlite3.Connection) -> None:
    # Set before the first table exists; later it would need a VACUUM to take effect.
    connection.execute("PRAGMA auto_vacuum = FULL")
    connection.execute("PRAGMA journal_mode = WAL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _SCHEMA):
        raise FileInputError(path, "was written by another version of arcferry")
    connection.executescript(_TABLES)
    connection.execute(f"PRAGMA user_version = {_SCHEMA}")


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise FileInputError(path, f"the history cannot be used: {error}") from error


def _add_notices(write: sqlite3.Connection, now: float, notices: Iterable[tuple[str, str, str]]) -> None:
    write.executemany(
        "INSERT INTO notices (last, level, host, says) VALUES (?, ?, ?, ?)",
        [(now, level, host, says) for level, host, says in notices],
    )


def _lengthen_or_add(
    write: sqlite3.Connection, table: str, row: dict[str, str], now: float, since: float
) -> None:
    """Lengthen the newest span of this row's key where it says the same and is recent; else begin another.

    The last column of `row` is what a span says, those before it are its key.
    """
    *key, said = row
    where = " AND ".join(f"{name} = ?" for name in key)
    newest = write.execute(
        f"SELECT id, {said}, last FROM {table} WHERE {where} ORDER BY id DESC LIMIT 1",  # noqa: S608 - names of our own
        [row[name] for name in key],
    ).fetchone()
    if newest and newest[1] == row[said] and newest[2] >= since:
        write.execute(f"UPDATE {table} SET last = ?, rounds = rounds + 1 WHERE id = ?", (now, newest[0]))  # noqa: S608 - same
        return
    write.execute(
        f"INSERT INTO {table} ({', '.join(row)}, first, last, rounds) "  # noqa: S608 - same
        f"VALUES ({', '.join('?' * len(row))}, ?, ?, 1)",
        [*row.values(), now, now],
    )


def _answer_span(row: tuple[int, str, str, str, float, float, int]) -> AnswerSpan:
    _, host, resolver, answer, first, last, rounds = row
    chain, addresses, says = json.loads(answer)
    return AnswerSpan(
        host, resolver, tuple(chain), tuple(addresses), says, _instant(first), _instant(last), rounds
    )


def _reach_span(row: tuple[int, str, str, float, float, int]) -> ReachSpan:
    _, host, says, first, last, rounds = row
    return ReachSpan(host, says, _instant(first), _instant(last), rounds)


def _stamp(instant: datetime) -> float:
    """With its fraction, so that of two rounds within a second one is the earlier."""
    return instant.timestamp()


def _instant(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
