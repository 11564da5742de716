"""The role on real hosts, by real Ansible, where no address leads anywhere but to the twin."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arcferry.export.result import read_result
from arcferry.fleet.outcome import HostOutcome
from arcferry_lab.hosts import LabHost, build_agent_package
from arcferry_lab.hosts.faults import lay
from arcferry_lab.twin import RESOURCE_GROUP

from .conftest import Site

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.timeout(600)]

MakeSite = Callable[[int], Site]
VERBS = ["facts", "verify", "install", "check", "connect", "show"]


@contextmanager
def watched(token: str) -> Iterator[dict[str, list[str]]]:
    """Every command line that comes up here or on a host while the body runs, looked at again and again."""
    before = processes()
    seen: dict[str, list[str]] = {"connects": [], "secret": []}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.03):
            for line in command_lines(processes() - before):
                if token in line:
                    seen["secret"].append(line)
                if "azcmagent\0connect" in line:
                    seen["connects"].append(line)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def processes() -> set[str]:
    return {path.name for path in Path("/proc").iterdir() if path.name.isdecimal()}


def command_lines(of: set[str]) -> Iterator[str]:
    for process in of:
        try:
            yield Path(f"/proc/{process}/cmdline").read_text(errors="replace")
        except OSError:
            continue


def holding(folder: Path, text: str) -> list[str]:
    """The files below that hold a text."""
    wanted = text.encode()
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(str(path.relative_to(folder)) for path in files if wanted in path.read_bytes())


def contents(host: LabHost) -> dict[str, bytes]:
    """Everything on a host but what each SSH session leaves: the lab's journal and Ansible's own folder."""
    spared = ("var/log/commands.log", "root/.ansible")
    return {
        str(path.relative_to(host.root)): path.read_bytes() if path.is_file() else b""
        for path in host.root.rglob("*")
        if not path.is_symlink() and not str(path.relative_to(host.root)).startswith(spared)
    }


def test_servers_connect_and_a_broken_one_fails_alone(make_site: MakeSite) -> None:
    site = make_site(4)
    broken, hostile = site.hosts[2], site.hosts[3]
    assert site.on(site.hosts[0], "tail -n +2 /proc/net/route; cut -d: -f1 -s /proc/net/dev").split() == [
        "lo"
    ]
    site.closed.run(lay("host/disk-full", broken))
    template = prints_a_template(site, hostile)

    with watched(site.token) as seen:
        ran = site.play("-vvv")

    assert ran.code == 2, ran.text
    assert {host.name: ran.recap(host.name)["failed"] for host in site.hosts} == {
        "server01": 0,
        "server02": 0,
        "server03": 1,
        "server04": 0,
    }
    good = [host for host in site.hosts if host is not broken]
    connected = dict.fromkeys([host.name for host in good], "Connected")
    assert site.shown_by_azure() == connected
    assert site.twin.azure.machines[RESOURCE_GROUP, "server01"].tags == {
        "site": "lab",
        "owner": "O'Neill, Ann",
    }
    for host in good:
        result = site.result(host.name)
        assert [answer["verb"] for answer in result["answers"]] == VERBS
        assert {key: result[key] for key in ("schema", "kind", "host", "via", "outcome")} == {
            "schema": 1,
            "kind": "host-run",
            "host": host.name,
            "via": "ansible",
            "outcome": "connected",
        }
        assert result["path"]["kind"] == "check"
        assert read_result(site.control.folder / "results" / f"{host.name}.json").run.failure is None
    assert site.result(hostile.name)["answers"][0]["distro"]["name"] == template
    assert not (site.control.home / "ran").exists()
    result = site.result(broken.name)
    assert (result["outcome"], result["answers"][-1]["code"]) == ("failed", "no-copy")
    assert "No space left" in result["answers"][-1]["message"]

    no_secret_is_left(site, ran.text)
    assert seen["connects"]
    assert not seen["secret"]
    assert len(site.az_calls) == len(good)
    assert "--resource https://management.azure.com/" in site.az_calls[0]

    written = site.puts()
    site.closed.run(broken.restart(small_disk=0))
    again = site.play_at_once({})
    assert again.code == 0, again.text
    assert {host.name: again.recap(host.name)["changed"] for host in good} == dict.fromkeys(connected, 0)
    assert site.puts() == [*written, broken.name], "the repaired server alone is connected"
    assert site.shown_by_azure() == connected | {broken.name: "Connected"}
    assert site.result(broken.name)["outcome"] == "connected"
    assert len(site.az_calls) == len(site.hosts), "a server that is connected needs no token"


def prints_a_template(site: Site, host: LabHost) -> str:
    """Let a host call its system by a name that would run a program, were it a template."""
    template = f"{{{{ lookup('pipe', 'touch {site.control.home}/ran') }}}}"
    release = host.root / "etc/os-release"
    lines = [line for line in release.read_text().splitlines() if not line.startswith("PRETTY_NAME=")]
    release.write_text("\n".join([*lines, f'PRETTY_NAME="{template}"', ""]))
    return template


def no_secret_is_left(site: Site, printed: str) -> None:
    token = site.token
    assert holding(site.control.home, token) == ["token"], "the file that az reads, and none besides"
    assert token not in printed
    assert site.control.log.stat().st_size > 0
    assert holding(site.control.folder, token) == []
    for host in site.hosts:
        assert holding(host.root, token) == []
        assert not list((host.root / "var/tmp").iterdir())
        assert not list((host.root / "root/.ansible/tmp").glob("*"))


def test_check_mode_says_what_would_change_and_changes_nothing(make_site: MakeSite) -> None:
    site = make_site(1)
    host = site.hosts[0]
    before = contents(host)
    ran = site.play("--check")
    assert ran.code == 0, ran.text
    assert ran.recap(host.name)["changed"] == 4, "folders, files, the agent, the connection"
    assert re.search(r"would install azcmagent [0-9.]+ \(now: none\)", ran.out)
    assert f"machines/{host.name}" in ran.out
    assert contents(host) == before
    assert (site.puts(), site.az_calls) == ([], [])
    assert list((site.control.folder / "results").iterdir()) == []


def test_what_was_changed_is_not_installed(make_site: MakeSite) -> None:
    site = make_site(1)
    package = next((site.control.folder / "bundle/agent").iterdir())
    package.write_bytes(package.read_bytes()[:-1] + b"!")
    ran = site.play()
    assert ran.code == 2
    answer = site.result("server01")["answers"][-1]
    assert (answer["verb"], answer["code"]) == ("verify", "hash-mismatch")
    assert site.az_calls == []
    assert not (site.hosts[0].root / "opt/azcmagent").exists()

    script = site.control.folder / "bundle/host/linux.sh"
    script.write_text(script.read_text() + "\ntouch /ran\n")
    ran = site.play()
    assert (ran.code, "host/linux.sh is not what the bundle's manifest says" in ran.out) == (2, True)

    (site.control.folder / "bundle/manifest.json").write_text("{}")
    ran = site.play()
    assert (ran.code, "manifest.json is not the one of onboard_bundle_sha256" in ran.out) == (2, True)
    assert not (site.hosts[0].root / "ran").exists()


NO_TOKEN: dict[str, tuple[dict[str, object], str]] = {
    "server01": ({"onboard_token_file": "/nonexistent/token"}, "/nonexistent/token: it is empty"),
    "server02": ({"onboard_token_env": "NO_SUCH"}, "the variable NO_SUCH: it is empty"),
    "server03": ({"onboard_token_command": ["false", "x"]}, "false, which ended with 1: it is empty"),
    "server04": (
        {"onboard_token_command": "no-such-tool x"},
        "no-such-tool, which ended with 2: it is empty",
    ),
}
"""By server: where its token is to come from, and what is said of that."""


def test_a_server_that_azure_has_not_heard_from_is_not_called_connected(make_site: MakeSite) -> None:
    site = make_site(1)
    site.closed.run(site.twin.add_fault("his/no-heartbeat"))
    ran = site.play("-e", "onboard_wait_seconds=1")
    assert ran.code == 2
    assert "connected, not yet heard from: the agent says Disconnected" in ran.text
    assert site.puts() == ["server01"]
    result = site.result("server01")
    assert (result["outcome"], [one["ok"] for one in result["answers"]]) == ("not-heard-from", [True] * 6)
    read = read_result(site.control.folder / "results/server01.json")
    assert read.run.outcome is HostOutcome.NOT_HEARD_FROM


def test_without_a_token_nothing_is_connected(make_site: MakeSite) -> None:
    site = make_site(len(NO_TOKEN))
    ran = site.play_at_once({name: settings for name, (settings, _) in NO_TOKEN.items()})
    assert ran.code == 2
    for name, (_, says) in NO_TOKEN.items():
        answer = site.result(name)["answers"][-1]
        assert (answer["verb"], answer["code"]) == ("connect", "no-token"), ran.text
        assert says in answer["message"]
    assert site.puts() == []


def test_an_upgrade_takes_no_token_and_leaves_others_alone(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site(2)
    held, other = site.hosts
    assert site.play("--limit", held.name).code == 0
    old = build_agent_package(tmp_path, version="1.60.0")
    shutil.copy(old, held.root / "root/old.deb")
    site.on(held, "dpkg -i /root/old.deb")
    tokens, puts = len(site.az_calls), site.puts()
    ran = site.play("-e", "onboard_upgrades=true")
    assert ran.code == 2, ran.text
    read = read_result(site.control.folder / f"results/{held.name}.json")
    assert (read.connected, read.was, read.agent.version) == (True, "1.60.0", "1.67.0")
    (*_, answer) = site.result(other.name)["answers"]
    assert (answer["verb"], answer["code"]) == ("upgrade", "not-held")
    assert (len(site.az_calls), site.puts()) == (tokens, puts)


def test_a_token_from_a_variable_serves_too(make_site: MakeSite) -> None:
    site = make_site(1)
    ran = site.play("-e", "onboard_token_env=ARC_TOKEN", "-vvv", ARC_TOKEN=site.token)
    assert (ran.code, site.puts(), site.az_calls) == (0, ["server01"], []), ran.text
    no_secret_is_left(site, ran.text)
