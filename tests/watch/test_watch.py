"""A watch on the twin: rounds, what they change, the history, restarts."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.diagnosis.finding import Severity
from arcferry.errors import ArcferryError, FileInputError, InputError
from arcferry.evidence.case import Case
from arcferry.evidence.reading import read_document
from arcferry.probe.observation import DnsAnswer
from arcferry.probe.step import ProbeSettings
from arcferry.watch import history as history_module
from arcferry.watch.changes import Level, Notice, Round, take_round
from arcferry.watch.history import History, histories, history_path
from arcferry.watch.watcher import Vantage, watch
from arcferry_lab.network.dns import DnsResponse, DnsServer
from arcferry_lab.twin import STORY_NAME, Twin

CLOUD = catalog.cloud("AzureCloud")
REGION = catalog.region("eastasia", CLOUD)


def _settings(twin: Twin) -> ProbeSettings:
    return ProbeSettings(resolver=twin.network.resolver, ca_file=twin.paths.ca, port=twin.network.port)


def _evidence(twin: Twin) -> Callable[[], Case]:
    paths = (twin.paths.service_tags, twin.paths.communities, twin.paths.route_filter)
    return lambda: Case.of(one for path in paths for one in read_document(path.name, path.read_bytes()))


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History.open(tmp_path / "watch" / "one.sqlite") as opened:
        yield opened


class Told:
    """Everything a watch told, and a way to change the twin between rounds."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, Level, str]] = []
        self.rounds: list[Round] = []

    def __call__(self, seen: Round, notices: Sequence[Notice]) -> None:
        self.rounds.append(seen)
        self.notices += [(one.host, one.level, one.says) for one in notices]

    def take(self) -> list[tuple[str, Level, str]]:
        taken, self.notices = self.notices, []
        return taken


def _vantage(twin: Twin, history: History, besides: Sequence[str] = (), site: str = "") -> Vantage:
    look = partial(take_round, CLOUD, REGION, _settings(twin), besides=besides, site=site)
    return Vantage(look, history)


async def _round(twin: Twin, history: History, told: Told, besides: Sequence[str] = ()) -> bool:
    return await watch(
        [_vantage(twin, history, besides)],
        evidence=_evidence(twin),
        tell=told,
        every=timedelta(seconds=60),
        rounds=1,
    )


@pytest.mark.lab
async def test_the_story_is_told_as_it_happens(twin: Twin, history: History) -> None:
    told = Told()
    await twin.steer(STORY_NAME, "eastasia")
    assert await _round(twin, history, told)
    assert told.take() == []

    await twin.steer(STORY_NAME, "japaneast")
    assert not await _round(twin, history, told)
    moved = told.take()
    assert {host for host, _, _ in moved} == {STORY_NAME}
    assert {level for _, level, _ in moved} == {Level.FAIL}
    assert any("Japan East" in says and "12076:51012" in says for _, _, says in moved)
    assert any("not reached" in says for _, _, says in moved)

    assert not await _round(twin, history, told)
    assert told.take() == [], "what has not changed is not told again, also not by a watch that began anew"

    await twin.allow("12076:51010", "12076:5060", "12076:5070", "12076:51012")
    assert await _round(twin, history, told)
    assert told.take() == [(STORY_NAME, Level.OK, "reached again")]
    spans = [span for span in history.read().answers if span.host == STORY_NAME]
    assert [span.rounds for span in spans] == [1, 3]


@pytest.mark.lab
async def test_another_resolver_warns_before_the_own_one_follows(twin: Twin, history: History) -> None:
    await twin.steer(STORY_NAME, "eastasia")
    japan = next(
        row["properties"]["addressPrefixes"][0]
        for row in twin.network.service_tags()["values"]
        if row["name"] == "AzureArcInfrastructure.JapanEast"
    )
    address = f"{japan.partition('/')[0].rpartition('.')[0]}.3"
    elsewhere = DnsServer(lambda name: DnsResponse((), (address,)) if name == STORY_NAME else DnsResponse())
    port = await elsewhere.start()
    told = Told()
    try:
        assert await _round(twin, history, told, besides=[f"127.0.0.1:{port}"])
    finally:
        await elsewhere.stop()
    warned = [(level, says) for host, level, says in told.take() if host == STORY_NAME]
    assert len(warned) == 1
    level, says = warned[0]
    assert level is Level.WARN
    assert "12076:51012" in says
    assert "may follow" in says


@pytest.mark.lab
async def test_each_site_is_compared_with_itself_and_a_dead_resolver_stops_no_other(
    twin: Twin, history: History, tmp_path: Path
) -> None:
    """The resolver of one site gives no answer; the other's rounds are as if it were alone."""
    await twin.steer(STORY_NAME, "eastasia")
    silent = DnsServer(lambda _: DnsResponse(rcode="SERVFAIL"))
    port = await silent.start()
    dead = replace(_settings(twin), resolver=f"127.0.0.1:{port}")
    told = Told()
    try:
        with History.open(tmp_path / "watch" / "two.sqlite") as other:
            one = _vantage(twin, history, site="taipei")
            two = Vantage(partial(take_round, CLOUD, REGION, dead, site="kaohsiung"), other)
            every = timedelta(seconds=60)
            good = await watch([one, two], evidence=_evidence(twin), tell=told, every=every, rounds=1)
            assert all(span.reached for span in history.read().reach)
            assert not any(span.reached for span in other.read().reach)
    finally:
        await silent.stop()
    assert not good
    assert [seen.site for seen in told.rounds] == ["taipei", "kaohsiung"]
    here, there = (
        [one.cause for one in seen.diagnosis.findings if one.severity is Severity.ERROR]
        for seen in told.rounds
    )
    assert here == []
    assert there
    assert history.read().notices == ()


@pytest.mark.lab
async def test_a_broken_evidence_file_is_told_and_the_round_is_kept(twin: Twin, history: History) -> None:
    calls = iter([(), FileInputError("filter.json", "is cut short")])

    def evidence() -> Case:
        found = next(calls)
        if isinstance(found, ArcferryError):
            raise found
        return Case.of(found)

    told = Told()
    every = timedelta(seconds=60)
    await watch([_vantage(twin, history)], evidence=evidence, tell=told, every=every, rounds=1)
    assert ("", Level.FAIL, "cannot judge this round: filter.json: is cut short") in told.notices
    assert history.read().reach


@pytest.mark.lab
async def test_a_watch_that_is_cancelled_keeps_its_rounds(twin: Twin, history: History) -> None:
    first = asyncio.Event()

    def tell(_: Round, __: Sequence[Notice]) -> None:
        first.set()

    task = asyncio.create_task(
        watch(
            [_vantage(twin, history)],
            evidence=lambda: Case(()),
            tell=tell,
            every=timedelta(hours=1),
        )
    )
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(span.rounds == 1 for span in history.read().reach)


def _seen(at: datetime, host: str, address: str) -> Round:
    return Round(at, (), (DnsAnswer(host, (), (address,), "10.0.0.53", "", "test", at),), ("10.0.0.53",))


def test_a_long_silence_begins_a_new_span(history: History) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    gap = timedelta(minutes=15)
    for minutes in (0, 5, 10, 60, 65):
        history.record(
            _seen(start + timedelta(minutes=minutes), "a.example", "10.0.0.1"), (), longest_gap=gap
        )
    assert [(span.rounds, span.last - span.first) for span in history.read().answers] == [
        (3, timedelta(minutes=10)),
        (2, timedelta(minutes=5)),
    ]


def test_of_two_rounds_within_a_second_the_earlier_one_stays_known(history: History) -> None:
    first = datetime(2026, 11, 24, 10, 0, 0, 200_000, tzinfo=UTC)
    for at, address in ((first, "20.43.64.1"), (first + timedelta(seconds=0.5), "20.195.83.1")):
        history.record(_seen(at, STORY_NAME, address), (), longest_gap=timedelta(minutes=15))
    (then,) = history.read().document(first).answers
    assert then.addresses == ("20.43.64.1",)


def test_a_history_stays_bounded(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "_MOST_ROWS", 50)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    gap = timedelta(days=1)
    for number in range(200):
        at = start + timedelta(days=number)
        history.record(
            _seen(at, "a.example", f"10.0.{number}.1"), [("warn", "a.example", "x")], longest_gap=gap
        )
    history.prune(at)
    record = history.read()
    assert len(record.answers) == len(record.notices) == 50
    assert record.answers[-1].addresses == ("10.0.199.1",)
    history.prune(start + timedelta(days=280))
    assert all(span.last >= start + timedelta(days=190) for span in history.read().answers)


def test_what_is_no_history_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "watch" / "x.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all, " * 100)
    with pytest.raises(FileInputError, match=r"x\.sqlite.*history cannot be used"), History.open(path):
        pass
    with pytest.raises(InputError, match="nothing was watched"):
        History.open(tmp_path / "none.sqlite", existing=True).__enter__()
    newer = tmp_path / "watch" / "newer.sqlite"
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(FileInputError, match="another version"), History.open(newer):
        pass


def test_a_full_disk_is_one_error_and_the_history_stays_whole(history: History) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    history.record(_seen(start, "a.example", "10.0.0.1"), (), longest_gap=timedelta(minutes=15))
    history._connection.execute("PRAGMA max_page_count = 1")
    pages = history._connection.execute("PRAGMA page_count").fetchone()[0]
    history._connection.execute(f"PRAGMA max_page_count = {pages}")
    many = [("warn", "a.example", "x" * 500)] * 2000
    with pytest.raises(FileInputError, match="full"):
        history.record(
            _seen(start + timedelta(minutes=5), "a.example", "10.0.0.2"),
            many,
            longest_gap=timedelta(minutes=15),
        )
    assert [span.addresses for span in history.read().answers] == [("10.0.0.1",)]
    assert history.read().notices == ()


def test_each_location_has_its_own_file(tmp_path: Path) -> None:
    assert history_path(tmp_path, CLOUD, REGION) != history_path(
        tmp_path, CLOUD, catalog.region("japaneast", CLOUD)
    )
    assert json.dumps(str(history_path(tmp_path, CLOUD, REGION)))


def test_each_site_has_its_own_file_beside_the_one_without(tmp_path: Path) -> None:
    japan = catalog.region("japaneast", CLOUD)
    paths = [history_path(tmp_path, CLOUD, REGION, site) for site in ("taipei", "高雄", "")]
    for path in (*paths, history_path(tmp_path, CLOUD, japan, "tokyo")):
        with History.open(path):
            pass
    assert list(histories(tmp_path, CLOUD, REGION).items()) == [
        ("", paths[2]),
        ("taipei", paths[0]),
        ("高雄", paths[1]),
    ]
