"""`--output html` of the commands, and `arcferry report` over what they wrote."""

import json
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.cli.test_explain import CASES
from tests.report.page import samples

from arcferry.fleet.events import Event, EventKind, journal
from arcferry.fleet.run_folder import open_run
from arcferry.times import from_text

CASE = CASES / "missing-community-seen-on-the-router"


def handed_in() -> list[Path]:
    return [path for path in sorted(CASE.iterdir()) if path.name != "expected.toml"]


def test_a_page_says_what_is_wrong_who_acts_and_what_to_send(arcferry: Run, tmp_path: Path) -> None:
    files = handed_in()
    written = arcferry("explain", *files, "--output", "json")
    (tmp_path / "findings.json").write_text(written.out)
    finding = json.loads(written.out)["findings"][0]
    page = tmp_path / "report.html"
    ended = arcferry("report", tmp_path / "findings.json", "-o", page)
    assert (ended.code, ended.out) == (0, "")
    assert "Written: " in ended.err
    text = page.read_text(encoding="utf-8")
    assert finding["title"] in samples.words_of(text.partition("<h1>")[2].partition("</h1>")[0])
    assert f"The {finding['owner']} team can change it" in text
    assert finding["remedy"]["request"].splitlines()[0] in samples.words_of(text)
    assert arcferry("explain", *files, "--output", "html").out.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("routes", "plan", "--location", "eastasia"), "communities"),
        (("routes", "audit", "--location", "eastasia"), "Expected and observed"),
        (("onboard", "status"), "No run is remembered."),
    ],
)
def test_a_command_prints_its_result_as_a_page(arcferry: Run, words: tuple[str, ...], says: str) -> None:
    ended = arcferry(*words, "--output", "html")
    assert ended.code in (0, 1)
    assert ended.out.startswith("<!DOCTYPE html>")
    assert says in ended.out
    assert arcferry(*words, "--output", "markdown").out.startswith("# ")
    assert arcferry(*words, "--output", "csv").out.startswith("kind,name,")


def test_a_page_of_a_code_is_no_result(arcferry: Run) -> None:
    ended = arcferry("explain", "AZCM0026", "--output", "html")
    assert ended.code == 2
    assert "Hand in files" in ended.err


def test_a_page_goes_to_standard_output_unless_it_is_told_where(arcferry: Run, tmp_path: Path) -> None:
    for name in ("check", "run"):
        (tmp_path / name).write_text(json.dumps(samples.ALL[name]))
    ended = arcferry("report", tmp_path / "check", tmp_path / "run")
    assert ended.code == 0
    assert ended.out.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("name", "begins"), [("a.MD", "# "), ("a.csv", "kind,name,"), ("a.htm", "<!DOCTYPE")]
)
def test_the_file_says_by_its_name_what_it_is(arcferry: Run, tmp_path: Path, name: str, begins: str) -> None:
    (tmp_path / "it.json").write_text(json.dumps(samples.ALL["check"]))
    assert arcferry("report", tmp_path / "it.json", "-o", tmp_path / name).code == 0
    assert (tmp_path / name).read_text().startswith(begins)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("hello", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": 1e999}', "not JSON"),
        ('{"kind": "bundle"}', "no result that a page can be made of"),
        ('{"kind": "check", "schema": 7}', "another schema"),
    ],
)
def test_a_file_that_is_no_result_is_refused_by_name(
    arcferry: Run, tmp_path: Path, content: str, says: str
) -> None:
    (tmp_path / "it.json").write_text(content)
    ended = arcferry("report", tmp_path / "it.json", "--out", tmp_path / "page.html")
    assert ended.code == 2
    assert "it.json" in ended.err
    assert says in ended.err
    assert not (tmp_path / "page.html").exists()


def test_a_file_that_is_not_there_is_named(arcferry: Run, tmp_path: Path) -> None:
    ended = arcferry("report", tmp_path / "none.json")
    assert ended.code == 2
    assert "none.json" in ended.err


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_english_findings_of_a_file_are_told_in_the_reader_s_language(
    arcferry: Run, tmp_path: Path, language: str
) -> None:
    (tmp_path / "it.json").write_text(arcferry("explain", *handed_in(), "--output", "json").out)
    ended = arcferry("report", tmp_path / "it.json", "--lang", language)
    assert (ended.code, ended.err) == (0, "")
    at_once = arcferry("explain", *handed_in(), "--output", "html", "--lang", language).out
    heading = at_once.partition("<h1>")[2].partition("</h1>")[0]
    assert heading
    assert heading in ended.out
    assert ("路由篩選器" in heading) is (language == "zh-TW")


def test_findings_without_what_they_were_judged_by_stay_as_they_are_and_that_is_said(
    arcferry: Run, tmp_path: Path
) -> None:
    (tmp_path / "it.json").write_text(json.dumps(samples.ALL["findings"]))
    ended = arcferry("report", tmp_path / "it.json", "--lang", "zh-TW")
    assert ended.code == 0
    assert "it.json：1 項發現維持英文" in ended.err  # Chinese
    assert samples.finding()["title"] in samples.words_of(ended.out)


def test_a_run_that_is_remembered_is_named_instead_of_a_file(arcferry: Run, tmp_path: Path) -> None:
    run = open_run(tmp_path / "state", "0123456789ab", {"hosts": 2}, from_text("2026-11-28T08:00:00Z"))
    with journal(run.journal, run.id) as tell:
        tell(Event("", EventKind.BEGUN))
        tell(Event("server01", EventKind.FAILED, "install", "no room", seconds=4))
        for step in ("install", "check", "connect"):
            tell(Event("server01", EventKind.DONE, step, f"{step} is done", 2, seconds=20))
        tell(Event("server01", EventKind.CONNECTED, attempt=2))
        tell(Event("", EventKind.ENDED))
    ended = arcferry("report", run.id)
    assert ended.code == 0
    assert f"1 of 2 servers connected in run {run.id}" in ended.out
    assert f"The steps of each server in run {run.id}" in ended.out
    assert "check, done, 20.0 s, check is done" in ended.out
    assert "no room" not in ended.out


def test_what_is_neither_a_file_nor_a_run_is_named(arcferry: Run) -> None:
    ended = arcferry("report", "0123456789ab")
    assert ended.code == 2
    assert "0123456789ab: neither a file nor a run" in ended.err
    assert "arcferry onboard status" in ended.err
