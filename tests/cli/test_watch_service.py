"""`arcferry watch install`, `uninstall` and `status`, and the watch that an installed unit would run."""

import asyncio
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.json_documents import known

from arcferry import catalog
from arcferry.files import only_one
from arcferry.probe.observation import Observation
from arcferry.watch.changes import Round
from arcferry.watch.history import History, history_path
from arcferry.watch.standing import standings
from arcferry_lab.twin import Twin

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd's units")
NAME = "arcferry-watch-eastasia"
# Where this Python lies in a home, a user of the service's own could not run it.
WATCH = ("--location", "eastasia", "--run-as", "arcferry")


def test_without_a_folder_it_is_shown_and_nothing_is_written(arcferry: Run, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    ended = arcferry("watch", "install", *WATCH, "--every", "1m")
    assert ended.code == 0, ended.err
    assert f"ExecStart={sys.executable} -m arcferry watch --location eastasia --every 1m\n" in ended.out
    assert f"Nothing was written; --out DIR writes {NAME}.service." in ended.err
    assert f"Start: systemctl daemon-reload && systemctl enable --now {NAME}" in ended.err
    assert f"Stop: systemctl disable --now {NAME}" in ended.err
    assert sorted(tmp_path.rglob("*")) == before


def test_it_is_written_twice_as_once_and_taken_away(arcferry: Run, tmp_path: Path) -> None:
    units = tmp_path / "units"
    hook = tmp_path / "hook"
    hook.write_text("https://ops.example/canary\n")
    hook.chmod(0o600)
    metrics = ("--notify", f"textfile:{tmp_path}/a.prom")
    for _ in range(2):
        ended = arcferry("watch", "install", *WATCH, "--notify", f"file:{hook}", *metrics, "--out", units)
        assert ended.code == 0, ended.err
    text = (units / f"{NAME}.service").read_text()
    assert f"LoadCredential=notify-1:{hook}\n" in text
    assert f"ReadWritePaths={tmp_path}\n" in text
    assert f"note: {tmp_path} must let arcferry write" in ended.err
    assert "canary" not in text
    gone = arcferry("watch", "uninstall", "--location", "eastasia", "--units", units)
    assert gone.code == 0, gone.err
    assert list(units.iterdir()) == []
    again = arcferry("watch", "uninstall", "--location", "eastasia", "--units", units)
    assert again.code == 2
    assert f"{NAME}.service" in again.err


def test_a_unit_of_somebody_else_s_is_not_taken_away(arcferry: Run, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.service").write_text("[Unit]\n")
    ended = arcferry("watch", "uninstall", "--location", "eastasia", "--units", tmp_path)
    assert ended.code == 2
    assert "is not arcferry's" in ended.err
    assert (tmp_path / f"{NAME}.service").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "which location"),
        (("--location", "eastasai"), "unknown location"),
        ((*WATCH, "--every", "5"), "is no time"),
        ((*WATCH, "--resolver", "ns.example"), "not an IP address"),
        ((*WATCH, "--notify", "pager"), "names nobody"),
        ((*WATCH, "--proxy", "http://me:canary@proxy.example:8080"), "holds credentials"),
    ],
)
def test_what_a_watch_would_refuse_is_refused_before(
    arcferry: Run, words: tuple[str, ...], says: str
) -> None:
    ended = arcferry("watch", "install", *words)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert "canary" not in ended.err


@pytest.mark.lab
async def test_what_the_unit_runs_is_a_watch(twin: Twin, tmp_path: Path) -> None:
    """As systemd would: its ExecStart, its environment, its credentials; but for one round."""
    paths, network = twin.paths, twin.network
    secret = tmp_path / "to"
    secret.write_text(f"textfile:{tmp_path}/arcferry.prom\n")
    secret.chmod(0o600)
    arcferry = (sys.executable, "-m", "arcferry")
    options: tuple[str | Path, ...] = ("--resolver", network.resolver, "--ca-file", paths.ca)
    options += ("--port", str(network.port), "--with", paths.route_filter, "--notify", f"file:{secret}")
    done = subprocess.run(  # noqa: ASYNC221  # it asks nobody, so that the twin is not kept from an answer
        [*arcferry, "watch", "install", *WATCH, *options], capture_output=True, text=True, check=True
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("ExecStart="))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "notify-1").write_bytes(secret.read_bytes())
    (credentials / "notify-1").chmod(0o440)
    words = shlex.split(line.removeprefix("ExecStart=").replace("${CREDENTIALS_DIRECTORY}", str(credentials)))
    environment = os.environ | {
        "CREDENTIALS_DIRECTORY": str(credentials),
        "ARCFERRY_STATE": str(tmp_path / "state"),
    }
    process = await asyncio.create_subprocess_exec(
        *words, "--rounds", "1", env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    _, err = await process.communicate()
    assert process.returncode in (0, 1), err.decode()
    assert "arcferry_watch_endpoint_reached" in (tmp_path / "arcferry.prom").read_text()


def test_status_says_of_each_watch_whether_it_runs_and_takes_rounds(arcferry: Run, tmp_path: Path) -> None:
    state = tmp_path / "state"
    empty = arcferry("watch", "status", "--state", state)
    assert (empty.code, empty.out) == (2, "")
    cloud = catalog.cloud("AzureCloud")
    path = history_path(state, cloud, catalog.region("eastasia", cloud))
    with History.open(path):
        pass
    stopped = arcferry("watch", "status", "--state", state)
    assert stopped.code == 1
    assert "AzureCloud-eastasia  stopped" in stopped.out
    with only_one(path.parent, "watch", name=f"{path.stem}.lock", hint=""):
        running = arcferry("watch", "status", "--state", state, "--output", "json")
    (row,) = known(running.out)["watches"]
    assert (row["watched"], row["runs"], row["late"], row["last"]) == (
        "AzureCloud-eastasia",
        True,
        False,
        None,
    )
    assert running.code == 0


@pytest.mark.parametrize(("minutes", "late"), [(14, False), (16, True)])
def test_a_watch_is_late_after_three_intervals(tmp_path: Path, minutes: int, late: bool) -> None:
    cloud = catalog.cloud("AzureCloud")
    path = history_path(tmp_path, cloud, catalog.region("eastasia", cloud))
    began = datetime(2026, 11, 29, 8, tzinfo=UTC)
    endpoint = catalog.endpoint_named("management.azure.com")
    assert endpoint
    reached = Observation(endpoint.host, "a test", True, endpoint=endpoint, elapsed=0.1)
    with History.open(path) as history:
        for number in range(3):
            seen = Round(began + number * timedelta(minutes=5), (reached,), (), ())
            history.record(seen, (), longest_gap=timedelta(minutes=15))
    (found,) = standings([tmp_path], began + timedelta(minutes=10 + minutes))
    assert (found.late, found.interval) == (late, timedelta(minutes=5))
    assert not found.well, "nothing holds it"
