"""What the fleet runs on Windows, in a PowerShell of the twin's."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fleet.conftest import Sealed

from arcferry.bundle import BundleFile
from arcferry.errors import BundleRefusedError, HostCommandError
from arcferry.fleet import script as host_scripts
from arcferry.fleet.host_state import read_facts
from arcferry.fleet.script import ask, run_to_end, sweep
from arcferry.fleet.system import WINDOWS
from arcferry.fleet.system.windows import LONGEST_LINE
from arcferry.fleet.transport.upload import checksums, make_folder, put
from arcferry_lab.hosts.windows import WindowsHost

from .direct import DirectSession

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.xdist_group("windows")]
FOLDER = WINDOWS.staged("0123456789ab")
TEMPORARY = r"C:\windows\Temp"


@pytest.fixture
def session(windows: WindowsHost) -> DirectSession:
    return DirectSession(windows)


@pytest.fixture(scope="module")
def msi(with_msi: Sealed) -> BundleFile:
    package = with_msi.open().agent_package("msi")
    assert package
    return package


@pytest.fixture(scope="module")
def script(with_msi: Sealed) -> BundleFile:
    return with_msi.open().host_script("windows")


async def staged(session: DirectSession, file: BundleFile) -> str:
    await make_folder(session, FOLDER)
    path = WINDOWS.staged("0123456789ab", file.name)
    await put(session, file, path)
    return path


async def test_sent_once_then_kept(session: DirectSession, msi: BundleFile) -> None:
    await make_folder(session, FOLDER)
    path = rf"{FOLDER}\once.msi"
    started = session.started
    assert await put(session, msi, path) == msi.length
    assert session.windows.path(path).read_bytes() == msi.read()
    assert await put(session, msi, path) == 0
    assert session.started - started == 2, "one start of the engine for each"


@pytest.mark.parametrize("share", [0.5, 1.0, 1.5], ids=["sound", "damaged", "too-long"])
async def test_a_half_is_continued_or_thrown_away(
    session: DirectSession, msi: BundleFile, share: float
) -> None:
    await make_folder(session, FOLDER)
    path = rf"{FOLDER}\half.msi"
    session.windows.path(path).unlink(missing_ok=True)
    half = int(msi.length * 0.5)
    there = msi.read()[:half] if share == 0.5 else b"\0" * int(msi.length * share)
    session.windows.path(f"{path}.part").write_bytes(there)
    assert await put(session, msi, path) == (msi.length - half if share == 0.5 else msi.length)
    assert session.windows.path(path).read_bytes() == msi.read()
    assert not session.windows.path(f"{path}.part").exists()


async def test_a_file_that_changed_here_is_never_put_in_place(
    session: DirectSession, msi: BundleFile, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.msi"
    changed.write_bytes(msi.read()[:-1] + b"x")
    await make_folder(session, FOLDER)
    path = rf"{FOLDER}\changed.msi"
    with pytest.raises(BundleRefusedError, match="its content was changed"):
        await put(session, replace(msi, path=changed, start=None, crc=None), path)
    assert not session.windows.path(path).exists()


async def test_a_folder_that_cannot_be_written(session: DirectSession, msi: BundleFile) -> None:
    with pytest.raises(HostCommandError, match="not written"):
        await put(session, msi, r"C:\no such folder\agent.msi")


async def test_names_with_blanks_quotes_and_chinese(session: DirectSession) -> None:
    names = [
        rf"C:\windows\Temp\{name}"
        for name in ("a b", "it's", "it\u2019s \u2018so\u2018", "台北 $(x) & ^%PATH%")
    ]
    for name in names:
        session.windows.path(name).write_bytes(b"x")
    found = await checksums(session, [*names, r"C:\windows\Temp\none"])
    # what a console prints in its own code page is not read back here; nothing in a name was run
    assert set(found.values()) == {"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}
    assert names[0] in found
    assert names[1] in found


async def test_facts_before_anything_is_staged(session: DirectSession, script: BundleFile) -> None:
    answer = await ask(session, script.read(), "facts")
    facts = read_facts(answer, skew=None, staged={})
    assert answer.ok
    assert (facts.os, facts.arch, facts.package_format, facts.root) == ("windows", "amd64", "msi", True)
    assert (facts.distro, facts.dotnet[:3]) == ("Windows Server 2022 Datacenter", "4.8")


async def test_a_staged_script_verifies_and_no_line_is_too_long(
    session: DirectSession, script: BundleFile, msi: BundleFile
) -> None:
    path, package = await staged(session, script), await staged(session, msi)
    pairs = [path, script.sha256, path, script.sha256, package, msi.sha256]
    assert (await ask(session, path, "verify", *pairs)).ok
    assert not (await run_to_end(session, path, "verify", package, "0" * 64)).ok
    assert session.longest < LONGEST_LINE


async def test_a_token_reaches_the_verb_on_standard_input(session: DirectSession, script: BundleFile) -> None:
    path = await staged(session, script)
    answer = await run_to_end(session, path, "connect", token=b'{"access-token": "ey"}')
    assert answer.text("code") == "not-installed", "the token was read, and the next question asked"
    answer = await run_to_end(session, path, "connect", *WINDOWS.at_once, token=b"{}")
    assert answer.text("code") == "config-no-token"
    assert left(session.windows) == []


def left(windows: WindowsHost) -> list[Path]:
    return list(windows.path(TEMPORARY).glob("arcferry-*/config.json"))


async def test_one_verb_at_a_time_and_the_lock_ends_with_its_holder(
    session: DirectSession, script: BundleFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await staged(session, script)
    holder = DirectSession(session.windows)
    # a script that waits for its standard input to end holds the lock as long as that
    waits = rf"{FOLDER}\waits.ps1"
    session.windows.path(waits).write_text("'held'; [void][Console]::OpenStandardInput().ReadByte()")
    argv = WINDOWS.command("to-end", WINDOWS.run_folder, "5", "none", waits, "x")
    program = await session.windows.start(" ".join(argv))
    assert (await program.stdout.readline()).strip() == b"held"
    monkeypatch.setattr(host_scripts, "LOCK_WAIT", 1)
    with pytest.raises(HostCommandError, match="has held this host for") as caught:
        await run_to_end(holder, path, "uninstall")
    assert r"arcferry\lock" in caught.value.hint
    await sweep(holder)
    monkeypatch.setattr(host_scripts, "LOCK_WAIT", 30)
    waiting = asyncio.create_task(run_to_end(holder, path, "uninstall"))
    await program.end()
    assert (await waiting).ok


async def test_sweeping_takes_the_tokens_of_the_dead_alone(session: DirectSession) -> None:
    folder = session.windows.path(TEMPORARY)
    session.windows.path(WINDOWS.run_folder).mkdir(exist_ok=True)
    for name in ("arcferry-999999-dead", "arcferry-kept", "other-1"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "config.json").write_text('{"access-token": "ey"}')
    # this very engine's own number
    own = (
        rf"""$f = '{TEMPORARY}\arcferry-' + $PID + '-live'; [void](mkdir $f); 'x' > "$f\config.json"; $PID"""
    )
    argv = WINDOWS.program(f"{own}; [void][Console]::OpenStandardInput().ReadByte()", [])
    program = await session.windows.start(" ".join(argv))
    number = (await program.stdout.readline()).decode().strip()
    await sweep(session)
    assert [path.parent.name for path in left(session.windows)] == [f"arcferry-{number}-live"]
    assert (folder / "other-1/config.json").exists()
    await program.end()
    await sweep(session)
    assert left(session.windows) == []


POLICIES = {
    "signed scripts only": (
        r"Software\Policies\Microsoft\PowerShellCore",
        {"EnableScripts": 1, "ExecutionPolicy": "AllSigned"},
        "lets no script run that is not signed",
        "Turn on Script Execution",
    ),
}


@pytest.mark.parametrize("case", POLICIES)
async def test_a_policy_that_keeps_scripts_from_running(
    session: DirectSession, script: BundleFile, case: str
) -> None:
    key, values, says, hint = POLICIES[case]
    path = await staged(session, script)
    for name, value in values.items():
        kind = "REG_DWORD" if isinstance(value, int) else "REG_SZ"
        await session.windows.run(rf"reg add HKLM\{key} /v {name} /t {kind} /d {value} /f")
    try:
        with pytest.raises(HostCommandError, match=says) as caught:
            await ask(session, path, "show")
        with pytest.raises(HostCommandError, match=says):
            await run_to_end(session, path, "show")
        with pytest.raises(HostCommandError, match=says):
            await make_folder(session, FOLDER)
        assert (await ask(session, script.read(), "facts")).ok, "what is no file is no script"
    finally:
        await session.windows.run(rf"reg delete HKLM\{key} /f")
    assert hint in caught.value.hint
