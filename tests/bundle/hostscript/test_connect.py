"""Connecting: the token's file never stays, and nothing of it is shown."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import PrivateRoot

TOKEN = "eyJ0-a-canary-token"
CONFIG = {
    "access-token": TOKEN,
    "subscription-id": "1f5a",
    "resource-group": "rg-arc",
    "resource-name": "web01",
    "tenant-id": "t",
    "location": "eastasia",
    "cloud": "AzureCloud",
    "tags": 'a="resource-name": "evil",b=\\',
}
ID = "/subscriptions/1f5a/resourceGroups/rg-arc/providers/Microsoft.HybridCompute/machines/web01"


def put_config(root: "PrivateRoot", *, mode: int = 0o600, **changed: str) -> Path:
    path: Path = root.put("run/arcferry.json", json.dumps(CONFIG | changed), mode)
    return path


def seen_of_token(root: "PrivateRoot", *texts: bytes) -> list[str]:
    """Where the token is, other than with the agent itself."""
    places = [path for path in root.path.rglob("*") if path.is_file() and not path.is_symlink()]
    found = [str(path) for path in places if TOKEN.encode() in path.read_bytes() and path.name != "state"]
    return found + [text.decode() for text in texts if TOKEN.encode() in text]


def test_it_connects_once(shell: list[str], connected_root: "PrivateRoot") -> None:
    root = connected_root
    put_config(root)
    first = root.run(shell, "connect", "/run/arcferry.json")
    assert (first["ok"], first["changed"], first["exit"], first["code"]) == (True, True, 0, "")
    assert (first["heard_from"], first["status"]) == (True, "Connected")
    assert "Connected machine" in first["output"]
    assert json.loads(root.read("var/opt/azcmagent/state")) == CONFIG
    put_config(root, **{"subscription-id": "1F5A", "resource-group": "RG-Arc"})
    again = root.run(shell, "connect", "/run/arcferry.json")
    assert (again["ok"], again["changed"]) == (True, False)
    assert root.read("argv").count("connect") == 1
    assert seen_of_token(root, first.raw, again.raw) == []
    shown = root.run(shell, "show")["agent"]
    assert (shown["status"], shown["resource_id"], shown["resource_name"]) == ("Connected", ID, "web01")
    assert shown["last_heartbeat"] == "2026-11-23T08:00:00Z"


def test_a_config_on_several_lines_is_read_too(shell: list[str], connected_root: "PrivateRoot") -> None:
    connected_root.put("var/opt/azcmagent/state.id", ID)
    connected_root.put("run/arcferry.json", json.dumps(CONFIG, indent=4))
    answer = connected_root.run(shell, "connect", "--wait=0", "/run/arcferry.json")
    assert (answer["ok"], answer["changed"]) == (True, False)
    assert (answer["heard_from"], answer["status"]) == (False, "Disconnected")


def test_the_config_comes_by_standard_input(shell: list[str], connected_root: "PrivateRoot") -> None:
    answer = connected_root.run(shell, "connect", "-", input=json.dumps(CONFIG).encode())
    assert answer["changed"] is True
    assert json.loads(connected_root.read("var/opt/azcmagent/state")) == CONFIG
    assert seen_of_token(connected_root, answer.raw) == []


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ("echo 'INFO    Exit Code:  AZCM0044: taken'; exit 44", 44, "AZCM0044"),
        ("exit 26", 26, "AZCM0026"),
        ("echo Failure code AZCM0042; exit 1", 1, "AZCM0042"),
        ("exit 127", 127, ""),
        ("kill -9 $$", 137, ""),
    ],
)
def test_a_refusal_of_the_agent_is_reported(
    shell: list[str], connected_root: "PrivateRoot", behaviour: str, status: int, code: str
) -> None:
    connected_root.put("behave", f"[ $1 != connect ] || {{ {behaviour}; }}\n")
    put_config(connected_root)
    answer = connected_root.run(shell, "connect", "/run/arcferry.json")
    assert (answer["ok"], answer["changed"], answer["exit"], answer["code"]) == (False, False, status, code)
    assert not connected_root.has("run/arcferry.json")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o601])
def test_a_config_that_others_can_reach_is_refused_and_removed(
    shell: list[str], connected_root: "PrivateRoot", mode: int
) -> None:
    put_config(connected_root, mode=mode)
    answer = connected_root.run(shell, "connect", "/run/arcferry.json")
    assert answer["code"] == "config-unsafe"
    assert seen_of_token(connected_root, answer.raw) == []
    assert "connect" not in connected_root.read("argv")


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away needs root")
def test_a_config_of_another_user_is_refused_and_removed(
    shell: list[str], connected_root: "PrivateRoot"
) -> None:
    os.chown(put_config(connected_root), 1000, 1000)
    assert connected_root.run(shell, "connect", "/run/arcferry.json")["code"] == "config-unsafe"
    assert not connected_root.has("run/arcferry.json")


def test_a_link_to_a_config_is_refused_and_only_the_link_removed(
    shell: list[str], connected_root: "PrivateRoot"
) -> None:
    put_config(connected_root)
    (connected_root.path / "run/link.json").symlink_to("arcferry.json")
    assert connected_root.run(shell, "connect", "/run/link.json")["code"] == "config-unsafe"
    assert not connected_root.has("run/link.json")
    assert connected_root.has("run/arcferry.json")


@pytest.mark.parametrize("verb", ["connect", "disconnect"])
def test_a_file_without_a_token_is_left_alone(
    shell: list[str], connected_root: "PrivateRoot", verb: str
) -> None:
    answer = connected_root.run(shell, verb, "/etc/os-release")
    assert answer["code"] == "config-no-token"
    assert "debian" in connected_root.read("etc/os-release")
    assert connected_root.run(shell, verb, "/run/gone.json")["code"] == "config-unreadable"
    assert connected_root.run(shell, verb, "/run")["code"] == "config-unreadable"


def test_without_the_agent_the_config_is_removed_too(shell: list[str], root: "PrivateRoot") -> None:
    put_config(root)
    assert root.run(shell, "connect", "/run/arcferry.json")["code"] == "not-installed"
    assert not root.has("run/arcferry.json")
    assert root.run(shell, "show")["code"] == "not-installed"
    assert root.run(shell, "check", "eastasia", "AzureCloud")["code"] == "not-installed"


@pytest.mark.parametrize("verb", ["connect", "disconnect"])
def test_what_a_killed_run_left_is_removed_by_the_next_one(
    shell: list[str], connected_root: "PrivateRoot", verb: str
) -> None:
    root = connected_root
    os.mkfifo(root.path / "started")
    waits = f"[ $1 != {verb} ] || {{ echo $$ >/started; sleep 60; }}\n"
    root.put("behave", waits)
    if verb == "disconnect":
        root.put("var/opt/azcmagent/state.id", ID)
    running = subprocess.Popen(
        root.command(*shell, "/linux.sh", verb, "-"), stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        assert running.stdin is not None
        running.stdin.write(json.dumps(CONFIG).encode())
        running.stdin.close()
        agent = int((root.path / "started").read_text())
        # While it runs, no other run may take its token from it.
        root.put("behave", "")
        run_beside(root, shell, "uninstall")
        assert len(seen_of_token(root)) == 1
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(20)
    with suppress(ProcessLookupError):
        os.kill(agent, signal.SIGKILL)
    assert len(seen_of_token(root)) == 1, "a killed run cannot remove anything"
    put_config(root)
    answer = root.run(shell, "connect", "/run/arcferry.json", "--wait=0")
    assert answer["ok"] is True
    assert seen_of_token(root, answer.raw) == []


def run_beside(root: "PrivateRoot", shell: list[str], *words: str) -> None:
    """Run the script where another run's folder, or what looks like one, lies too."""
    command = root.command(*shell, "/linux.sh", *words)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    assert json.loads(done.stdout)["verb"] == words[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away needs root")
def test_nothing_is_removed_by_way_of_a_folder_of_others(
    shell: list[str], connected_root: "PrivateRoot"
) -> None:
    root = connected_root
    theirs = root.put("etc/app/config.json", "{}")
    (root.path / "var/tmp/arcferry.1.linked").symlink_to("/etc/app")
    (root.path / "var/tmp/arcferry.1.given").mkdir()
    given = root.put("var/tmp/arcferry.1.given/config.json", "{}")
    os.chown(given.parent, 1000, 1000)
    put_config(root)
    run_beside(root, shell, "connect", "/run/arcferry.json")
    assert theirs.exists()
    assert given.exists()
    (root.path / "var/tmp/arcferry.1.linked").unlink()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """The signal, heard also where the tests themselves run with it ignored, as under nohup and in a job of
    a script: a shell cannot trap a signal that was ignored when it began."""
    number = signal.Signals[request.param]
    before = signal.getsignal(number)
    if before is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
    yield request.param
    signal.signal(number, before)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"], indirect=True)
@pytest.mark.parametrize("config", ["/run/arcferry.json", "-"])
def test_a_signal_ends_the_agent_and_removes_the_config(
    shell: list[str], connected_root: "PrivateRoot", name: str, config: str
) -> None:
    root = connected_root
    put_config(root)
    os.mkfifo(root.path / "started")
    root.put("behave", "[ $1 != connect ] || { trap 'echo ended >/ended; exit 1' TERM\necho $$ >/started\n"
             "i=0; while [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done; }\n")  # fmt: skip
    command = root.command(*shell, "/linux.sh", "connect", config)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        running.stdin.write(json.dumps(CONFIG).encode())
        running.stdin.close()
        (root.path / "started").read_text()
        running.send_signal(getattr(signal, name))
        assert running.wait(timeout=20) == 130
    deadline = time.monotonic() + 20
    while root.read("ended") != "ended\n":
        assert time.monotonic() < deadline, "the agent was left running"
        time.sleep(0.02)
    root.assert_clean()
    if config != "-":
        assert seen_of_token(root) == []


def test_a_reader_that_goes_away_does_not_keep_the_config(
    shell: list[str], connected_root: "PrivateRoot"
) -> None:
    put_config(connected_root)
    reader, writer = os.pipe()
    os.close(reader)
    command = connected_root.command(*shell, "/linux.sh", "connect", "/run/arcferry.json")
    with os.fdopen(writer, "wb") as out:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, check=False)
    assert not connected_root.has("run/arcferry.json")
    connected_root.assert_clean()


def test_disconnecting_twice_is_disconnecting_once(shell: list[str], connected_root: "PrivateRoot") -> None:
    root = connected_root
    put_config(root)
    root.run(shell, "connect", "/run/arcferry.json")
    put_config(root)
    first = root.run(shell, "disconnect", "/run/arcferry.json")
    assert (first["ok"], first["changed"]) == (True, True)
    assert "disconnect --config /run/arcferry.json" in root.read("argv")
    put_config(root)
    assert root.run(shell, "disconnect", "/run/arcferry.json")["changed"] is False
    assert seen_of_token(root, first.raw) == []
    root.put("var/opt/azcmagent/state.id", ID)
    assert root.run(shell, "disconnect", "--local-only")["changed"] is True
    assert "disconnect --force-local-only" in root.read("argv")


def test_check_hands_on_what_the_agent_says(shell: list[str], connected_root: "PrivateRoot") -> None:
    answer = connected_root.run(shell, "check", "eastasia", "AzureCloud")
    assert answer["output"] == "ENDPOINT |REACHABLE\n"
    assert "check --location eastasia --cloud AzureCloud" in connected_root.read("argv")
    connected_root.put("behave", "printf 'a\\000b\\033[2J\\377 \\342\\202\\254'; exit 26\n")
    answer = connected_root.run(shell, "check", "eastasia", "AzureCloud")
    assert (answer["ok"], answer["exit"], answer["code"]) == (False, 26, "AZCM0026")
    assert answer["output"] == "ab\x1b[2J €"


def test_what_the_agent_shows_is_data_only(shell: list[str], connected_root: "PrivateRoot") -> None:
    connected_root.put(
        "behave",
        "printf 'Agent Status : \"}$(id)\\\\\\nResource Id:/a:b c\\r\\nVM ID :\\n'\n"
        "printf ' Agent Status : second\\n'; exit 0\n",
    )
    agent = connected_root.run(shell, "show")["agent"]
    assert agent["status"] == '"}$(id)\\'
    assert agent["resource_id"] == "/a:b c"
    assert agent["vm_id"] == ""


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("7783-7084-3265-9085-8269-3286-77\n", True), ("No Asset Tag\n", False), ("", False), (None, None)],
)
def test_an_azure_vm_is_known_by_its_asset_tag(
    shell: list[str], root: "PrivateRoot", tag: str | None, expected: bool | None
) -> None:
    if tag is not None:
        root.put("sys/class/dmi/id/chassis_asset_tag", tag)
    assert root.run(shell, "facts")["azure_vm"] is expected


def test_os_release_is_read_and_never_run(shell: list[str], root: "PrivateRoot") -> None:
    root.put("etc/os-release", 'ID=\'x\'\nVERSION_ID="$(touch /ran)"\nPRETTY_NAME=a "b"; touch /ran\n', 0o644)
    assert root.run(shell, "facts")["distro"] == {
        "id": "x",
        "version": "$(touch /ran)",
        "name": 'a "b"; touch /ran',
    }
    assert not root.has("ran")


def test_busybox_is_all_it_needs(busybox_root: "PrivateRoot", agent_script: str) -> None:
    root = busybox_root
    facts = root.run(["sh"], "facts")
    assert facts["distro"]["name"] == "Debian GNU/Linux 12"
    assert facts["disk_free"] > 0
    assert facts["agent"]["installed"] is False
    root.put("opt/azcmagent/bin/azcmagent", agent_script, 0o755)
    put_config(root)
    assert root.run(["sh"], "connect", "/run/arcferry.json")["changed"] is True
    assert not root.has("run/arcferry.json")
    root.put("behave", "printf '\\342\\202\\254\\377\\033 %s' '\"\\\\'; exit 26\n")
    answer = root.run(["sh"], "check", "eastasia", "AzureCloud")
    assert (answer["code"], answer["output"]) == ("AZCM0026", '€\x1b "\\\\')
    assert root.run(["sh"], "verify", "/linux.sh", "0" * 64)["code"] == "hash-mismatch"


def test_the_proxy_is_set_before_it_connects(shell: list[str], connected_root: "PrivateRoot") -> None:
    put_config(connected_root)
    answer = connected_root.run(shell, "connect", "/run/arcferry.json", "http://proxy.corp:8080")
    assert (answer["ok"], answer["changed"]) == (True, True)
    commands = connected_root.read("argv").splitlines()
    assert commands[-3:] == [
        "config set proxy.url http://proxy.corp:8080",
        "connect --config /run/arcferry.json",
        "show",
    ]
    facts = connected_root.run(shell, "facts")
    assert facts["proxy"] == {"url": "http://proxy.corp:8080", "source": "proxy.url"}


def test_where_the_proxy_cannot_be_set_it_does_not_connect(
    shell: list[str], connected_root: "PrivateRoot"
) -> None:
    put_config(connected_root)
    connected_root.put("behave", "[ $1 != config ] || { echo AZCM0023: no; exit 23; }\n")
    answer = connected_root.run(shell, "connect", "/run/arcferry.json", "http://proxy.corp:8080")
    assert (answer["ok"], answer["code"], answer["changed"]) == (False, "AZCM0023", False)
    assert "connect" not in connected_root.read("argv")
    assert not connected_root.has("run/arcferry.json")


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:s3cret@proxy:8080",
        "proxy:8080",
        "http://proxy/a",
        "http://proxy a",
        "http://",
        "httpx://proxy",
        "http:///x",
        "http://proxy\nx",
        "",
    ],
)
def test_a_proxy_with_a_password_never_reaches_a_command_line(
    dash: list[str], connected_root: "PrivateRoot", proxy: str
) -> None:
    put_config(connected_root)
    answer = connected_root.run(dash, "connect", "/run/arcferry.json", proxy)
    assert answer["code"] == "bad-proxy"
    assert b"s3cret" not in answer.raw
    assert connected_root.read("argv").split() == ["show"]
    assert not connected_root.has("run/arcferry.json")


def test_a_thumbprint_is_refused_by_name_and_left_alone(
    shell: list[str], connected_root: "PrivateRoot"
) -> None:
    connected_root.put("run/c.json", json.dumps({"service-principal-cert-thumbprint": "ab" * 20}))
    answer = connected_root.run(shell, "connect", "/run/c.json")
    assert (answer["code"], "Windows" in answer["message"]) == ("config-thumbprint", True)
    assert connected_root.has("run/c.json")


@pytest.mark.parametrize("token", [True, False])
def test_a_long_lived_secret_is_refused_and_removed(
    shell: list[str], connected_root: "PrivateRoot", token: bool
) -> None:
    values = {"service-principal-secret": TOKEN} | ({"access-token": TOKEN} if token else {})
    connected_root.put("run/c.json", json.dumps(values))
    answer = connected_root.run(shell, "connect", "/run/c.json")
    assert answer["code"] == "config-secret"
    assert seen_of_token(connected_root, answer.raw) == []
    assert not connected_root.has("argv")
