"""What onboard.ps1 does case by case, in the engine that tests share; test_on_windows runs it for real."""

import json
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from tests.powershell import PowerShell, windows

from arcferry import export
from arcferry.export import ExportOptions, Tool

HARNESS = Path(__file__).parent / "harness.ps1"
TOKEN = "eyJ0-a-canary-token-of-some-length"
VERBS = ["verify", "facts", "install", "check", "connect", "show"]
Run = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.xdist_group("powershell")


@pytest.fixture
def run(tmp_path: Path, make_options: Callable[..., ExportOptions], powershell: PowerShell) -> Run:
    return cases(tmp_path, make_options(delay=0), powershell)


def cases(tmp_path: Path, options: ExportOptions, powershell: PowerShell) -> Run:
    """What runs the script of an export as the harness does, with more of its text and other settings."""
    folder = tmp_path / "case"
    export.export(options, Tool.GPO, tmp_path / "out")
    shutil.copytree(tmp_path / "out" / "share", folder / "share")
    (folder / "results").mkdir()
    (folder / "home").mkdir()
    settings = folder / "share" / "settings.json"

    def case(text: str = "", **changed: object) -> dict[str, Any]:
        held = json.loads(settings.read_text()) | {"results": windows(folder / "results")} | changed
        settings.write_text(json.dumps(held))
        (folder / "case.ps1").write_text(text, encoding="ascii")
        with resources.as_file(resources.files("arcferry.export") / "wrappers/onboard.ps1") as script:
            done = powershell.call(HARNESS, windows(script), windows(folder))
        assert (done.returncode, done.stderr) == (0, b""), done.stdout
        answer: dict[str, Any] = json.loads(done.stdout.decode("ascii").splitlines()[-1])
        assert TOKEN not in json.dumps({**answer, "config": ""})
        assert not any(TOKEN.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
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
    verb, _, text = answer["config"].partition(" ")
    assert verb == "connect"
    config = json.loads(text)
    assert config["resource-name"] == "web01"
    assert config["service-principal-cert-thumbprint"] == "0123456789ABCDEF0123456789ABCDEF01234567"
    assert "access-token" not in config


def test_a_connected_server_that_has_reported_is_left_alone(run: Run) -> None:
    run()
    again = run("$CaseStanding = 'Connected'")
    assert (again["good"], again["ran"]) == (True, [])


UNHEARD = """$CaseSaid['show'] = '{"schema":1,"verb":"show","ok":true,"agent":{"status":"Disconnected"}}'"""


def test_a_server_that_azure_has_not_heard_from_is_not_called_connected(run: Run) -> None:
    answer = run(UNHEARD)
    assert (answer["good"], verbs(answer), answer["problems"]) == (False, VERBS, [])
    assert answer["result"]["outcome"] == "not-heard-from"
    again = run(f"{UNHEARD}; $CaseStanding = 'Disconnected'")
    assert (again["good"], verbs(again)) == (False, ["verify", "facts", "show"])
    assert again["result"]["outcome"] == "not-heard-from"
    heard = run("$CaseStanding = 'Connected'")
    assert (heard["good"], heard["result"]["outcome"]) == (True, "connected")
    lost = run(f"{UNHEARD}; $CaseStanding = 'Disconnected'")
    assert (lost["good"], lost["result"]["outcome"]) == (False, "not-heard-from")
    back = run("$CaseStanding = 'Connected'")
    assert (back["good"], back["result"]["outcome"]) == (True, "connected")


@pytest.mark.parametrize(
    ("seconds", "words"), [(300, "connect stdin"), (20, "connect stdin -WaitSeconds 20")]
)
def test_the_host_script_is_told_how_long_to_wait(run: Run, seconds: int, words: str) -> None:
    assert words in run(wait_seconds=seconds)["ran"]


def test_a_connected_server_that_never_reported_does_so(run: Run) -> None:
    answer = run("$CaseStanding = 'Connected'")
    assert (answer["good"], verbs(answer)) == (True, ["verify", "facts", "show"])
    assert answer["result"]["outcome"] == "connected"


@pytest.mark.parametrize("verb", VERBS)
def test_it_stops_at_the_first_that_fails(run: Run, verb: str) -> None:
    said = '{"schema":1,"verb":"%s","ok":false,"code":"AZCM0026","message":"no"}' % verb  # noqa: UP031
    answer = run(f"$CaseSaid['{verb}'] = '{said}'")
    assert (answer["good"], verbs(answer)) == (False, VERBS[: VERBS.index(verb) + 1])
    assert answer["result"]["outcome"] == "failed"
    assert answer["result"]["answers"][-1]["code"] == "AZCM0026"


@pytest.mark.parametrize("said", ["", "not json", '{"schema":1}', "{}\n{}", "[1]"])
def test_what_is_no_answer_ends_the_run_with_one(run: Run, said: str) -> None:
    text = said.replace("\n", "'+[char]10+'")
    answer = run(f"$CaseSaid['check'] = '{text}'")
    last = answer["result"]["answers"][-1]
    assert (last["verb"], last["ok"], last["code"]) == ("check", False, "no-answer")


def test_a_wanted_restart_is_passed_on(run: Run) -> None:
    said = '{"schema":1,"verb":"install","ok":true,"exit":3010,"reboot_required":true}'
    answer = run(f"$CaseSaid['install'] = '{said}'")
    assert (answer["good"], answer["restart"]) == (True, True)


def test_the_token_goes_into_the_file_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\r\n")
    answer = run(token_file=windows(path))
    assert json.loads(answer["config"].partition(" ")[2])["access-token"] == TOKEN


@pytest.mark.parametrize("content", [None, "", "<html>", "short"])
def test_what_is_no_token_is_not_handed_on(run: Run, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    answer = run(token_file=windows(path))
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
    later = run("$CaseStanding = 'Connected'")
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
    assert verbs(run(f"$From = '{windows(tmp_path)}'")) == VERBS


def test_a_link_in_the_folder_of_results_is_not_followed(run: Run, tmp_path: Path) -> None:
    results = tmp_path / "case/results"
    results.rmdir()
    (tmp_path / "victim").mkdir()
    results.symlink_to(tmp_path / "victim")
    answer = run()
    assert list((tmp_path / "victim").iterdir()) == []
    assert "it is a link" in answer["problems"][0]


FACTS = (
    """$CaseSaid['facts'] = '{"schema":1,"verb":"facts","ok":true,"arch":"amd64","agent":{"version":"%s"}}'"""
)


@pytest.fixture
def upgrade(tmp_path: Path, make_options: Callable[..., ExportOptions], powershell: PowerShell) -> Run:
    return cases(tmp_path, make_options(delay=0, sign_in=None, upgrades=True), powershell)


@pytest.mark.parametrize(
    ("version", "did"),
    [
        ("1.66.0", ["verify", "facts", "install", "show"]),
        ("", ["verify", "facts", "install", "show"]),
        ("1.67.0", ["verify", "facts", "show"]),
        ("1.67.3.4", ["verify", "facts", "show"]),
        ("1.100.0", ["verify", "facts", "show"]),
    ],
)
def test_an_older_agent_is_upgraded_once(upgrade: Run, version: str, did: list[str]) -> None:
    answer = upgrade(f"{FACTS % version}; $CaseStanding = 'Connected'")
    assert (answer["good"], verbs(answer), answer["config"]) == (True, did, "")
    assert answer["result"]["outcome"] == "connected"
    again = upgrade(f"{FACTS % version}; $CaseStanding = 'Connected'")
    assert (again["good"], again["ran"]) == (True, [])


def test_what_onboarding_has_reported_is_no_report_of_an_upgrade(run: Run, tmp_path: Path) -> None:
    run()
    answer = run(f"{FACTS % '1.66.0'}; $CaseStanding = 'Connected'", way="upgrade")
    assert verbs(answer) == ["verify", "facts", "install", "show"]


def test_an_upgrade_leaves_what_is_not_connected_here_alone(upgrade: Run) -> None:
    answer = upgrade()
    assert (answer["good"], answer["ran"]) == (False, [])
    (said,) = answer["result"]["answers"]
    assert (said["verb"], said["code"]) == ("upgrade", "not-held")


def test_an_upgrade_stops_at_a_changed_bundle(upgrade: Run, tmp_path: Path) -> None:
    script = tmp_path / "case/share/bundle/host/windows.ps1"
    script.write_bytes(script.read_bytes() + b"\r\n# x\r\n")
    answer = upgrade("$CaseStanding = 'Connected'")
    assert (answer["ran"], answer["result"]["answers"][-1]["code"]) == ([], "hash-mismatch")
