"""onboard.sh for real: in a root and a network of its own, with a real package and down to the agent."""

import ctypes
import hashlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from arcferry import export
from arcferry.export import ExportOptions, Tool
from arcferry.export.result import read_result

if TYPE_CHECKING:
    from conftest import PrivateRoot

SCRIPT = resources.files("arcferry.export").joinpath("wrappers", "onboard.sh")
CANARY = "eyJ0eXAi.canary-token.sIgNaTuRe"
VERBS = ["verify", "facts", "install", "check", "connect", "show"]

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not on PATH")


@dataclass(frozen=True)
class Server:
    """A root with the share mounted at /share; everything else is empty, and no network leads anywhere."""

    root: "PrivateRoot"
    shell: list[str]

    def run(self, *words: str, status: int) -> subprocess.CompletedProcess[bytes]:
        command = self.root.command("unshare", "-n", *self.shell, "/share/onboard.sh", *words)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=300
        )
        assert done.returncode == status, (done.stdout, done.stderr)
        assert CANARY.encode() not in done.stdout + done.stderr
        assert not holding(self.root.path / "var"), "a file with a token stays behind"
        self.root.assert_clean()
        return done

    @property
    def result(self) -> dict[str, Any]:
        (path,) = self.root.path.glob("share/results/*")
        assert CANARY not in path.read_text()
        found: dict[str, Any] = json.loads(path.read_text())
        assert found["host"] == path.stem == os.uname().nodename
        return found

    @property
    def verbs(self) -> list[str]:
        return [answer["verb"] for answer in self.result["answers"]]

    def asked(self) -> list[str]:
        """What the agent was called with, but for what only reads its state."""
        said = self.root.read("argv").splitlines()
        return [line for line in said if line != "show" and not line.startswith("config get")]

    def forget(self) -> None:
        shutil.rmtree(self.root.path / "share/results")
        (self.root.path / "share/results").mkdir()


class Reading:
    """Tells when a file was opened and closed again (inotify(7)), however many links lead to it."""

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._events = os.fdopen(libc.inotify_init1(os.O_CLOEXEC), "rb", buffering=0)
        close_nowrite = 0x10
        assert libc.inotify_add_watch(self._events.fileno(), bytes(path), close_nowrite) >= 0
        self._stopped, self._stop = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._events.close()
        os.close(self._stopped)

    def wait(self) -> bool:
        """Whether it was read before `stop` was called."""
        ready, _, _ = select.select([self._events, self._stopped], [], [])
        return self._events in ready

    def stop(self) -> None:
        os.close(self._stop)


def holding(folder: Path) -> list[Path]:
    """The files that have the token in them, but for the agent's own, which keeps what it was given here."""
    found = [path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    return [path for path in found if not path.match("var/opt/azcmagent/state*")]


def make_deb(tmp_path: Path, agent: str) -> bytes:
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: azcmagent\nVersion: 1.67.0\nArchitecture: all\nMaintainer: a <a@b>\nDescription: x\n"
    (tree / "DEBIAN" / "control").write_text(control)
    binary = tree / "opt/azcmagent/bin/azcmagent"
    binary.parent.mkdir(parents=True)
    binary.write_text(agent)
    binary.chmod(0o755)
    path = tmp_path / "azcmagent.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, path], check=True, capture_output=True)
    return path.read_bytes()


Make = Callable[..., ExportOptions]


@pytest.fixture
def options(make_options: Make, agent_script: str, tmp_path: Path) -> Make:
    """Options for a share of Linux servers, with a package that installs."""
    agents = {"azcmagent.deb": make_deb(tmp_path, agent_script)}
    return lambda **given: make_options(agents, share="/share", group="", delay=0, wait=1, **given)


@pytest.fixture
def server(root: "PrivateRoot", dash: list[str], options: Make, tmp_path: Path) -> Server:
    made = options(sign_in=export.TokenFile("/run/token"), tags=["a=b c"])
    export.export(made, Tool.SCRIPT, tmp_path / "out")
    shutil.copytree(tmp_path / "out" / "share", root.path / "share")
    (root.path / "share/results").mkdir()
    (root.path / "var/lib").mkdir(exist_ok=True)
    root.put("run/token", f"{CANARY}\n")
    root.put("var/opt/azcmagent/.keep", "")
    return Server(root, dash)


def test_a_server_is_taken_in_and_reports_once(server: Server, shell: list[str]) -> None:
    server = Server(server.root, shell)
    server.run(status=0)
    assert server.verbs == VERBS
    found = server.result
    assert (found["kind"], found["via"], found["outcome"]) == ("host-run", "script", "connected")
    assert re.fullmatch(r"[0-9a-f]{12}", found["bundle"])
    assert found["path"]["kind"] == "check"
    assert len(found["path"]["endpoints"]) == 8
    assert found["answers"][-1]["agent"]["status"] == "Connected"
    read = read_result(next(server.root.path.glob("share/results/*")))
    assert not read.failed
    state = json.loads(server.root.read("var/opt/azcmagent/state"))
    assert state["access-token"] == CANARY
    assert (state["resource-name"], state["tags"]) == (os.uname().nodename, "a='b c'")
    assert not any("secret" in key for key in state)
    assert CANARY not in server.root.read("argv")
    before = server.asked()
    server.forget()
    server.run(status=0)
    assert server.asked() == before
    assert list(server.root.path.glob("share/results/*")) == []


def test_what_a_killed_run_left_is_removed_by_the_next_one(server: Server, shell: list[str]) -> None:
    server = Server(server.root, shell)
    os.mkfifo(server.root.path / "started")
    server.root.put("behave", "[ $1 != connect ] || { echo $$ >/started; sleep 60; }\n")
    command = server.root.command("unshare", "-n", *shell, "/share/onboard.sh")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as running:
        agent = int((server.root.path / "started").read_text())
        group = os.getpgid(agent)
        os.killpg(running.pid, signal.SIGKILL)
    # The time limit's own group; while anything of a run lives, the next one leaves its token alone.
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    (left,) = holding(server.root.path / "var")
    assert left.match("var/tmp/arcferry.*/config.json"), "the host script's own, which the agent reads"
    an_hour_ago = (
        time.time() - 3700
    )  # what was killed may wait for somebody to ask how it ended, and counts as alive
    os.utime(left, (an_hour_ago, an_hour_ago))
    server.root.put("behave", "")
    server.run(status=0)


def test_nothing_of_the_bundle_stays_on_a_connected_server(server: Server) -> None:
    server.run(status=0)
    kept = sorted(path.name.partition("-")[0] for path in (server.root.path / "var/lib/arcferry").iterdir())
    assert kept == ["delivered", "lock"]
    assert (server.root.path / "var/lib/arcferry").stat().st_mode & 0o777 == 0o700


def test_a_server_that_was_connected_before_only_reports(server: Server, agent_script: str) -> None:
    server.root.put("opt/azcmagent/bin/azcmagent", agent_script, 0o755)
    settings = json.loads((server.root.path / "share/settings.json").read_text())["connect"]
    place = (
        f"/subscriptions/{settings['subscription-id'].upper()}/resourceGroups/{settings['resource-group']}"
    )
    server.root.put("var/opt/azcmagent/state", json.dumps({"resource-name": "web01"}))
    server.root.put(
        "var/opt/azcmagent/state.id", f"{place}/providers/Microsoft.HybridCompute/machines/web01\n"
    )
    server.run(status=0)
    assert server.verbs == ["verify", "facts", "show"]
    assert server.asked() == []


UNHEARD = """[ "$1" != show ] || {
	[ ! -f $state.id ] || printf 'Agent Status : %s\\nResource Id : %s\\n' Disconnected "$(cat $state.id)"
	exit 0
}
"""


def test_a_server_that_azure_has_not_heard_from_is_not_called_connected(
    server: Server, shell: list[str]
) -> None:
    server = Server(server.root, shell)
    server.root.put("behave", UNHEARD)
    server.run(status=1)
    found = server.result
    assert (server.verbs, found["outcome"]) == (VERBS, "not-heard-from")
    assert [answer["ok"] for answer in found["answers"]] == [True] * 6
    assert found["answers"][-1]["agent"]["status"] == "Disconnected"
    before = server.asked()
    server.run(status=1)
    assert (server.verbs, server.result["outcome"]) == (["verify", "facts", "show"], "not-heard-from")
    server.root.put("behave", "")
    server.run(status=0)
    assert server.result["outcome"] == "connected"
    server.root.put("behave", UNHEARD)
    server.run(status=1)
    assert server.result["outcome"] == "not-heard-from", "what the share says is never older than it was"
    server.root.put("behave", "")
    server.run(status=0)
    assert server.result["outcome"] == "connected"
    assert server.asked() == before, "looked at, and nothing done to it"


@pytest.mark.parametrize(
    ("behave", "verb", "code"),
    [
        ('[ "$1" != check ] || exit 26', "check", "AZCM0026"),
        ('[ "$1" != connect ] || { echo "FATAL AZCM0041: no"; exit 41; }', "connect", "AZCM0041"),
    ],
)
def test_it_stops_at_the_first_that_fails_and_goes_on_next_time(
    server: Server, behave: str, verb: str, code: str
) -> None:
    server.root.put("behave", behave)
    server.run(status=1)
    assert server.verbs == VERBS[: VERBS.index(verb) + 1]
    found = server.result
    assert (found["outcome"], found["answers"][-1]["code"]) == ("failed", code)
    server.root.put("behave", "")
    server.run(status=0)
    assert (server.verbs, server.result["outcome"]) == (VERBS, "connected")
    assert [answer.get("changed") for answer in server.result["answers"]][2] is False


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bundle/agent/azcmagent.deb", "azcmagent.deb"),
        ("bundle/host/linux.sh", "linux.sh"),
        ("bundle/host/linux-network.sh", "linux-network.sh"),
        ("bundle/manifest.json", "manifest.json"),
    ],
)
def test_a_changed_file_on_the_share_runs_and_installs_nothing(server: Server, name: str, says: str) -> None:
    path = server.root.path / "share" / name
    path.write_bytes(path.read_bytes() + b"\ntouch /ran\n")
    server.run(status=1)
    assert server.verbs == ["verify"]
    answer = server.result["answers"][0]
    assert (answer["ok"], answer["code"]) == (False, "hash-mismatch")
    assert says in answer["message"]
    assert not server.root.has("ran")
    assert not server.root.has("opt/azcmagent")


def test_an_extra_file_in_the_bundle_is_refused(server: Server) -> None:
    (server.root.path / "share/bundle/host/extra.sh").write_text("touch /ran\n")
    server.run(status=1)
    assert server.verbs == ["verify"]
    assert not server.root.has("opt/azcmagent")


@pytest.mark.parametrize("content", [None, "", "<html>sign in</html>\n", "a b"])
def test_what_is_no_token_is_not_handed_on(server: Server, content: str | None) -> None:
    path = server.root.path / "run/token"
    path.unlink() if content is None else path.write_text(content)
    server.run(status=1)
    answer = server.result["answers"][-1]
    assert (answer["verb"], answer["code"]) == ("connect", "token-unreadable")
    assert [line.split()[0] for line in server.asked()] == ["check"]


def test_a_result_that_cannot_be_delivered_is_delivered_later(server: Server) -> None:
    results = server.root.path / "share/results"
    results.rmdir()
    done = server.run(status=0)
    assert b"results cannot be written" in done.stderr
    results.mkdir()
    before = server.asked()
    server.run(status=0)
    assert (server.result["outcome"], server.verbs) == ("connected", VERBS)
    assert server.asked() == before
    assert [path.name for path in results.iterdir() if path.name.startswith(".")] == []


def test_a_folder_in_the_results_place_swallows_nothing(server: Server) -> None:
    taken = server.root.path / f"share/results/{os.uname().nodename}.json"
    taken.mkdir()
    done = server.run(status=0)
    assert b".json is a folder: remove it; the result is /var/lib/arcferry/result.json" in done.stderr
    assert list(taken.iterdir()) == []
    assert [path.name for path in taken.parent.iterdir()] == [taken.name]
    taken.rmdir()
    server.run(status=0)
    assert server.result["outcome"] == "connected"


def test_a_second_start_at_one_time_does_nothing_and_is_to_be_tried_again(server: Server) -> None:
    lock = server.root.put("var/lib/arcferry/lock", "")
    with subprocess.Popen(["flock", lock, "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as held:
        assert held.stdin
        while subprocess.run(["flock", "-n", lock, "true"], check=False).returncode == 0:
            pass  # until it is held
        done = server.run(status=75)
        held.stdin.close()
    assert b"another run" in done.stderr
    assert server.asked() == []
    assert list(server.root.path.glob("share/results/*")) == []


def delay(server: Server, minutes: int) -> None:
    change(server, delay_minutes=minutes)


def change(server: Server, **settings: object) -> None:
    path = server.root.path / "share/settings.json"
    held = json.loads(path.read_text()) | settings
    path.write_text(json.dumps(held, indent=2, sort_keys=True) + "\n")


WINDOWS = {
    "2001-01-01T00:00:00Z/2001-01-01T05:00:00Z 2101-01-01T00:00:00Z/2101-01-01T05:00:00Z": (
        75,
        b"it opens 2101-01-01T00:00:00Z",
    ),
    "2001-01-01T00:00:00Z/2001-01-01T05:00:00Z": (75, b"never again with this bundle"),
    "2001-01-01T00:00:00Z/2101-01-01T05:00:00Z": (0, b""),
}


@pytest.mark.parametrize("window", WINDOWS)
def test_nothing_is_done_outside_the_window(server: Server, shell: list[str], window: str) -> None:
    server = Server(server.root, shell)
    status, says = WINDOWS[window]
    change(server, window=window)
    done = server.run(status=status)
    assert says in done.stderr
    assert bool(server.asked()) == (status == 0)


def test_whoever_starts_it_by_hand_does_not_wait(server: Server) -> None:
    delay(server, 24 * 60)
    done = server.run(status=0)
    assert b"starts in" not in done.stderr


def test_a_spread_start_says_how_long_and_why_and_ends_at_a_signal(server: Server, shell: list[str]) -> None:
    server = Server(server.root, shell)
    delay(server, 24 * 60)
    command = server.root.command("unshare", "-n", *shell, "/share/onboard.sh", "--spread")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr
        said = started.stderr.readline() + started.stderr.readline()
        found = re.match(
            r"starts in (\d+) s \(at random, at most 1440 min; without --spread at once\),\n", said
        )
        assert found, said
        assert 0 <= int(found[1]) <= 24 * 3600
        assert "not all servers read the share at one time" in said
        began = time.monotonic()
        started.terminate()
        assert started.wait(30) == 130
        assert time.monotonic() - began < 20
    assert server.asked() == []


def run_from_the_page(server: Server, tmp_path: Path) -> subprocess.CompletedProcess[bytes]:
    """What the page of steps says to type, in the server's shell."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```$", (tmp_path / "out/STEPS.md").read_text())
    (typed,) = [block for block in blocks if "sha256sum -c" in block]
    command = server.root.command("unshare", "-n", *server.shell, "-c", typed)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=300)
    assert list(server.root.path.glob("var/tmp/*")) == []
    return done


def test_the_pages_command_takes_a_server_in(server: Server, shell: list[str], tmp_path: Path) -> None:
    server = Server(server.root, shell)
    done = run_from_the_page(server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (server.verbs, server.result["outcome"]) == (VERBS, "connected")


@pytest.mark.parametrize("name", ["onboard.sh", "settings.json"])
def test_the_pages_command_runs_nothing_that_was_changed_on_the_share(
    server: Server, shell: list[str], tmp_path: Path, name: str
) -> None:
    server = Server(server.root, shell)
    with (server.root.path / "share" / name).open("a") as stream:
        stream.write("\ntouch /ran\n")
    done = run_from_the_page(server, tmp_path)
    assert done.returncode == 1
    assert f"{name}: FAILED".encode() in done.stdout
    assert not server.root.has("ran")
    assert not server.root.has("var/lib/arcferry")


@pytest.mark.parametrize(
    "name", ["bundle", "bundle/host", "bundle/host/linux.sh", "bundle/agent/azcmagent.deb"]
)
def test_a_link_on_the_share_is_not_what_runs(server: Server, shell: list[str], name: str) -> None:
    """What a link leads to can be changed after it was verified, however right it was then."""
    server = Server(server.root, shell)
    path = server.root.path / "share" / name
    path.rename(server.root.path / "share/elsewhere")
    path.symlink_to("/share/elsewhere")
    server.run(status=1)
    assert server.verbs == ["verify"]
    assert server.result["answers"][0]["code"] == "extra-file"
    assert not server.root.has("opt/azcmagent")


def test_what_is_swapped_after_its_hash_was_read_never_runs(server: Server, shell: list[str]) -> None:
    server = Server(server.root, shell)
    share = server.root.path / "share"
    good, evil = share / "good.sh", share / "evil.sh"
    linked = share / "bundle/host/linux.sh"
    linked.rename(good)
    linked.symlink_to("/share/good.sh")
    evil.write_text("#!/bin/sh\ntouch /ran\n")
    with Reading(good) as reading:
        swapping = threading.Thread(target=lambda: reading.wait() and evil.replace(good))
        swapping.start()
        server.run(status=1)
        reading.stop()
        swapping.join()
    assert not server.root.has("ran")


@pytest.mark.parametrize("kind", ["folder", "file", "into"])
def test_no_link_in_results_is_followed(server: Server, shell: list[str], kind: str) -> None:
    """Every server can write there, and root's writing must not be led to other places."""
    server = Server(server.root, shell)
    results = server.root.path / "share/results"
    victim = server.root.path / "etc/victim"
    victim.mkdir()
    kept = server.root.put("etc/victim/file", "as it was", 0o600)
    host = os.uname().nodename
    if kind == "folder":
        results.rmdir()
        results.symlink_to("/etc/victim")
    elif kind == "file":
        (results / f"{host}.json").symlink_to("/etc/victim/file")
    else:
        (results / f"{host}.json").symlink_to("/etc/victim")
    done = server.run(status=0)
    assert [path.name for path in victim.iterdir()] == ["file"]
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("as it was", 0o600)
    if kind == "folder":
        assert b"is a link" in done.stderr
    else:
        assert not (results / f"{host}.json").is_symlink()
        assert server.result["outcome"] == "connected"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: (root / "run/token").chmod(0o640),
        lambda root: (root / "run/token").chmod(0o604),
        lambda root: os.chown(root / "run/token", 65534, 0),
        lambda root: (root / "run").chmod(0o777),
        lambda root: (root / "run").chmod(0o775),
        lambda root: (root / "run").chmod(0o1777),
        lambda root: os.chown(root / "run", 65534, 0),
        lambda root: ((root / "run/token").rename(root / "real"), (root / "run/token").symlink_to("/real")),
    ],
    ids=["group", "others", "owner", "folder", "folder-group", "folder-sticky", "folder-owner", "link"],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_token_file_that_is_not_roots_alone_is_refused(
    server: Server, shell: list[str], spoil: Callable[[Path], object]
) -> None:
    server = Server(server.root, shell)
    spoil(server.root.path)
    server.run(status=1)
    answer = server.result["answers"][-1]
    assert (answer["verb"], answer["ok"], answer["code"]) == ("connect", False, "token-unsafe")
    assert "/run/token: must be a plain file of root's" in answer["message"]
    assert not server.root.has("var/opt/azcmagent/state")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_token_file_of_roots_alone_is_taken(server: Server, mode: int) -> None:
    (server.root.path / "run/token").chmod(mode)
    (server.root.path / "var/run").symlink_to("/run")
    server.run("/var/run/token", status=0)


def test_settings_that_change_meanwhile_change_nothing(server: Server) -> None:
    server.root.put("behave", "[ ! -d /share ] || echo '{}' >/share/settings.json")
    server.run(status=0)
    assert server.result["via"] == "script"
    assert (server.root.path / "share/settings.json").read_text() == "{}\n"


def test_a_link_in_place_of_its_folder_is_refused(server: Server) -> None:
    (server.root.path / "elsewhere").mkdir()
    (server.root.path / "var/lib/arcferry").symlink_to("/elsewhere")
    server.run(status=1)
    assert list((server.root.path / "elsewhere").iterdir()) == []


def test_the_token_and_the_results_can_be_named(server: Server) -> None:
    (server.root.path / "run/token").rename(server.root.path / "run/other")
    (server.root.path / "results").mkdir()
    server.run("/run/other", "/results", status=0)
    (path,) = (server.root.path / "results").iterdir()
    assert json.loads(path.read_text())["outcome"] == "connected"
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("words", [["a", "b", "c"], ["--bogus"], ["--from"], ["--from", "/nowhere"]])
def test_a_wrong_call_ends_with_2(server: Server, words: list[str]) -> None:
    server.run(*words, status=2)


def test_a_certificate_is_not_for_linux(server: Server) -> None:
    path = server.root.path / "share/settings.json"
    held = json.loads(path.read_text()) | {"token_file": ""}
    held["connect"]["service-principal-cert-thumbprint"] = "0" * 40
    path.write_text(json.dumps(held, indent=2, sort_keys=True) + "\n")
    assert b"name the file with the token" in server.run(status=2).stderr
    assert not server.root.has("opt/azcmagent")
    server.run("/run/token", status=0)
    assert "service-principal" not in server.root.read("var/opt/azcmagent/state")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_script_cut_short_does_nothing(server: Server, share: float) -> None:
    path = server.root.path / "share/onboard.sh"
    text = path.read_bytes()
    path.write_bytes(text[: int(len(text) * share)])
    command = server.root.command("unshare", "-n", *server.shell, "/share/onboard.sh")
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    assert list((server.root.path / "share/results").iterdir()) == []
    assert not server.root.has("var/lib/arcferry")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not on PATH")
def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "onboard.sh"
    copy.write_text(SCRIPT.read_text(encoding="ascii"))
    done = subprocess.run(["shellcheck", "-s", "sh", copy], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_it_stays_short_and_uses_no_network_tool() -> None:
    text = SCRIPT.read_text(encoding="ascii")
    assert len(text.splitlines()) <= 360
    assert max(map(len, text.expandtabs(4).splitlines())) <= 120
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert not re.findall(r"\b(curl|wget|nc|python3?|perl|jq|eval|source)\b", code)


def test_the_exported_script_is_this_one(server: Server) -> None:
    exported = (server.root.path / "share/onboard.sh").read_bytes()
    assert hashlib.sha256(exported).hexdigest() == hashlib.sha256(SCRIPT.read_bytes()).hexdigest()


@pytest.fixture
def old_server(
    root: "PrivateRoot", dash: list[str], options: Make, agent_script: str, tmp_path: Path
) -> Server:
    """Connected by an agent of 1.66.0, before a share that was exported to upgrade to 1.67.0."""
    made = options(sign_in=None, upgrades=True)
    export.export(made, Tool.SCRIPT, tmp_path / "out")
    shutil.copytree(tmp_path / "out" / "share", root.path / "share")
    (root.path / "share/results").mkdir()
    (root.path / "var/lib").mkdir(exist_ok=True)
    give_agent(root, agent_script, "1.66.0")
    root.put("var/opt/azcmagent/state", json.dumps({"resource-name": "web01"}))
    root.put("var/opt/azcmagent/state.id", f"{made.target.machine_id('web01')}\n")
    return Server(root, dash)


def give_agent(root: "PrivateRoot", agent_script: str, version: str) -> None:
    root.put("opt/azcmagent/bin/azcmagent", agent_script.replace("1.67.0", version), 0o755)


def test_a_connected_server_is_upgraded_once_without_a_token(old_server: Server, shell: list[str]) -> None:
    server = Server(old_server.root, shell)
    server.run(status=0)
    assert server.verbs == ["verify", "facts", "install", "show"]
    assert server.asked() == [], "neither connected anew nor changed"
    read = read_result(next(server.root.path.glob("share/results/*")))
    assert (read.connected, read.was, read.agent.version) == (True, "1.66.0", "1.67.0")
    assert [step.says for step in read.run.steps if step.step == "install"] == ["agent 1.67.0, 1.66.0 before"]
    server.forget()
    server.run(status=0)
    assert list(server.root.path.glob("share/results/*")) == []


@pytest.mark.parametrize("version", ["1.67.0", "1.67", "1.67.0.1", "1.100.0", "2.0"])
def test_an_agent_that_is_no_older_is_left(old_server: Server, agent_script: str, version: str) -> None:
    give_agent(old_server.root, agent_script, version)
    old_server.run(status=0)
    assert (old_server.verbs, old_server.result["outcome"]) == (["verify", "facts", "show"], "connected")


@pytest.mark.parametrize("left", ["no agent", "no connection", "another place", "expired"])
def test_an_upgrade_leaves_what_is_not_connected_here_alone(old_server: Server, left: str) -> None:
    root = old_server.root
    match left:
        case "no agent":
            shutil.rmtree(root.path / "opt/azcmagent")
        case "no connection":
            (root.path / "var/opt/azcmagent/state.id").unlink()
        case "another place":
            identity = root.read("var/opt/azcmagent/state.id").replace("/rg-arc/", "/rg-other/")
            root.put("var/opt/azcmagent/state.id", identity)
        case _:
            root.put("behave", UNHEARD.replace("Disconnected", "Expired"))
    old_server.run(status=1)
    (answer,) = old_server.result["answers"]
    assert (answer["verb"], answer["code"]) == ("upgrade", "not-held")
    assert not list((root.path / "var/lib/arcferry").glob("*/agent")), "nothing was copied"
    read = read_result(next(root.path.glob("share/results/*")))
    assert read.failed
    assert "bring it in first" in read.run.steps[-1].hint


def test_an_upgrade_stops_at_a_changed_bundle(old_server: Server) -> None:
    path = old_server.root.path / "share/bundle/agent/azcmagent.deb"
    path.write_bytes(path.read_bytes() + b"x")
    old_server.run(status=1)
    assert (old_server.verbs, old_server.result["answers"][0]["code"]) == (["verify"], "hash-mismatch")


def test_an_upgraded_server_that_is_not_heard_from_is_not_called_done(old_server: Server) -> None:
    old_server.root.put("behave", UNHEARD)
    old_server.run(status=1)
    assert old_server.verbs == ["verify", "facts", "install", "show"]
    assert old_server.result["outcome"] == "not-heard-from"
    old_server.root.put("behave", "")
    old_server.run(status=0)
    assert (old_server.verbs, old_server.result["outcome"]) == (["verify", "facts", "show"], "connected")
