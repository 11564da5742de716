"""What onboard.ps1 does, in a real PowerShell; skipped by name where none is on PATH."""

import json
import shutil
import subprocess
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from arcferry import export
from arcferry.export import ExportOptions, Tool

HARNESS = Path(__file__).parent / "harness.ps1"
ENGINE = shutil.which("powershell") or shutil.which("pwsh")
TOKEN = "eyJ0-a-canary-token-of-some-length"
VERBS = ["verify", "facts", "install", "check", "connect", "show"]
Run = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.skipif(ENGINE is None, reason="neither powershell nor pwsh is on PATH")


@pytest.fixture
def run(tmp_path: Path, make_options: Callable[..., ExportOptions]) -> Run:
    folder = tmp_path / "case"
    export.export(make_options(delay=0), Tool.GPO, tmp_path / "out")
    shutil.copytree(tmp_path / "out" / "share", folder / "share")
    (folder / "results").mkdir()
    (folder / "home").mkdir()
    settings = folder / "share" / "settings.json"

    def case(text: str = "", **changed: object) -> dict[str, Any]:
        held = json.loads(settings.read_text()) | {"results": str(folder / "results")} | changed
        settings.write_text(json.dumps(held))
        (folder / "case.ps1").write_text(text, encoding="ascii")
        script = str(resources.files("arcferry.export").joinpath("wrappers", "onboard.ps1"))
        words = [str(ENGINE), "-NoProfile", "-NonInteractive", "-File", str(HARNESS), script, str(folder)]
        done = subprocess.run(words, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        answer: dict[str, Any] = json.loads(done.stdout.decode("ascii").splitlines()[-1])
        assert TOKEN not in json.dumps({**answer, "config": ""})
        assert "connect.json" not in answer["home"]
        return answer

    return case


def verbs(answer: dict[str, Any]) -> list[str]:
    return [line.split()[0] for line in answer["ran"] if not line.startswith("sleep")]


def test_a_server_is_taken_in(run: Run) -> None:
    answer = run()
    assert (answer["good"], verbs(answer), answer["problems"]) == (True, VERBS, [])
    result = answer["result"]
    assert (result["kind"], result["host"], result["via"], result["outcome"]) == (
        "host-run",
        "web01",
        "gpo",
        "connected",
    )
    assert [one["verb"] for one in result["answers"]] == VERBS
    assert result["path"] == {"schema": 1, "kind": "check"}
    config = json.loads(answer["config"])
    assert config["resource-name"] == "web01"
    assert config["service-principal-cert-thumbprint"] == "0123456789ABCDEF0123456789ABCDEF01234567"
    assert "access-token" not in config


def test_a_connected_server_that_has_reported_is_left_alone(run: Run) -> None:
    run()
    again = run("$Connected = $true")
    assert (again["good"], again["ran"]) == (True, [])


def test_a_connected_server_that_never_reported_does_so(run: Run) -> None:
    answer = run("$Connected = $true")
    assert (answer["good"], verbs(answer)) == (True, ["verify", "facts", "show"])
    assert answer["result"]["outcome"] == "connected"


@pytest.mark.parametrize("verb", VERBS)
def test_it_stops_at_the_first_that_fails(run: Run, verb: str) -> None:
    said = '{"schema":1,"verb":"%s","ok":false,"code":"AZCM0026","message":"no"}' % verb  # noqa: UP031
    answer = run(f"$Said['{verb}'] = '{said}'")
    assert (answer["good"], verbs(answer)) == (False, VERBS[: VERBS.index(verb) + 1])
    assert answer["result"]["outcome"] == "failed"
    assert answer["result"]["answers"][-1]["code"] == "AZCM0026"


@pytest.mark.parametrize("said", ["", "not json", '{"schema":1}', "{}\n{}", "[1]"])
def test_what_is_no_answer_ends_the_run_with_one(run: Run, said: str) -> None:
    text = said.replace("\n", "'+[char]10+'")
    answer = run(f"$Said['check'] = '{text}'")
    last = answer["result"]["answers"][-1]
    assert (last["verb"], last["ok"], last["code"]) == ("check", False, "no-answer")


def test_a_wanted_restart_is_passed_on(run: Run) -> None:
    said = '{"schema":1,"verb":"install","ok":true,"exit":3010,"reboot_required":true}'
    answer = run(f"$Said['install'] = '{said}'")
    assert (answer["good"], answer["restart"]) == (True, True)


def test_the_token_goes_into_the_file_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\r\n")
    answer = run(token_file=str(path))
    assert json.loads(answer["config"])["access-token"] == TOKEN


@pytest.mark.parametrize("content", [None, "", "<html>", "short"])
def test_what_is_no_token_is_not_handed_on(run: Run, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    answer = run(token_file=str(path))
    assert answer["result"]["answers"][-1]["code"] == "token-unreadable"
    assert answer["config"] == ""


def test_a_changed_host_script_never_runs(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "case/share/bundle/host/windows.ps1"
    script.write_bytes(script.read_bytes() + b"\r\n# x\r\n")
    answer = run()
    assert (answer["ran"], answer["result"]["answers"][-1]["code"]) == ([], "hash-mismatch")


def test_a_result_that_cannot_be_delivered_is_delivered_later(run: Run, tmp_path: Path) -> None:
    (tmp_path / "case/results").rmdir()
    answer = run()
    assert (answer["good"], answer["result"], len(answer["problems"])) == (True, None, 1)
    (tmp_path / "case/results").mkdir()
    later = run("$Connected = $true")
    assert (later["ran"], later["result"]["outcome"]) == ([], "connected")


def test_a_folder_in_the_results_place_swallows_nothing(run: Run, tmp_path: Path) -> None:
    taken = tmp_path / "case/results/web01.json"
    taken.mkdir()
    answer = run()
    assert (answer["good"], len(answer["problems"])) == (True, 1)
    assert "it is a folder; remove it" in answer["problems"][0]
    assert [list(taken.iterdir()), list(taken.parent.iterdir())] == [[], [taken]]


def test_uninstall_disconnects_here_first(run: Run) -> None:
    answer = run("$Uninstall = $true")
    assert (answer["good"], verbs(answer)) == (True, ["verify", "disconnect", "uninstall"])
    assert answer["result"] is None


def test_the_start_is_spread_within_the_bound_and_says_so(run: Run) -> None:
    answer = run("$Spread = $true", delay_minutes=2)
    waits = [int(line.split()[1]) for line in answer["ran"] if line.startswith("sleep")]
    assert len(waits) == 1
    assert 0 <= waits[0] <= 120
    said = f"starts in {waits[0]} s (at random, at most 2 min; without -Spread at once), "
    assert answer["problems"] == [said + "so that not all servers read the share at one time"]


def test_whoever_starts_it_by_hand_does_not_wait(run: Run) -> None:
    answer = run(delay_minutes=24 * 60)
    assert [line for line in answer["ran"] if line.startswith("sleep")] == []
    assert verbs(answer) == VERBS


def test_the_bundle_comes_from_the_share_that_was_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "case/share/bundle").rename(tmp_path / "bundle")
    assert verbs(run(f"$From = '{tmp_path}'")) == VERBS


def test_a_link_in_the_folder_of_results_is_not_followed(run: Run, tmp_path: Path) -> None:
    results = tmp_path / "case/results"
    results.rmdir()
    (tmp_path / "victim").mkdir()
    results.symlink_to(tmp_path / "victim")
    answer = run()
    assert list((tmp_path / "victim").iterdir()) == []
    assert "it is a link" in answer["problems"][0]
