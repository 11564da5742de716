"""The disk that remembers runs is full: the apply says so and ends; with room made, it goes on."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import Ended, Fleet, ended
from .test_apply import ALL, leftovers

pytestmark = [pytest.mark.lab, pytest.mark.hosts]
SIZE = 4 * 1024 * 1024
MOST_SAID = 20_000


@dataclass
class Disk:
    """A small disk in a mount namespace of its own, over the folder `at`."""

    at: Path
    keeper: "subprocess.Popen[bytes]"

    @property
    def inside(self) -> Path:
        """The same folder as it is seen from outside the namespace."""
        return Path(f"/proc/{self.keeper.pid}/root{self.at}")

    @property
    def enter(self) -> tuple[str, ...]:
        return ("nsenter", f"--mount=/proc/{self.keeper.pid}/ns/mnt", "--")

    def fill(self) -> None:
        with (self.inside / "filler").open("ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while filler.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        (self.inside / "filler").unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    at = tmp_path / "state"
    at.mkdir()
    mount = f'mount -t tmpfs -o size={SIZE} none "$1" && echo ready && exec sleep infinity'
    command = ["unshare", "--mount", "sh", "-c", mount, "sh", str(at)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as keeper:
        try:
            assert keeper.stdout
            if keeper.stdout.readline() != b"ready\n":
                pytest.skip("this machine allows no mount namespaces")
            yield Disk(at, keeper)
        finally:
            keeper.send_signal(signal.SIGKILL)


@dataclass
class OnDisk(Fleet):
    """A fleet whose state lies on the small disk."""

    disk: Disk | None = None

    @property
    def before(self) -> tuple[str, ...]:
        assert self.disk
        return self.disk.enter

    def journals(self) -> list[Path]:
        assert self.disk
        return list(self.disk.inside.glob("runs/*/journal.jsonl"))


@pytest.fixture
def small(fleet: Fleet, disk: Disk) -> OnDisk:
    return OnDisk(fleet.twin, fleet.sealed, fleet.folder, disk=disk)


def check_told(done: Ended, disk: Disk) -> None:
    assert done.code == 2, done.err
    assert f"the disk at {disk.at} is full" in done.err
    assert "run the same command again" in done.err
    assert len(done.out + done.err) < MOST_SAID, done.err[:2000]


async def test_full_before_it_begins(small: OnDisk, disk: Disk) -> None:
    disk.fill()
    async with asyncio.timeout(60):
        done = await ended(await small.start("apply"))
    check_told(done, disk)
    assert small.commands() == []
    disk.make_room()
    assert (await small.run("apply")).outcomes == ALL


PLACES = (
    ("facts", "started"), ("facts", "done"), ("stage", "started"), ("install", "started"),
    ("install", "done"), ("check", "started"), ("connect", "started"), ("connect", "done"),
    ("verified", "started"),
)  # fmt: skip


@pytest.mark.timeout(400)
async def test_full_in_mid_run(small: OnDisk, disk: Disk) -> None:
    filled = 0
    for number, place in enumerate(PLACES):
        concurrency = "1" if number % 2 else "50"
        before = len(small.events())
        reading = asyncio.create_task(ended(await small.start("apply", "--concurrency", concurrency)))
        while not reading.done():
            if any((event["step"], event["event"]) == place for event in small.events()[before:]):
                disk.fill()
                filled += 1
                async with asyncio.timeout(60):
                    done = await reading
                if done.code:
                    check_told(done, disk)
                break
            await asyncio.sleep(0.002)
        disk.make_room()
    assert filled >= 4
    last = await small.run("apply")
    assert (last.code, last.outcomes) == (0, ALL), last.err
    assert small.puts() == dict.fromkeys(ALL, 1), "no host is connected twice"
    assert await leftovers(small) == []
    assert (await small.run("status")).code == 0


async def test_no_room_for_the_words_in_a_lock(small: OnDisk, disk: Disk) -> None:
    (disk.inside / "lock").touch()
    disk.fill()
    check_told(await ended(await small.start("apply")), disk)
