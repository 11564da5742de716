"""A real MSI and a real msiexec, with the exit codes and the log that they really give."""

import re
from importlib import resources

import pytest
from tests.lab.hosts.windows.conftest import Server

from arcferry.evidence.case import Kind
from arcferry.evidence.readers import install_log

OLD, CURRENT, NEW = "1.66.3300.1001", "1.67.3421.1187", "1.68.1.1"
pytestmark = pytest.mark.xdist_group("wine")


async def test_install_again_upgrade_and_uninstall(server: Server) -> None:
    assert await server.install(OLD) == 0
    assert (await server.product())["DisplayVersion"] == OLD
    assert (await server.host.agent("version")).stdout == f"azcmagent version {OLD}\n"
    assert await server.install(OLD) == 0
    assert await server.install(CURRENT) == 0
    product = await server.product()
    assert (product["DisplayVersion"], product["Publisher"]) == (CURRENT, "Microsoft Corporation")
    assert (await server.host.agent("version")).stdout == f"azcmagent version {CURRENT}\n"
    assert await server.msiexec("/x", product["code"]) == 0
    assert await server.product() == {}
    assert not server.agent_file.exists()
    assert await server.msiexec("/x", product["code"]) == 1605, "there is no such product any more"


async def test_a_downgrade_is_refused_and_changes_nothing(server: Server) -> None:
    assert await server.install(CURRENT) == 0
    assert await server.install(OLD) == 1603
    assert (await server.product())["DisplayVersion"] == CURRENT
    assert (await server.host.agent("version")).stdout == f"azcmagent version {CURRENT}\n"
    assert "LaunchConditions. Return value 0" in server.log.read_text()


async def test_what_is_no_msi_and_what_is_not_there(server: Server) -> None:
    server.host.path(r"C:\temp").mkdir(exist_ok=True)
    server.host.path(r"C:\temp\page.msi").write_text("<html>sign in</html>")
    assert await server.msiexec("/i", r"C:\temp\page.msi") == 1627
    assert await server.msiexec("/i", r"C:\temp\missing.msi") == 2
    assert await server.product() == {}


async def test_a_damaged_cabinet_installs_nothing(server: Server) -> None:
    data = bytearray(server.build(CURRENT).read_bytes())
    # Within the compressed blocks: the cabinet's header and its list of files stay as they are.
    at = data.index(b"MSCF") + 2000
    data[at : at + 64] = bytes(64)
    server.host.path(r"C:\temp").mkdir(exist_ok=True)
    server.host.path(r"C:\temp\damaged.msi").write_bytes(data)
    assert await server.msiexec("/i", r"C:\temp\damaged.msi") == 1603
    assert await server.product() == {}
    assert not server.agent_file.exists()


async def test_the_log_is_taken_for_one_of_windows_installer(server: Server) -> None:
    """Wine's has no line of the engine's with the status: the exit code has to come from msiexec itself."""
    for version, outcome in ((CURRENT, "INSTALL. Return value 1"), (OLD, "INSTALL. Return value 0")):
        await server.install(version)
        text = server.log.read_text(encoding="utf-8", errors="replace")
        document = install_log.read("msi.log", text)
        assert document
        assert document.kind is Kind.INSTALL_LOG
        assert outcome in text
    assert "Property(S): WIX_DOWNGRADE_DETECTED" in text


async def test_the_host_script_builds_the_same_command_line(server: Server) -> None:
    """The words between `@(` and `)` in its Invoke-Installer are those that these tests run msiexec with."""
    script = resources.files("arcferry.bundle").joinpath("hostscripts/windows.ps1").read_text("utf-8")
    found = re.search(r"\$words = @\(\$Action, \$What, (.+?), \$log\)\n", script)
    assert found
    words = [word.strip().strip("'") for word in found[1].split(",")]
    log = r"C:\windows\Logs\arcferry\msi.log"
    await server.install(OLD)
    assert await server.host.msiexec("/i", rf"C:\temp\{OLD}.msi", *words, log) == 0
    assert server.log.stat().st_size > 1000
    assert words == ["/qn", "/norestart", "REBOOT=ReallySuppress", "/l*v"]


async def test_a_package_and_a_log_in_folders_with_spaces(server: Server) -> None:
    package = server.host.put(server.build(CURRENT), r"C:\bundle of today\agent new.msi")
    assert await server.host.msiexec("/i", package, "/qn", "/l*v", r"C:\bundle of today\the log.txt") == 0
    assert server.host.path(r"C:\bundle of today\the log.txt").stat().st_size > 1000
