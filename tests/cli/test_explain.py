"""`arcferry explain` from its arguments to its exit code."""

import json
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from types import SimpleNamespace

import pytest

from arcferry import cli
from arcferry.evidence import reading

CASES = Path(__file__).parents[1] / "cases"
Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr("sys.argv", ["arcferry", "explain", *map(str, arguments)])
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=out, err=err)

    return run


def case(name: str) -> list[Path]:
    return [path for path in sorted((CASES / name).iterdir()) if path.name != "expected.toml"]


def test_an_error_among_the_findings_is_exit_code_1(run: Run) -> None:
    ended = run(*case("two-names-one-community"))
    assert ended.code == 1
    assert "route/community-not-in-filter" in ended.out
    assert "route-filter.json                 a route filter" in ended.out
    assert ended.err == ""


def test_a_warning_alone_is_exit_code_0(run: Run) -> None:
    ended = run(*case("clock-three-minutes"))
    assert ended.code == 0
    assert "WARNING" in ended.out


def test_the_document_on_stdout_is_json_and_nothing_else(run: Run) -> None:
    ended = run("--output", "json", *case("two-names-one-community"))
    document = json.loads(ended.out)
    assert (ended.code, document["schema"], document["kind"]) == (1, 1, "findings")
    assert {one["name"]: one["kind"] for one in document["inputs"]}["dns.json"] == "dns-answers"


def test_json_lines(run: Run) -> None:
    lines = [
        json.loads(line) for line in run("-o", "jsonl", *case("two-names-one-community")).out.splitlines()
    ]
    assert [line["kind"] for line in lines] == ["finding", "evidence", "findings"]


def test_standard_input(run: Run) -> None:
    text = (CASES / "two-names-one-community" / "check.txt").read_bytes()
    ended = run("-", stdin=text)
    assert ended.code == 1
    assert "standard input" in ended.out


def test_standard_input_is_bounded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcferry.files.FILE_LIMIT", 100)
    ended = run("-", stdin=b"x" * 101)
    assert ended.code == 2
    assert "standard input: larger than the 100 bytes" in ended.err


def test_what_is_not_recognised_is_a_warning_beside_what_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("hello")
    ended = run(tmp_path / "notes.md", *case("two-names-one-community"))
    assert ended.code == 1
    assert "warning: notes.md: not recognised" in ended.err
    assert "notes.md                          not recognised" in ended.out


def test_nothing_recognised_is_exit_code_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("hello")
    ended = run(tmp_path / "notes.md")
    assert (ended.code, ended.out) == (2, "")
    assert "notes.md" in ended.err
    assert "Known are" in ended.err


def test_every_file_that_cannot_be_used_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.out").write_bytes(b"\x7fELF" + bytes(600))
    (tmp_path / "folder").mkdir()
    ended = run(tmp_path / "a.out", tmp_path / "folder", tmp_path / "missing.txt", *case("refused"))
    assert (ended.code, ended.out) == (2, "")
    for part in ("a.out: a binary file", "folder: not a file", "missing.txt: no such file"):
        assert part in ended.err
    assert "Traceback" not in ended.err


def test_a_file_that_is_too_large_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FILE_LIMIT", 1000)
    (tmp_path / "huge.log").write_bytes(b"x" * 1001)
    ended = run(tmp_path / "huge.log")
    assert ended.code == 2
    assert "huge.log: no dump of routes, and larger than the 1,000 bytes" in ended.err


def test_two_files_of_one_name_are_told_apart(run: Run) -> None:
    first, second = CASES / "name-not-found" / "check.txt", CASES / "private-answer" / "check.txt"
    names = [one["name"] for one in json.loads(run("-o", "json", first, second).out)["inputs"]]
    assert names == [str(first), str(second)]


@pytest.mark.parametrize("name", ["AZCM0026", "azcm26", "azcm0026"])
def test_a_code_of_the_agent(run: Run, name: str) -> None:
    ended = run(name)
    assert ended.code == 0
    for part in ("AZCM0026", "Meaning", "What to do", "Does a retry help?", "proves nothing", "Source"):
        assert part in ended.out


@pytest.mark.parametrize("arguments", [("msiexec 1603",), ("msiexec", "1603"), ("1603",)])
def test_a_code_of_windows_installer(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.code == 0
    assert "msiexec 1603" in ended.out
    assert "No: something must change first." in ended.out


def test_a_code_as_json(run: Run) -> None:
    document = json.loads(run("-o", "json", "AZCM0026").out)
    assert document["kind"] == "pages"
    assert (document["pages"][0]["code"], document["pages"][0]["retry"]) == ("AZCM0026", True)


def test_the_page_of_a_cause(run: Run) -> None:
    ended = run("route/community-not-in-filter")
    assert ended.code == 0
    for part in ("What it means", "the network team", "az network route-filter rule update"):
        assert part in ended.out


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("route/community-not-in-fliter", "route/community-not-in-filter"),
        ("AZCM0126", "AZCM01"),
        ("msi 9999", "code"),
    ],
)
def test_a_name_that_is_nearly_one_offers_the_nearest(run: Run, name: str, near: str) -> None:
    ended = run(name)
    assert (ended.code, ended.out) == (2, "")
    assert f"unknown {'cause' if '/' in name else 'code'} {name!r}" in ended.err
    assert near in ended.err


def test_names_and_files_are_not_mixed(run: Run) -> None:
    ended = run("AZCM0026", *case("refused"))
    assert ended.code == 2
    assert "AZCM0026 is no file" in ended.err


def test_a_file_called_like_a_code_is_a_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "AZCM0026").write_bytes((CASES / "refused" / "check.json").read_bytes())
    assert "tcp/refused" in run("AZCM0026").out


@pytest.mark.parametrize(
    ("name", "cause"),
    [("AADSTS7000215", "signin/secret-invalid"), ("authorizationfailed", "arm/not-authorized")],
)
def test_a_code_of_azure_is_told_with_its_cause(run: Run, name: str, cause: str) -> None:
    ended = run(name)
    assert ended.code == 0
    assert cause in ended.out
    assert "None" not in ended.out


def test_a_message_of_windows_installer_has_a_page(run: Run) -> None:
    assert "did not start" in run("msi error 1920").out


def test_what_nothing_recognises_is_told_with_what_it_looked_like(run: Run, tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text("azcmagent: all is well\n")
    ended = run(tmp_path / "odd.txt")
    assert ended.code == 2
    assert "odd.txt: it looks most like output about azcmagent" in ended.err


def test_what_each_file_was_taken_for_is_printed(run: Run) -> None:
    ended = run(*case("logs-in-a-zip"))
    assert ended.code == 1
    for part in ("logs.zip", "logs.zip!azcmagent.log", "logs.zip!show.txt"):
        assert part in ended.out


def test_a_check_that_holds_what_it_was_judged_by_is_called_by_its_file(run: Run, tmp_path: Path) -> None:
    check = json.loads((CASES / "kept-evidence/check.json").read_text(encoding="utf-8"))
    check["evidence"]["documents"][1]["name"] = "arcferry check"
    (tmp_path / "monday.json").write_text(json.dumps(check))
    ended = run(tmp_path / "monday.json", "--output", "json")
    found = json.loads(ended.out)
    assert [one["name"] for one in found["inputs"]][1:3] == ["monday.json", "route-filter.json"]
    assert found["evidence"]["documents"][1]["name"] == "arcferry check"


@pytest.mark.shared
def test_a_router_s_word_of_thousands_of_digits(run: Run) -> None:
    file = Path(__file__).parents[3] / "shared/cases/hostile-2026-11/long-number.txt"
    if not file.exists():
        pytest.skip("the shared cases are not beside the checkout")
    ended = run(file, *case("two-names-one-community"))
    assert ended.code == 1
    assert "long-number.txt                   routes of a router" in ended.out
    assert "route/community-not-in-filter" in ended.out
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_file_that_no_reader_foresees_is_a_finding_beside_the_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    def surprised(_: str, text: str) -> None:
        if "springs the trap" in text:
            raise OverflowError("7f3c")

    monkeypatch.setattr(reading, "_TEXT_READERS", (surprised, *reading._TEXT_READERS))
    (tmp_path / "evil.txt").write_text("this one springs the trap\n")
    ended = run("--output", output, tmp_path / "evil.txt", *case("two-names-one-community"))
    assert ended.code == 1
    assert "evidence/unreadable" in ended.out
    assert "route/community-not-in-filter" in ended.out
    assert "evil.txt could not be read" in ended.out
    assert "7f3c" not in ended.out + ended.err


def test_a_code_of_thousands_of_digits_is_no_code(run: Run) -> None:
    ended = run("AZCM" + "9" * 5000)
    assert ended.code == 2
    assert "unknown code" in ended.err
    assert len(ended.err) < 1000


@pytest.mark.parametrize(
    ("typed", "title", "note"),
    [
        ("0x80072ee7", "winhttp 12007", "note: 0x80072ee7 is winhttp 12007"),
        ("-2147012889", "winhttp 12007", "note: -2147012889 is winhttp 12007"),
        ("26", "AZCM0026", "note: 26 is AZCM0026"),
        ("28", "AZCM0028", "note: 28 is curl 28 too: arcferry explain 'curl 28'"),
        ("HIMDS", "himds", ""),
        ("disabledsubscription", "ReadOnlyDisabledSubscription", "note: disabledsubscription is ReadOnly"),
    ],
)
def test_what_people_type_is_understood(run: Run, typed: str, title: str, note: str) -> None:
    ended = run(typed)
    assert ended.code == 0
    assert ended.out.startswith(f"{title}  (")
    assert note in ended.err


def test_words_that_no_quotes_hold_together(run: Run) -> None:
    assert run("curl", "28").out == run("curl 28").out
    assert "curl 28" in run("curl", "28").out
    pages = json.loads(run("AZCM0026", "dns/name-not-found", "1603", "-o", "json").out)["pages"]
    assert [page.get("code") or page["cause"] for page in pages] == ["AZCM0026", "dns/name-not-found", "1603"]


def test_a_number_of_the_network_is_told_with_the_page_of_its_cause(run: Run) -> None:
    pages = json.loads(run("12007", "--output", "json").out)["pages"]
    assert [page.get("code") or page["cause"] for page in pages] == ["12007", "dns/name-not-found"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("AADSTS99999", "https://login.microsoftonline.com/error?code=99999"),
        ("AADSTS99999", "is not in this version's table"),
        ("0x80240022", "it is a number of Windows Update"),
        ("nonsense", "arcferry explain --list"),
        ("nonsense", "unknown code or cause 'nonsense'"),
        ("missing.txt", "missing.txt: no such file"),
    ],
)
def test_what_is_not_known_is_said_so_with_a_way_on(run: Run, typed: str, words: str) -> None:
    ended = run(typed)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_a_word_beside_files_is_meant_as_one(run: Run) -> None:
    assert "nonsense: no such file" in run("nonsense", *case("two-names-one-community")).err


def test_all_that_there_is_a_page_of_is_listed(run: Run) -> None:
    names = json.loads(run("--list", "--output", "json").out)["names"]
    assert {one["kind"] for one in names} >= {"cause", "agent", "entra", "winhttp", "curl", "service"}
    for one in names:
        assert run(one["name"]).code == 0, one


def test_nothing_at_all_is_told_what_there_is(run: Run) -> None:
    assert "arcferry explain --list" in run().err
