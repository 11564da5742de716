"""The lab as a user runs it: real processes, a real folder, signals."""

import json
import os
import re
import select
import shlex
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcferry_lab import background, folder

pytestmark = pytest.mark.lab
KEYS = {
    "schema", "kind", "network", "pid", "folder", "cloud", "location", "port", "resolver", "ca_file",
    "arm_url", "authority", "tenant_id", "subscription_id", "resource_group", "client_id", "client_secret",
    "client_secret_file", "client_certificate_file", "service_tags_file", "communities_file",
    "route_filter_file", "circuit_file", "agent_package", "rpm_package", "windows_package",
    "code_signing_ca_file", "hosts", "windows_hosts", "inner_hosts",
    "known_hosts_file", "inventory_file", "resolvers", "proxy", "environment",
}  # fmt: skip
JAPAN_EAST = "12076:51012"


def arcferry(*arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, "-m", "arcferry", "lab", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"NO_COLOR": "1"} | environment,
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


class Lab:
    """A lab in a folder of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return arcferry(*arguments, code=code, ARCFERRY_LAB_FOLDER=str(self.path))

    def up(self, *arguments: str) -> dict[str, object]:
        return dict(json.loads(self.run("up", "--output", "json", *arguments).stdout))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    yield Lab(tmp_path / "lab")
    background.down(tmp_path / "lab")


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=0.3).close()
    except OSError:
        return False
    return True


def wait_for_end(pid: int) -> None:
    """Until the kernel says that a process, which need not be our child, is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], 10)[0]
    os.close(descriptor)


def test_up_prints_all_that_an_outside_client_needs_and_down_leaves_nothing(lab: Lab) -> None:
    document = lab.up()
    assert set(document) == KEYS
    assert json.loads((lab.path / "lab.json").read_text()) == document
    assert stat.S_IMODE(lab.path.stat().st_mode) == 0o700
    for name in ("lab.json", "client-secret", "client-certificate.pem", "id_ed25519"):
        assert stat.S_IMODE((lab.path / name).stat().st_mode) == 0o600, name
    assert (lab.path / "client-secret").read_text() == document["client_secret"]
    arm = str(document["arm_url"]).removeprefix("https://").split(":")
    assert answers(arm[0], int(arm[1]))
    lab.run("down")
    assert not lab.path.exists()
    assert not answers(arm[0], int(arm[1]))
    wait_for_end(int(str(document["pid"])))


def test_up_twice_says_where_it_is_running(lab: Lab) -> None:
    document = lab.up()
    again = lab.run("up", code=1)
    assert str(lab.path) in again.stderr
    assert str(document["pid"]) in again.stderr
    assert json.loads(lab.run("status", "--output", "json").stdout)["pid"] == document["pid"]


def test_down_without_a_lab_is_no_failure_and_status_is(lab: Lab) -> None:
    assert "No lab is running" in lab.run("down").stderr
    assert "no lab is running" in lab.run("status", code=1).stderr
    assert "arcferry lab up" in lab.run("env", code=1).stderr


def test_the_command_to_go_on_with_names_the_labs_folder(tmp_path: Path) -> None:
    """As somebody types it who has set nothing; the line that is printed leads to this very lab."""
    folder = tmp_path / "my twin"
    quiet = {"ARCFERRY_LAB_FOLDER": "", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    started = arcferry("up", "--folder", str(folder), **quiet)
    try:
        (line,) = [line for line in started.stderr.splitlines() if "lab env" in line]
        words = shlex.split(re.search(r"\$\((.*)\)", line)[1])  # type: ignore[index]  # it is there
        assert words == ["arcferry", "lab", "env", "--folder", str(folder)]
        assert f"export ARCFERRY_LAB_FOLDER='{folder}'" in arcferry(*words[2:], **quiet).stdout
        again = arcferry("up", "--folder", str(folder), code=1, **quiet)
        assert f"arcferry lab down --folder '{folder}' ends it" in again.stderr
        assert "--folder" not in arcferry("status", ARCFERRY_LAB_FOLDER=str(folder)).stderr
    finally:
        arcferry("down", "--folder", str(folder), **quiet)


@pytest.mark.parametrize("then", ["down", "up"])
def test_a_killed_lab_is_cleaned_up_after(lab: Lab, then: str) -> None:
    pid = int(str(lab.up()["pid"]))
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    assert "was killed" in lab.run("status", code=1).stderr
    lab.run(then)
    if then == "down":
        assert not lab.path.exists()
    else:
        assert json.loads((lab.path / "lab.json").read_text())["pid"] != pid


def test_a_terminated_lab_cleans_up_after_itself(lab: Lab) -> None:
    pid = int(str(lab.up()["pid"]))
    os.kill(pid, signal.SIGTERM)
    wait_for_end(pid)
    assert not lab.path.exists()


def test_a_lab_that_hangs_is_ended_all_the_same(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = int(str(lab.up()["pid"]))
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(background, "_ASK_SECONDS", 0.2)
    monkeypatch.setattr(background, "_STOP_SECONDS", 0.5)
    assert background.down(lab.path)
    assert not lab.path.exists()
    wait_for_end(pid)


def test_two_ups_at_once_give_one_lab(lab: Lab) -> None:
    command = [sys.executable, "-m", "arcferry", "lab", "up", "--folder", str(lab.path), "--quiet"]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert sorted(code for _, code in ended) == [0, 1]
    assert ["already" in said for said, code in ended if code == 1] == [True]
    assert json.loads(lab.run("status", "-o", "json").stdout)["kind"] == "lab"


def test_the_environment_is_what_a_shell_takes(lab: Lab) -> None:
    document = lab.up("--location", "westeurope")
    script = f'eval "$({sys.executable} -m arcferry lab env)" && env'
    shell = subprocess.run(
        ["sh", "-c", script],
        env=os.environ | {"ARCFERRY_LAB_FOLDER": str(lab.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    for name, value in document["environment"].items():  # type: ignore[attr-defined]
        assert f"{name}={value}\n" in shell.stdout
    assert str(document["client_secret"]) not in shell.stdout
    assert "ARCFERRY_LOCATION=westeurope\n" in shell.stdout


def test_the_filter_is_shown_and_changed(lab: Lab) -> None:
    document = lab.up()
    shown = json.loads(lab.run("filter", "show").stdout)
    communities = shown["properties"]["rules"][0]["properties"]["communities"]
    assert communities == ["12076:51010", "12076:5060", "12076:5070"]
    japan = ".".join([*str(document["resolver"]).split(".")[:2], "12", "3"])
    port = int(str(document["port"]))
    assert not answers(japan, port)
    assert "Japan East" in lab.run("filter", "add", JAPAN_EAST).stdout
    assert answers(japan, port)
    assert json.loads(Path(str(document["route_filter_file"])).read_text()) == json.loads(
        lab.run("filter", "show").stdout
    )
    lab.run("filter", "remove", JAPAN_EAST)
    assert not answers(japan, port)
    assert "does not hold" in lab.run("filter", "remove", JAPAN_EAST, code=2).stderr
    assert "65000:1" in lab.run("filter", "add", "65000:1", code=2).stderr


def test_steering_machines_and_faults(lab: Lab) -> None:
    lab.up()
    steered = lab.run("steer", "gbl.his.arc.azure.com", "japaneast").stdout.splitlines()
    assert ["gbl.his.arc.azure.com", "japaneast"] in [line.split() for line in steered]
    assert "example.com" in lab.run("steer", "example.com", "japaneast", code=2).stderr
    assert "atlantis" in lab.run("steer", "gbl.his.arc.azure.com", "atlantis", code=2).stderr
    assert json.loads(lab.run("machines", "--output", "json").stdout) == []
    assert lab.run("machines").stdout.split() == ["NAME", "LOCATION", "STATUS", "SINCE", "AGENT"]
    lab.run("fault", "add", "arm/429", "--times", "3")
    lab.run("fault", "add", "path/no-http-answer", "login.windows.net")
    listed = json.loads(lab.run("fault", "list", "--output", "json").stdout)
    assert [(one["name"], one["host"], one["times"]) for one in listed] == [
        ("arm/429", "", 3),
        ("path/no-http-answer", "login.windows.net", None),
    ]
    assert "arm/429 (3 times more)" in lab.run("status").stdout
    lab.run("fault", "remove", "arm/429")
    assert "not switched on" in lab.run("fault", "remove", "arm/429", code=2).stderr
    assert "name it" in lab.run("fault", "add", "tls/connection-cut", code=2).stderr
    refused = lab.run("fault", "add", "route/session-down", code=2).stderr
    assert "takes real routers" in refused
    assert "--network namespaces" in refused
    assert "tls/connection-cut HOST" in lab.run("fault", "list", "--all").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--network", "carrier-pigeons"], 2, "loopback"),
        (["--location", "atlantis"], 2, "unknown location"),
        (["--location", "swedencentral"], 1, "no BGP community"),
        (["--hosts", "5000"], 2, "250"),
        (["--port", "70000"], 2, "65535"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing(
    lab: Lab, arguments: list[str], code: int, says: str
) -> None:
    assert says in lab.run("up", *arguments, code=code).stderr
    assert not lab.path.exists()


def test_a_port_in_use_is_named(lab: Lab) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in lab.run("up", "--port", str(port), code=1).stderr
    assert not lab.path.exists()


def test_a_folder_with_somebody_elses_files_is_left_alone(lab: Lab) -> None:
    lab.path.mkdir()
    (lab.path / "thesis.txt").write_text("years of work")
    assert "holds files that no lab made" in lab.run("up", code=2).stderr
    lab.run("down")
    assert (lab.path / "thesis.txt").read_text() == "years of work"


def test_a_file_is_no_folder(lab: Lab) -> None:
    lab.path.write_text("")
    assert "is not a folder" in lab.run("up", code=2).stderr
    lab.path.unlink()


def test_a_deep_folder_does(tmp_path: Path) -> None:
    lab = Lab(tmp_path.joinpath(*["a-folder-with-a-long-name"] * 6, "lab"))
    lab.up()
    assert lab.run("filter", "show").stdout
    lab.run("down")
    assert not lab.path.exists()


def test_a_lease_is_had_once(tmp_path: Path) -> None:
    lease = folder.take(tmp_path / "lab")
    assert lease is not None
    assert folder.take(tmp_path / "lab") is None
    assert folder.holder(tmp_path / "lab") == os.getpid()
    lease.release()
    assert folder.holder(tmp_path / "lab") is None
    again = folder.take(tmp_path / "lab")
    assert again is not None
    again.remove_folder()
    again.release()
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["up"],
        ["status"],
        ["down"],
        ["env"],
        ["steer"],
        ["machines"],
        ["filter"],
        ["fault"],
        ["fault", "add"],
    ],
)
def test_help_is_there_for_every_command(arguments: list[str]) -> None:
    shown = arcferry(*arguments, "--help").stdout
    assert "Usage:" in shown
    assert "TODO" not in shown
