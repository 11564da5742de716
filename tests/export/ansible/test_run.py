"""The role on real hosts, by real Ansible, where no address leads anywhere but to the twin."""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from arcferry.fleet.outcome import HostOutcome
from arcferry_lab.hosts import LabHost, build_agent_package
from arcferry_lab.hosts.faults import lay
from arcferry_lab.twin import RESOURCE_GROUP

from .conftest import ROLE, Played, Site

pytestmark = [
    pytest.mark.lab, pytest.mark.hosts, pytest.mark.timeout(600), pytest.mark.xdist_group("ansible")
]  # fmt: skip

VERBS = ["facts", "verify", "install", "check", "connect", "show"]


@contextmanager
def watched(token: str) -> Iterator[dict[str, list[str]]]:
    """Every command line that comes up here or on a host while the body runs, looked at again and again."""
    before = processes()
    seen: dict[str, list[str]] = {"connects": [], "secret": []}
    over = threading.Event()

    def watch() -> None:
        took = 0.0
        while not over.wait(max(0.03, 4 * took)):
            began = time.thread_time()
            for line in command_lines(processes() - before):
                if token in line:
                    seen["secret"].append(line)
                if "azcmagent\0connect" in line:
                    seen["connects"].append(line)
            took = time.thread_time() - began

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


GOOD = ("server01", "server02", "server04")
BROKEN, HOSTILE, TAMPERED = "server03", "server04", "server05"
Settings = dict[str, dict[str, object]]
FIRST: Settings = {"server01": {}, "server02": {"onboard_token_env": "ARC_TOKEN"}, BROKEN: {}, HOSTILE: {}}
WITHOUT_PATH: dict[str, object] = {"onboard_path_evidence": False}
SECOND: Settings = {
    "server01": {"onboard_upgrades": True},
    BROKEN: {**WITHOUT_PATH, "onboard_token_file": "/nonexistent/token"},
    HOSTILE: {},
}
THIRD: Settings = {
    BROKEN: {**WITHOUT_PATH, "onboard_wait_seconds": 1},
    TAMPERED: {"onboard_upgrades": True},
}
"""By server: its own settings in each play."""

NO_TOKEN: dict[str, tuple[dict[str, object], str]] = {
    "token-file": ({"onboard_token_file": "/nonexistent/token"}, "/nonexistent/token: it is empty"),
    "token-env": ({"onboard_token_env": "NO_SUCH"}, "the variable NO_SUCH: it is empty"),
    "token-false": ({"onboard_token_command": ["false", "x"]}, "false, which ended with 1: it is empty"),
    "token-tool": (
        {"onboard_token_command": "no-such-tool x"},
        "no-such-tool, which ended with 2: it is empty",
    ),
}
"""By server: where its token is to come from, and what is said of that."""

TOKENS_ALONE: dict[str, object] = {
    "hosts": ",".join(NO_TOKEN),
    "gather_facts": False,
    "vars": {
        "onboard_answers": [],
        "onboard_began": "2026-11-29T00:00:00Z",
        "onboard_path": None,
        "onboard_outcome": "failed",
    },
    "tasks": [
        {
            "block": [{"ansible.builtin.include_role": {"name": ROLE, "tasks_from": "token"}}],
            "always": [{"ansible.builtin.include_role": {"name": ROLE, "tasks_from": "result"}}],
        }
    ],
}
"""The role's own tasks that take a token, which meet no server, without what goes before on one."""


@dataclass(frozen=True)
class Story:
    """What was played on the site, one after the other, and what was seen meanwhile.

    Attributes:
        check: in check mode, on the first server; before and after it, everything there.
        template: what the hostile server calls its system.
        first: on four servers, of which one is broken and one hostile.
        seen: command lines, while that was played.
        left: the files that held the token then, by place.
        second: on these and one more, after the broken one was repaired, which has no token now.
        third: where Azure hears from nobody.
        last: where it does again, on the repaired one alone.
    """

    site: Site
    check: Played
    before: dict[str, bytes]
    after: dict[str, bytes]
    template: str
    first: Played
    seen: dict[str, list[str]]
    left: dict[str, list[str]]
    second: Played
    third: Played
    last: Played


@pytest.fixture(scope="module")
def story(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Story:
    host = {one.name: one for one in site.hosts}
    leads = site.on(host["server01"], "tail -n +2 /proc/net/route; cut -d: -f1 -s /proc/net/dev")
    assert leads.split() == ["lo"]
    before = contents(host["server01"])
    check = site.play("--check", "--limit", "server01")
    after = contents(host["server01"])

    site.closed.run(lay("host/disk-full", host[BROKEN]))
    template = prints_a_template(site, host[HOSTILE])
    site.write_settings(FIRST)
    with watched(site.token) as seen:
        first = site.play("-vvv", "--limit", ",".join(FIRST), ARC_TOKEN=site.token)
    left = what_is_left(site)

    site.closed.run(host[BROKEN].restart(small_disk=0))
    old = build_agent_package(tmp_path_factory.mktemp("old"), version="1.60.0")
    shutil.copy(old, host["server01"].root / "root/old.deb")
    site.on(host["server01"], "dpkg -i /root/old.deb")
    changed = changed_bundles(site.control.folder)
    site.write_inventory(*changed, *NO_TOKEN)
    site.write_settings({name: settings for name, (settings, _) in NO_TOKEN.items()})
    second = site.play_at_once(SECOND | changed, TOKENS_ALONE)

    site.closed.run(site.twin.add_fault("his/no-heartbeat"))
    third = site.play_at_once(THIRD)
    assert BROKEN in third.puts, third.ran.text
    site.twin.azure.faults.remove("his/no-heartbeat")
    site.closed.run(host[BROKEN].restart())  # the agent's service sends one when it starts
    while site.shown_by_azure()[BROKEN] != "Connected":
        pass
    last = site.play("--limit", BROKEN)
    return Story(site, check, before, after, template, first, seen, left, second, third, last)


def prints_a_template(site: Site, host: LabHost) -> str:
    """Let a host call its system by a name that would run a program, were it a template."""
    template = f"{{{{ lookup('pipe', 'touch {site.control.home}/ran') }}}}"
    release = host.root / "etc/os-release"
    lines = [line for line in release.read_text().splitlines() if not line.startswith("PRETTY_NAME=")]
    release.write_text("\n".join([*lines, f'PRETTY_NAME="{template}"', ""]))
    return template


def what_is_left(site: Site) -> dict[str, list[str]]:
    """The files with the token, and what Ansible and the host script left of theirs."""
    found = {
        "home": holding(site.control.home, site.token),
        "export": holding(site.control.folder, site.token),
    }
    for host in site.hosts:
        own = [*(host.root / "var/tmp").iterdir(), *(host.root / "root/.ansible/tmp").glob("*")]
        found[host.name] = [*holding(host.root, site.token), *map(str, own)]
    return found


def changed_bundles(folder: Path) -> Settings:
    """Copies of the bundle with one file changed, by server; Ansible meets the first alone."""
    copies = {TAMPERED: "bundle-package", "script": "bundle-script", "manifest": "bundle-manifest"}
    for name in copies.values():
        shutil.copytree(folder / "bundle", folder / name)
    package = next((folder / "bundle-package/agent").iterdir())
    package.write_bytes(package.read_bytes()[:-1] + b"!")
    script = folder / "bundle-script/host/linux.sh"
    script.write_text(script.read_text() + "\ntouch /ran\n")
    (folder / "bundle-manifest/manifest.json").write_text("{}")
    return {server: {"onboard_bundle": str(folder / name)} for server, name in copies.items()}


def test_check_mode_says_what_would_change_and_changes_nothing(story: Story) -> None:
    ran = story.check.ran
    assert ran.code == 0, ran.text
    assert ran.recap("server01")["changed"] == 4, "folders, files, the agent, the connection"
    assert re.search(r"would install azcmagent [0-9.]+ \(now: none\)", ran.out)
    assert "machines/server01" in ran.out
    assert story.after == story.before
    assert (story.check.puts, story.check.az_calls, story.check.results) == ([], [], {})


def test_servers_connect_and_a_broken_one_fails_alone(story: Story) -> None:
    played, ran = story.first, story.first.ran
    assert ran.code == 2, ran.text
    assert {name: ran.recap(name)["failed"] for name in FIRST} == {**dict.fromkeys(GOOD, 0), BROKEN: 1}
    assert played.shown == dict.fromkeys(GOOD, "Connected")
    tags = story.site.twin.azure.machines[RESOURCE_GROUP, "server01"].tags
    assert tags == {"site": "lab", "owner": "O'Neill, Ann"}
    for name in GOOD:
        result = played.result(name)
        assert [answer["verb"] for answer in result["answers"]] == VERBS
        assert {key: result[key] for key in ("schema", "kind", "host", "via", "outcome")} == {
            "schema": 1,
            "kind": "host-run",
            "host": name,
            "via": "ansible",
            "outcome": "connected",
        }
        assert played.read(name).run.failure is None
        assert result["path"]["kind"] == "check"
    result = played.result(BROKEN)
    assert (result["outcome"], result["answers"][-1]["code"]) == ("failed", "no-copy")
    assert "No space left" in result["answers"][-1]["message"]


def test_what_a_server_prints_is_no_template(story: Story) -> None:
    assert story.first.result(HOSTILE)["answers"][0]["distro"]["name"] == story.template
    assert not (story.site.control.home / "ran").exists()


def test_the_token_is_seen_and_left_nowhere(story: Story) -> None:
    assert story.seen["connects"]
    assert not story.seen["secret"]
    assert story.site.token not in story.first.ran.text
    assert story.site.control.log.stat().st_size > 0
    # az reads it from there.
    assert {place: files for place, files in story.left.items() if files} == {"home": ["token"]}


def test_a_token_comes_from_az_or_from_a_variable(story: Story) -> None:
    assert sorted(story.first.puts) == sorted(GOOD)
    assert len(story.first.az_calls) == len(GOOD) - 1, "one has it from a variable"
    assert "--resource https://management.azure.com/" in story.first.az_calls[0]


def test_a_second_play_changes_nothing_on_a_connected_server(story: Story) -> None:
    recap = story.second.ran.recap(HOSTILE)
    assert (recap["failed"], recap["changed"]) == (0, 0)
    assert story.second.puts == story.first.puts
    assert story.second.az_calls == story.first.az_calls, "a server that is connected needs no token"


def test_an_upgrade_takes_no_token_and_leaves_others_alone(story: Story) -> None:
    read = story.second.read("server01")
    assert (read.connected, read.was, read.agent.version) == (True, "1.60.0", "1.67.0")
    assert story.second.shown == dict.fromkeys(GOOD, "Connected")
    (*_, answer) = story.third.result(TAMPERED)["answers"]
    assert (answer["verb"], answer["code"]) == ("upgrade", "not-held")


def test_what_was_changed_is_not_installed(story: Story) -> None:
    played = story.second
    answer = played.result(TAMPERED)["answers"][-1]
    assert (answer["verb"], answer["code"]) == ("verify", "hash-mismatch")
    assert "host/linux.sh is not what the bundle's manifest says" in played.ran.out
    assert "manifest.json is not the one of onboard_bundle_sha256" in played.ran.out
    assert [played.ran.recap(name)["failed"] for name in (TAMPERED, "script", "manifest")] == [1, 1, 1]
    root = next(host.root for host in story.site.hosts if host.name == TAMPERED)
    assert not (root / "opt/azcmagent").exists()
    assert not (root / "ran").exists()


def test_without_a_token_nothing_is_connected(story: Story) -> None:
    says = {name: said for name, (_, said) in NO_TOKEN.items()}
    for name, said in (says | {BROKEN: says["token-file"]}).items():
        answer = story.second.result(name)["answers"][-1]
        assert (answer["verb"], answer["code"]) == ("connect", "no-token"), story.second.ran.text
        assert said in answer["message"]
    result = story.second.result(BROKEN)
    assert ([answer["verb"] for answer in result["answers"]], result["path"]) == (VERBS[:-1], None)
    assert BROKEN not in story.second.puts


def test_a_server_that_azure_has_not_heard_from_is_not_called_connected(story: Story) -> None:
    played = story.third
    assert played.ran.code == 2
    assert "connected, not yet heard from: the agent says Disconnected" in played.ran.text
    result = played.result(BROKEN)
    assert (result["outcome"], [one["ok"] for one in result["answers"]]) == ("not-heard-from", [True] * 6)
    assert played.read(BROKEN).run.outcome is HostOutcome.NOT_HEARD_FROM


def test_a_repaired_server_is_connected_once_and_alone(story: Story) -> None:
    assert story.last.ran.code == 0, story.last.ran.text
    assert story.last.result(BROKEN)["outcome"] == "connected"
    assert story.last.puts == [*story.first.puts, BROKEN]
    assert story.last.shown == dict.fromkeys([*GOOD, BROKEN], "Connected")
    assert len(story.last.az_calls) == len(story.first.az_calls) + 1
