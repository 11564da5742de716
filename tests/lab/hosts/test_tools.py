import platform
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from arcferry_lab.hosts import LabHost, build_agent_package, tools


@pytest.fixture
def forget() -> Iterator[None]:
    """What was found out about this computer is remembered for the process; not across these tests."""
    remembered = (tools.open_ssh, tools.unavailable, tools.agent_python)
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


@pytest.mark.usefixtures("forget")
def test_a_computer_without_programs_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tools, "program", lambda name: None if name in ("dpkg", "dpkg-deb", "unshare") else f"/bin/{name}"
    )
    assert tools.unavailable() == "not installed: unshare, dpkg, dpkg-deb"


@pytest.mark.usefixtures("forget")
def test_another_system_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.sys, "platform", "darwin")
    assert tools.unavailable() == "hosts of the twin need Linux"


@pytest.mark.usefixtures("forget")
def test_no_ssh_server_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real = tools.program
    monkeypatch.setattr(tools, "program", lambda name: None if name == "sshd" else real(name) or "/bin/true")
    monkeypatch.delenv("ARCFERRY_TOOLS", raising=False)
    monkeypatch.setattr(tools.sys, "prefix", "/nowhere/.venv")
    for words in ("make tools", "install openssh-server", "ARCFERRY_TOOLS"):
        assert words in str(tools.unavailable())


@pytest.mark.usefixtures("forget", "needs_hosts")
def test_an_unpacked_server_wins_over_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCFERRY_TOOLS", raising=False)
    monkeypatch.setattr(tools.sys, "prefix", "/nowhere/.venv")
    tools.open_ssh.cache_clear()
    installed = tools.open_ssh()
    if installed is None:
        pytest.skip("no SSH server is installed here")
    for name, source in {
        "usr/sbin/sshd": installed.sshd,
        "usr/lib/openssh/sftp-server": installed.sftp_server,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(source.read_bytes())
        path.chmod(0o755)
    libraries = tmp_path / "usr/lib" / f"{platform.machine()}-linux-gnu"
    libraries.mkdir()
    monkeypatch.setenv("ARCFERRY_TOOLS", str(tmp_path))
    tools.open_ssh.cache_clear()
    unpacked = tools.open_ssh()
    assert unpacked
    assert unpacked.sshd == tmp_path / "usr/sbin/sshd"
    assert unpacked.libraries == str(libraries)
    assert unpacked.version == installed.version


@pytest.mark.usefixtures("needs_hosts")
def test_the_version_of_the_ssh_server_is_known() -> None:
    ssh = tools.open_ssh()
    assert ssh
    assert ssh.version > (6, 0)


@pytest.mark.hosts
@pytest.mark.usefixtures("forget", "needs_hosts")
async def test_without_a_system_python_the_agent_runs_with_ours(
    start: Callable[..., Awaitable[LabHost]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_SYSTEM_PYTHON", tmp_path / "python3")
    package = build_agent_package(tmp_path)
    host = await start()
    (host.root / "tmp/agent.deb").write_bytes(package.read_bytes())
    done = await host.run("dpkg -i /tmp/agent.deb >/dev/null && /opt/azcmagent/bin/azcmagent version")
    assert done.stdout == "azcmagent version 1.67.0\n", done.stderr
    assert str(tools.agent_python()) in (await host.run("head -1 /opt/azcmagent/bin/azcmagent")).stdout
