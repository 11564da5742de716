"""`--output junit`, as a reader of CI systems' reads it: junitparser, which nobody here wrote."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped
from tests.cli.test_explain import CASES
from tests.export.test_collect import failing, put
from tests.export.test_collect import result as host_result
from tests.report.test_check import FAILED, reached
from tests.report.test_check import result as checked
from typer.testing import CliRunner

from arcferry import bundle as bundles
from arcferry import errors, times
from arcferry.cli.app import app
from arcferry.diagnosis import judge
from arcferry.fleet.inventory import Host
from arcferry.fleet.outcome import FleetRun, HostOutcome, HostRun, StepResult, StepState
from arcferry.report import fleet, junit, runs
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry_lab.hosts import build_agent_package

HOSTILE = "a<b>&\"'\x1b[31m\x00\x07\u202e]]>\ufffe\ud800 <!--\n" + "x" * 5000


def suites(text: str) -> dict[str, list[tuple[str, str, str]]]:
    """Each suite's cases: the name, what came of it, and the message; the counts are right."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    read = JUnitXml.fromstring(text.encode("utf-8"))
    found: dict[str, list[tuple[str, str, str]]] = {}
    counts = [0, 0, 0, 0]
    for suite in read:
        told = [(case, [one for one in case.result if not isinstance(one, str)]) for case in suite]
        for case, _ in told:
            assert case.classname == f"arcferry.{suite.name}"
            assert case.time is not None
        found[suite.name] = [
            (case.name, type(of[0]).__name__.lower() if of else "passed", of[0].message or "" if of else "")
            for case, of in told
        ]
        kinds = [type(of[0]) if of else None for _, of in told]
        counted = [len(kinds), kinds.count(Failure), kinds.count(Error), kinds.count(Skipped)]
        assert [suite.tests, suite.failures, suite.errors, suite.skipped] == counted
        counts = [one + more for one, more in zip(counts, counted, strict=True)]
    assert [read.tests, read.failures, read.errors, read.skipped] == counts
    return found


def run(*words: str | Path) -> tuple[int, dict[str, list[tuple[str, str, str]]]]:
    done = CliRunner().invoke(app, [*map(str, words), "--output", "junit"])
    error = done.exception
    code = error.exit_code if isinstance(error, errors.ArcferryError) else done.exit_code
    return code, suites(done.stdout)


def case(name: str) -> list[Path]:
    return [path for path in sorted((CASES / name).iterdir()) if path.name != "expected.toml"]


def test_explain_fails_on_an_error_and_passes_a_warning() -> None:
    code, found = run("explain", *case("two-names-one-community"))
    (told,) = found["findings"]
    assert code == 1
    assert told[0].startswith("route/community-not-in-filter ")
    assert told[1] == "failure"
    code, found = run("explain", *case("clock-three-minutes"))
    assert code == 0
    assert [outcome for _, outcome, _ in found["findings"]] == ["passed"]


def test_a_page_is_no_result() -> None:
    done = CliRunner().invoke(app, ["explain", "AZCM0026", "--output", "junit"])
    assert isinstance(done.exception, errors.InputError)
    assert done.stdout == ""


def test_audit_has_a_case_for_each_path() -> None:
    code, found = run("routes", "audit", *case("two-names-one-community"))
    assert code == 1
    assert "failure" in {outcome for _, outcome, _ in found["routes audit"]}
    assert "failure" in {outcome for _, outcome, _ in found["findings"]}


def test_check_has_a_case_for_each_endpoint() -> None:
    result = checked(reached("pas.windows.net"), FAILED)
    found = suites(junit.check(result, judge([])))
    assert found["check eastasia"] == [
        ("https://pas.windows.net", "passed", ""),
        (f"https://{FAILED.endpoint.host}", "failure", "40.115.144.3:443 did not answer within 3.5 s"),
    ]


def test_bundle_verify_tells_a_refusal_too(tmp_path: Path) -> None:
    bundles.create_key_pair(tmp_path / "k")
    contents = bundles.Contents((build_agent_package(tmp_path),))
    secret = bundles.load_secret_key(tmp_path / "k")
    bundles.build(tmp_path / "b", contents, secret, created=times.now())
    verify = ("bundle", "verify", tmp_path / "b", "--bundle-key", tmp_path / "k.pub")
    code, found = run(*verify)
    (cases,) = found.values()
    assert code == 0
    assert cases[0] == ("seal", "passed", "")
    assert {outcome for _, outcome, _ in cases} == {"passed"}
    assert len(cases) > 5
    with (tmp_path / "b" / "host" / "linux.sh").open("a") as script:
        script.write("#\n")
    code, found = run(*verify)
    assert code == 3
    ((name, outcome, says),) = found["bundle b"]
    assert (name, outcome) == ("seal", "failure")
    assert "host/linux.sh" in says


def test_collect_has_a_case_for_each_host(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    put(share, host_result("web01"), "web01.json")
    put(share, failing("web02"), "web02.json")
    (share / "web03.json").write_text("{")
    (tmp_path / "hosts.csv").write_text("name,address\nweb01,10.0.0.1\nweb02,10.0.0.2\nweb04,10.0.0.4\n")
    code, found = run("collect", share, "--inventory", tmp_path / "hosts.csv")
    assert code == 1
    told = {name: outcome for name, outcome, _ in found["collect"]}
    assert told == {"web01": "passed", "web02": "failure", "web04": "failure", "web03.json": "skipped"}
    assert "failure" in {outcome for _, outcome, _ in found["findings"]}


def test_apply_has_a_case_for_each_host() -> None:
    moment = times.now()
    failed = StepResult("install", StepState.FAILED, "dpkg is locked", "wait", "busy", seconds=2.5)
    hosts = (
        HostRun(Host("web01", "10.0.0.1"), HostOutcome.CONNECTED),
        HostRun(Host("web02", "10.0.0.2"), HostOutcome.FAILED, (failed,)),
        HostRun(Host("web03", "10.0.0.3"), HostOutcome.STOPPED),
    )
    done = FleetRun("abc", moment, moment, {}, {}, (), hosts, "", interrupted=False, spent=False)
    assert suites(fleet.junit(done)) == {
        "onboard apply abc": [
            ("web01", "passed", ""),
            ("web02", "failure", "dpkg is locked"),
            ("web03", "error", "not finished"),
        ],
        "findings": [],
    }


def test_status_has_a_suite_for_each_run() -> None:
    states = {"web01": "connected", "web02": "failed", "web03": "started"}
    host: Callable[[str], dict[str, Any]] = lambda state: {"state": state, "step": "install", "says": "so"}  # noqa: E731
    found = suites(
        runs.junit([{"run": "abc", "hosts": {name: host(state) for name, state in states.items()}}])
    )
    assert [outcome for _, outcome, _ in found["run abc"]] == ["passed", "failure", "skipped"]
    assert suites(runs.junit([])) == {}


def test_what_hosts_and_files_say_is_text_alone() -> None:
    """Read back as what it is, in one line where it must be, and without characters that XML cannot hold."""
    cases = [
        JunitCase(HOSTILE, JunitResult.FAILURE, HOSTILE, HOSTILE, HOSTILE),
        JunitCase("quiet", details=HOSTILE),
    ]
    text = xml({HOSTILE: cases})
    text.encode("utf-8")
    assert not any(ord(letter) < 32 and letter != "\n" for letter in text)
    assert not set(text) & set("\x7f\u202e\ufffe\uffff\ud800")
    ((name, told),) = suites(text).items()
    assert name.startswith("a<b>&\"']]> <!-- xxx")
    assert told[0][1:] == ("failure", told[0][0])
    assert 890 < len(told[0][0]) <= 900


def test_a_case_a_feature() -> None:
    code, found = run("features", "-l", "eastasia")
    cases = {name: (outcome, says) for name, outcome, says in found["features eastasia"]}
    assert code == 0
    assert cases["ssh"] == ("passed", "")
    assert cases["auto-upgrade"][0] == "skipped"
    assert cases["auto-upgrade"][1].startswith("never on this path")
