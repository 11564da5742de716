"""Installing the agent's package by the host script: real dpkg and rpm on hosts of their own."""

import asyncio

import pytest

from .conftest import Server, package

pytestmark = pytest.mark.hosts
AGENT = "/opt/azcmagent/bin/azcmagent"


async def test_a_host_has_one_package_manager_and_facts_name_it(server: Server) -> None:
    facts = await server.script("facts")
    assert (facts["package_format"], facts["agent"]["installed"]) == (server.kind, False)
    for program in ("dpkg", "dpkg-query", "rpm"):
        found = (await server.host.run(f"command -v {program}")).exit_code == 0
        assert found is program.startswith("dpkg" if server.kind == "deb" else "rpm")
    assert await server.installed() == []


async def test_installed_once_and_as_its_package_says(server: Server) -> None:
    data = server.agent("1.67.0")
    first = await server.install(data)
    assert (first["ok"], first["changed"], first["version"]) == (True, True, server.version("1.67.0")), first
    assert await server.installed() == ["azcmagent 1.67.0 ii"]
    assert await server.verified() == ""
    assert (await server.host.run(f"{AGENT} version")).stdout == "azcmagent version 1.67.0\n"
    modes = await server.host.run("stat -c '%a %u' /var/opt/azcmagent/certs /var/opt/azcmagent/tokens")
    assert modes.stdout == "700 0\n700 0\n"

    again = await server.install(data)
    assert (again["ok"], again["changed"], again["version"]) == (True, False, server.version("1.67.0"))
    agent = (await server.script("facts"))["agent"]
    assert (agent["installed"], agent["version"], agent["status"]) == (True, "1.67.0", "Disconnected")


async def test_an_upgrade_goes_and_a_downgrade_does_not(server: Server) -> None:
    old, new = server.agent("1.9.0"), server.agent("1.10.0")
    assert (await server.install(old))["changed"] is True
    upgraded = await server.install(new)
    assert (upgraded["ok"], upgraded["version"]) == (True, server.version("1.10.0")), upgraded
    assert await server.installed() == ["azcmagent 1.10.0 ii"]
    back = await server.install(old)
    assert (back["code"], back["version"]) == ("downgrade-refused", server.version("1.10.0"))
    assert (await server.host.run(f"{AGENT} version")).stdout == "azcmagent version 1.10.0\n"
    assert await server.verified() == ""


async def test_a_package_cut_short_installs_nothing(server: Server) -> None:
    """Its hash is right, as where it was cut before it was packed: the package manager's digests tell."""
    data = server.agent("1.67.0")
    answer = await server.install(data[:-2000])
    assert (answer["ok"], answer["code"], answer["version"]) == (False, "install-failed", ""), answer
    assert answer["exit"] != 0
    assert answer["output"]
    assert (await server.host.run(f"ls {AGENT}")).exit_code != 0
    assert (await server.install(data))["version"] == server.version("1.67.0"), "and the whole one can follow"


async def test_a_changed_payload_installs_nothing(server: Server) -> None:
    """As above, for one bit in the middle of the compressed files."""
    data = bytearray(server.agent("1.67.0"))
    data[-5000] ^= 1
    answer = await server.install(bytes(data))
    assert (answer["ok"], answer["code"], answer["version"]) == (False, "install-failed", ""), answer
    assert (await server.host.run(f"{AGENT} version")).exit_code != 0


async def test_a_package_that_refuses_to_be_installed(server: Server) -> None:
    data = package(server.kind, before="echo 'this server will not do' >&2; exit 3")
    answer = await server.install(data)
    assert (answer["ok"], answer["code"], answer["version"]) == (False, "install-failed", ""), answer
    assert "this server will not do" in answer["output"]
    assert (await server.host.run("ls /opt/azcmagent")).exit_code != 0


async def test_a_package_without_the_agent_is_no_success(server: Server) -> None:
    answer = await server.install(package(server.kind))
    assert (answer["ok"], answer["code"]) == (False, "install-failed")
    assert f"{AGENT} is missing" in answer["message"]


async def test_another_program_is_not_installed(server: Server) -> None:
    answer = await server.install(package(server.kind, name="cowsay"))
    assert (answer["ok"], answer["code"]) == (False, "not-the-agent")
    assert "'cowsay'" in answer["message"]
    assert await server.installed() == []


async def test_the_other_kind_of_package_is_refused(server: Server) -> None:
    other = package("rpm" if server.kind == "deb" else "deb")
    assert (await server.install(other))["code"] == "wrong-format"
    assert await server.installed() == []


async def test_it_waits_for_another_installation(server: Server) -> None:
    """The package manager holds its own lock: it is amid another package, whose script waits to be told."""
    waits = "mkfifo /tmp/go; read line </tmp/go"
    path = server.put(f"slow.{server.kind}", package(server.kind, name="slow", after=waits))
    command = "dpkg -i" if server.kind == "deb" else "rpm -U"
    slow = asyncio.create_task(server.host.run(f"{command} {path}"))
    await server.until("[ -p /tmp/go ]")
    assert (await server.script("facts"))["installer_busy"] is True

    installing = asyncio.create_task(server.install(server.agent("1.67.0")))
    await server.until("grep -q lock /var/tmp/arcferry.*/output")
    assert not installing.done()
    await server.host.run("echo go >/tmp/go")
    assert (await slow).exit_code == 0
    answer = await installing
    assert (answer["ok"], answer["changed"]) == (True, True), answer
    assert sorted(await server.installed()) == ["azcmagent 1.67.0 ii", "slow 1.70.0 ii"]
    assert (await server.script("facts"))["installer_busy"] is False


async def test_a_full_disk_is_named_and_later_installing_goes(server: Server) -> None:
    await server.host.restart(small_disk=16 * 1024)
    data = server.agent("1.67.0")
    answer = await server.install(data)
    assert (answer["ok"], answer["code"], answer["version"]) == (False, "install-failed", ""), answer
    assert "space" in answer["output"].lower()
    await server.host.restart(small_disk=0)
    assert (await server.install(data))["version"] == server.version("1.67.0")
    assert await server.verified() == ""


async def test_uninstalled_once_and_without_a_trace(server: Server) -> None:
    await server.install(server.agent("1.67.0"))
    gone = await server.script("uninstall")
    assert (gone["ok"], gone["changed"]) == (True, True), gone
    assert await server.installed() == []
    left = await server.host.run("ls -d /opt/azcmagent /var/opt/azcmagent")
    assert left.stdout == ""
    again = await server.script("uninstall")
    assert (again["ok"], again["changed"]) == (True, False)
