"""What of the state folder cannot be read: told beside all that can, and waited for by nobody."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.serve import made
from tests.serve.conftest import Served

HERE = f"/runs/{made.RUN}"
OTHER = "ba9876543210"
Damage = Callable[[Path], object]


def instead(text: str) -> Damage:
    return lambda path: path.write_text(text)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


async def pages(served: Served, *paths: str) -> list[tuple[int, str]]:
    async with asyncio.timeout(30):
        return [await served.get(path) for path in paths]


RECORDS = [
    (instead("{"), "is not a run&#39;s record"),
    (instead("[" * 60_000), "is not a run&#39;s record"),
    (instead('{"schema": 1, "started": "<b>soon\x1b[31m"}'), "is not a run&#39;s record"),
    (instead('{"schema": 2}'), "was written by another version of arcferry"),
    (instead(" " * 70_000), "larger than"),
    (pipe, "not a file"),
    (device, "not a file"),
    (folder, "not a file"),
]


async def test_a_record_that_cannot_be_read_stands_beside_the_others(served: Served) -> None:
    made.story(served.state)
    for number, (damage, _) in enumerate(RECORDS):
        damage(made.run(served.state, made.hosts(1), f"{OTHER}{number}").path / "run.json")
    (_, every), (_, sound) = await pages(served, "/", HERE)
    assert ("4 of 6 connected" in every, "4 of 6 servers connected" in sound) == (True, True)
    for number, (_, why) in enumerate(RECORDS):
        row = every.partition(f"{OTHER}{number}</td>")[2].partition("</tr>")[0]
        [(status, told)] = await pages(served, f"/runs/{OTHER}{number}")
        assert ("cannot be read" in row, why in row, why in told, status) == (True, True, True, 500), why


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("what", ["", "run.json"])
async def test_a_run_without_the_right_to_read_it(served: Served, what: str) -> None:
    made.story(served.state)
    place = made.run(served.state, made.hosts(1), OTHER).path
    (place / what).chmod(0)
    [(status, text)] = await pages(served, "/")
    place.chmod(0o700)
    assert (status, "4 of 6 connected" in text, "Permission denied" in text) == (200, True, True)


async def test_a_folder_that_is_called_as_no_run_is(served: Served) -> None:
    made.story(served.state)
    for name in ("x\n<b>\x1b[31m", os.fsdecode(b"\xff\xfe"), "\u202e.."):
        (served.state / "runs" / name).mkdir()
        (served.state / "runs" / name / "run.json").write_text("{}")
    every, sound, none = await pages(served, "/", HERE, "/runs/none")
    assert (every[0], sound[0], none[0]) == (200, 200, 404)
    assert every[1].count("name is no run&#39;s") == 3
    assert [text for text in ("\x1b", "\u202e", "<b>") if text in every[1] + none[1]] == []


async def test_a_run_is_found_among_those_that_are_there_alone(served: Served) -> None:
    made.story(served.state)
    (served.state / "run.json").write_text('{"schema": 1, "started": "2026-11-28T00:00:00Z"}')
    for name in ("%2e%2e", "..%2f..", "%00", "a%2Fb", "%ff", "-"):
        reader, writer = await asyncio.open_connection(*served.url.removeprefix("http://").split(":"))
        cookie = next(iter(served.http.cookie_jar))
        head = f"Host: {served.url.removeprefix('http://')}\r\nCookie: {cookie.key}={cookie.value}"
        writer.write(f"GET /runs/{name} HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] == b"404", name
        writer.close()


INSTEAD = (pipe, device, folder, instead("[" * 60_000))


@pytest.mark.parametrize(
    "name", ["journal.jsonl", "hosts.json", "evidence.json", "order.json", "lock", "steps.sqlite"]
)
async def test_what_else_is_damaged_is_waited_for_by_nobody(served: Served, name: str) -> None:
    made.story(served.state)
    for number, damage in enumerate(INSTEAD):
        run = made.run(served.state, made.hosts(1), f"{OTHER}{number}")
        made.tell(run, *made.went_well("server00"))
        (run.path / name).touch()
        damage(run.path / name)
    [(status, every)] = await pages(served, "/")
    assert (status, "4 of 6 connected" in every, every.count("<tr")) == (200, True, 6)
    for number, damage in enumerate(INSTEAD):
        (_, run_page), (_, host_page) = await pages(
            served, f"/runs/{OTHER}{number}", f"/runs/{OTHER}{number}/hosts/server00"
        )
        assert "has a fault" not in run_page + host_page
        if name in ("hosts.json", "evidence.json") or (name == "journal.jsonl" and damage in INSTEAD[:3]):
            assert f"{name}: " in run_page, damage


async def test_a_line_of_a_journal_that_is_nested_too_deeply_is_passed_over(served: Served) -> None:
    run = made.story(served.state)
    with run.journal.open("a") as journal:
        journal.write("[" * 16_000 + "\n")
    made.tell(run, *made.went_well("server05"))
    assert "5 of 6 connected" in (await served.get("/"))[1]


async def test_a_watch_that_is_no_file_is_waited_for_by_nobody(served: Served) -> None:
    made.watched(served.state)
    names = [f"AzureCloud-{region}.sqlite" for region in ("westeurope", "northeurope", "uksouth")]
    for name, damage in zip(names, INSTEAD, strict=False):
        (served.state / "watch" / name).touch()
        damage(served.state / "watch" / name)
    [(status, text)] = await pages(served, "/watches")
    assert (status, made.MOVED in text, [name for name in names if name not in text]) == (200, True, [])
