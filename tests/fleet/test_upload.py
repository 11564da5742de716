from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from arcferry.bundle import BundleFile
from arcferry.errors import BundleRefusedError, HostCommandError
from arcferry.fleet.steps.stage import Rate
from arcferry.fleet.transport.ssh import LinuxSession
from arcferry.fleet.transport.upload import checksums, make_folder, put, put_all

from .conftest import Sealed, Sshd, connected


@pytest.fixture
def source(sealed: Sealed) -> BundleFile:
    package = sealed.open().agent_package("deb")
    assert package is not None
    return package


@pytest.fixture(params=["root", "sudo"])
async def either(
    request: pytest.FixtureRequest, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LinuxSession]:
    """A session as root, and one whose every command goes through a program called sudo."""
    async with connected(sshd.host, sshd.trust()) as session:
        await session.run(["true"])
        assert session.root is True
        session.root = request.param == "root"
        yield session


async def test_sent_once_then_kept(either: LinuxSession, source: BundleFile, tmp_path: Path) -> None:
    remote = tmp_path / "staging" / "agent.deb"
    await make_folder(either, str(remote.parent))
    first = await put(either, source, str(remote))
    assert first == source.length
    assert remote.read_bytes() == source.read()
    assert remote.stat().st_mode & 0o777 == 0o600
    assert remote.parent.stat().st_mode & 0o777 == 0o700
    second = await put(either, source, str(remote))
    assert second == 0


async def test_a_half_upload_is_continued(either: LinuxSession, source: BundleFile, tmp_path: Path) -> None:
    remote = tmp_path / "agent.deb"
    half = source.length // 2
    (tmp_path / "agent.deb.part").write_bytes(source.read()[:half])
    upload = await put(either, source, str(remote))
    assert upload == source.length - half
    assert remote.read_bytes() == source.read()


@pytest.mark.parametrize("length", [1.0, 0.5, 1.5])
async def test_a_damaged_half_is_thrown_away(
    either: LinuxSession, source: BundleFile, tmp_path: Path, length: float
) -> None:
    remote = tmp_path / "agent.deb"
    (tmp_path / "agent.deb.part").write_bytes(b"\0" * int(source.length * length))
    remote.write_bytes(b"changed by somebody")
    upload = await put(either, source, str(remote))
    assert upload == source.length
    assert remote.read_bytes() == source.read()
    assert not remote.with_name("agent.deb.part").exists()


async def test_a_file_that_changed_here_is_never_put_in_place(
    either: LinuxSession, source: BundleFile, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.deb"
    changed.write_bytes(source.read()[:-1] + b"x")
    remote = tmp_path / "agent.deb"
    with pytest.raises(BundleRefusedError, match="its content was changed"):
        await put(either, replace(source, path=changed, start=None, crc=None), str(remote))
    assert not remote.exists()


async def test_a_folder_that_cannot_be_written(either: LinuxSession, source: BundleFile) -> None:
    with pytest.raises(HostCommandError):
        await put(either, source, "/proc/no-such/agent.deb")


async def test_a_link_in_the_folders_place_is_refused(either: LinuxSession, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(HostCommandError):
        await make_folder(either, str(tmp_path / "link"))


async def test_odd_names_and_missing_files_in_checksums(either: LinuxSession, tmp_path: Path) -> None:
    odd = tmp_path / "a b$(x)\\n.bin"
    odd.write_bytes(b"x")
    plain = tmp_path / "plain"
    plain.write_bytes(b"x")
    sums = await checksums(either, [str(plain), str(tmp_path / "none")])
    assert sums == {str(plain): "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}


async def test_files_are_looked_for_once_and_what_is_carried_is_told(
    either: LinuxSession, source: BundleFile, tmp_path: Path
) -> None:
    there, missing = str(tmp_path / "there.deb"), str(tmp_path / "missing.deb")
    await put(either, source, there)
    told: list[int] = []
    assert await put_all(either, {there: source, missing: source}, told.append) == {
        there: 0,
        missing: source.length,
    }
    assert sum(told) == source.length


def test_the_rate_is_told_now_and_then() -> None:
    told: list[str] = []
    seconds = iter([0.5, 1.0, 2.0, 5.5, 6.0])
    rate = Rate(told.append, lambda: next(seconds))
    for _ in range(5):
        rate.add(1_000_000)
    assert told == ["4.0 MB carried, 0.8 MB/s"]
