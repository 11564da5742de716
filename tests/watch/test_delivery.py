"""Telling after a round: what is not taken waits, is tried again, and is told of once."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.watch.mail_server import MailServer

from arcferry.watch.changes import Level
from arcferry.watch.notifiers.delivery import Delivery, Told
from arcferry.watch.notifiers.message import Message
from arcferry.watch.notifiers.named import Besides, notifier

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
START = datetime(2026, 11, 29, 8, tzinfo=UTC)


def message(text: str) -> Message:
    return Message(Level.FAIL, text, text, {"says": text})


def told(minutes: float, *changes: str) -> Told:
    return Told(
        START + timedelta(minutes=minutes), [*map(message, changes)], [message("alive")], message("state\n")
    )


class Pager:
    """A program that notes what it gets, and does as its folder says."""

    def __init__(self, folder: Path, name: str = "page") -> None:
        self.folder = folder
        self.path = folder / name
        self.path.write_text(
            f'#!/bin/sh\n[ -e "{folder}/{name}.broken" ] && exit 1\n[ -e "{folder}/{name}.hang" ] && '
            f'exec cat "{folder}/{name}.hang"\ncat >> "{folder}/{name}.got"\n'
        )
        self.path.chmod(0o755)
        self.notifier = notifier(f"command:{self.path}", Besides())

    def will(self, how: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{how}")

    @property
    def got(self) -> list[str]:
        path = self.will("got")
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.removeprefix('{"says": "').removesuffix('"}') for line in lines]


async def test_what_is_not_taken_is_told_once_and_tried_again(tmp_path: Path) -> None:
    pager = Pager(tmp_path)
    delivery = Delivery([pager.notifier], seconds=20)
    pager.will("broken").touch()
    (first,) = await delivery.deliver(told(0, "one", "two"))
    assert (first.level, first.host) == (Level.FAIL, "")
    assert first.says == (
        f"command:{pager.path} does not take what it is told: ended with 1; 2 wait for the next round"
    )
    assert await delivery.deliver(told(5, "three")) == ()
    pager.will("broken").unlink()
    (again,) = await delivery.deliver(told(10))
    assert (again.level, again.says) == (Level.OK, f"command:{pager.path} takes again what it is told")
    assert sorted(pager.got) == ["one", "three", "two"]
    assert await delivery.deliver(told(15)) == ()
    assert len(pager.got) == 3


async def test_what_some_took_is_not_told_again_and_silence_is_no_success() -> None:
    server = MailServer(refuses=frozenset({"b@x.example"}))
    async with server.listening():
        url = f"smtp://127.0.0.1:{server.port}?from=w@x.example&to=a@x.example,b@x.example"
        delivery = Delivery([notifier(url, Besides())], seconds=20)
        (failed,) = await delivery.deliver(told(0, "one"))
        assert failed.says.endswith("does not take what it is told: the server refuses b@x.example")
        assert await delivery.deliver(told(5)) == ()
        server.refuses = frozenset()
        (again,) = await delivery.deliver(told(10, "two"))
    assert again.level is Level.OK
    assert [one["Subject"] for one in server.mails] == ["arcferry: one", "arcferry: two"]


async def test_one_that_hangs_takes_its_time_and_nobody_else_s(tmp_path: Path) -> None:
    hung, well = Pager(tmp_path, "hung"), Pager(tmp_path, "well")
    os.mkfifo(hung.will("hang"))
    delivery = Delivery([hung.notifier, well.notifier], seconds=0.5)
    (failed,) = await asyncio.wait_for(delivery.deliver(told(0, "one")), 30)
    assert "hung does not take what it is told: not done within 0.5 s; 1 wait" in failed.says
    assert well.got == ["one"]
    assert hung.got == []


async def test_what_waited_for_a_day_is_given_up_and_that_is_said(tmp_path: Path) -> None:
    pager = Pager(tmp_path)
    delivery = Delivery([pager.notifier], seconds=20)
    pager.will("broken").touch()
    await delivery.deliver(told(0, "one"))
    pager.will("broken").unlink()
    notices = await delivery.deliver(told(25 * 60, "two"))
    assert pager.got == ["two"]
    assert [one.level for one in notices] == [Level.OK, Level.FAIL]
    assert "was not told of 1 older changes; they are in the history" in notices[1].says


async def test_a_sign_of_life_comes_with_the_first_round_and_as_often_as_asked(tmp_path: Path) -> None:
    pager = Pager(tmp_path)
    delivery = Delivery([pager.notifier], seconds=20, alive_every=timedelta(minutes=10))
    for minutes in (0, 5, 10, 15, 20):
        await delivery.deliver(told(minutes))
    assert pager.got == ["alive"] * 3


async def test_metrics_are_written_after_every_round_and_hold_no_change(tmp_path: Path) -> None:
    path = tmp_path / "arcferry.prom"
    delivery = Delivery(
        [notifier(f"textfile:{path}", Besides())], seconds=20, alive_every=timedelta(minutes=1)
    )
    await delivery.deliver(told(0, "one"))
    assert path.read_text() == "state\n"
    path.unlink()
    await delivery.deliver(told(5))
    assert path.read_text() == "state\n"
