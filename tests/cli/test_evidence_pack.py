"""`arcferry evidence pack`: one zip that may be sent to Microsoft, and what it tells of the field's cases."""

import hashlib
import io
import json
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.running import Ended, Run
from tests.redaction.conftest import SECRETS, SHAPES, containers

from arcferry import __version__
from arcferry.diagnosis import judge
from arcferry.diagnosis.names import community_name
from arcferry.evidence.reading import read_document
from arcferry.report import as_json

CASES = Path(__file__).parents[1] / "cases"
OWN = {"case.txt", "findings.json", "findings.txt", "versions.json", "REDACTED.txt", "SHA256SUMS"}
STORY = "timeout-outside-filter"
Pack = Callable[..., tuple[Ended, dict[str, str]]]
HOST = "agentserviceapi.guestconfiguration.azure.com"


def case(name: str) -> list[Path]:
    return [path for path in sorted((CASES / name).iterdir()) if path.name != "expected.toml"]


def opened(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def flowing(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def pack(arcferry: Run, tmp_path: Path) -> Pack:
    def pack(*arguments: object, out: str = "case.zip") -> tuple[Ended, dict[str, str]]:
        ended = arcferry("evidence", "pack", *arguments, "--out", tmp_path / out)
        return ended, opened(tmp_path / out) if (tmp_path / out).exists() else {}

    return pack


def test_everything_is_in_it_and_its_sums_agree(pack: Pack, tmp_path: Path) -> None:
    ended, found = pack(*case(STORY))
    assert ended.code == 0, ended.err
    files = {name for name in found if name.startswith("evidence/")}
    assert set(found) == OWN | files
    assert {name.partition("-")[2] for name in files} == {path.name for path in case(STORY)}
    sums = dict(line.split("  ")[::-1] for line in found["SHA256SUMS"].splitlines())
    assert sums == {
        name: hashlib.sha256(text.encode()).hexdigest()
        for name, text in found.items()
        if name != "SHA256SUMS"
    }
    versions = json.loads(found["versions.json"])
    assert (versions["kind"], versions["arcferry"]) == ("evidence-pack", __version__)
    assert {one["kind"]: one["taken"] for one in versions["data"]} == {
        "service-tags": "2026-01-05",
        "route-filter": None,
    }
    assert (tmp_path / "case.zip").stat().st_mode & 0o077 == 0


def test_the_request_tells_the_story(pack: Pack) -> None:
    _, found = pack(*case(STORY))
    told = flowing(found["case.txt"])
    assert "Cause route/community-not-in-filter (expected) Owner the network team" in told
    assert f"{HOST} at 203.0.113.5: tcp timeout: " in told
    assert "2026-01-10T06:05:00Z (check.json)" in told
    assert "Route filter rf-closed, Succeeded, as of an unknown day: allows 12076:51010 (East Asia)" in told
    assert f"Name resolution: {HOST} is answered with 203.0.113.5. Shown by check.json" in told
    assert "7 other endpoints were reached from there" in told
    assert "expressroute-routing.md, 2026-03-12]" in told
    speaks_for, against = told.split("8. Microsoft's documents that speak against it")
    assert f"{HOST} is in the list of what Azure Arc needs" in speaks_for
    assert f"Traffic Manager steers {HOST}" in against
    assert "expressroute-faqs.md, 2022-03-24]" in against
    question = told.partition("10. The question for the product group")[2]
    assert question.startswith(
        f" - {HOST} is steered by Traffic Manager and answered with an address in Japan"
    )
    assert question.count("?") == 1


FIELD = sorted(path.parent.name for path in CASES.glob("*/expected.toml"))


@pytest.mark.parametrize("part", range(8))
def test_every_case_of_the_field_names_cause_owner_community_and_times(
    part: int, arcferry: Run, tmp_path: Path
) -> None:
    for name in FIELD[part::8]:
        judged = judge([one for path in case(name) for one in read_document(path.name, path.read_bytes())])
        out = tmp_path / f"{name}.zip"
        ended = arcferry("evidence", "pack", *case(name), "--out", out)
        if judged.outcome == "not-understood" or all(one.kind == "unrecognised" for one in judged.inputs):
            assert (ended.code, out.exists()) == (2, False), name
            continue
        assert ended.code == 0, (name, ended.err)
        told = flowing(opened(out)["case.txt"])
        for finding in judged.findings:
            assert f"{finding.cause} ({finding.confidence}, {finding.owner} team)" in told, name
            for one in finding.endpoints[:20]:
                assert one.host in told, name
                assert not one.community or community_name(one.community) in told, name
        for seen in judged.case.attempts[:10]:
            if seen.taken and not seen.reachable:
                assert seen.taken.strftime("%Y-%m-%d") in told, name
        expected = tomllib.loads((CASES / name / "expected.toml").read_text())
        cause = (
            expected.get("finding", {}).get("cause", "") if isinstance(expected.get("finding"), dict) else ""
        )
        assert cause in told, name
        # What explain reads in it gives the same findings, each with the same evidence.
        again = judge(read_document("case.zip", out.read_bytes()))
        assert [as_json.finding_document(one) for one in again.findings] == [
            as_json.finding_document(one) for one in judged.findings
        ], name


def test_explain_reads_it_back_with_what_was_held(pack: Pack, arcferry: Run, tmp_path: Path) -> None:
    *others, tags = sorted(case(STORY), key=lambda path: path.name.startswith("ServiceTags"))
    assert arcferry("data", "import", tags).code == 0
    first = json.loads(arcferry("explain", *others, "-o", "json").out)
    pack(*others)
    assert arcferry("data", "remove", "--everything").code == 0
    ended = arcferry("explain", tmp_path / "case.zip", "-o", "json")
    assert json.loads(ended.out)["findings"] == first["findings"]


def test_the_same_files_give_the_same_bytes(pack: Pack, tmp_path: Path) -> None:
    for out in ("a.zip", "b.zip"):
        pack(*case("logs-in-a-zip"), out=out)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_no_secret_is_in_any_entry(pack: Pack, tmp_path: Path) -> None:
    shapes = [shape.replace("{secret}", SECRETS["entra"]) for shape in (*SHAPES["any"], *SHAPES["long"])]
    logs = io.BytesIO()
    with zipfile.ZipFile(logs, "w") as archive:
        for place, shape in enumerate(shapes[::4]):
            kinds = list(containers(shape))
            name, data = kinds[place % len(kinds)]
            archive.writestr(f"{place}-{name}.log", data)
    (tmp_path / "logs.zip").write_bytes(logs.getvalue())
    connect = dict(containers(shapes[0]))["connect"]
    (tmp_path / "connect.txt").write_bytes(connect)
    ended, found = pack(tmp_path / "logs.zip", tmp_path / "connect.txt", *case(STORY))
    assert ended.code == 0, ended.err
    assert [name for name, text in found.items() if SECRETS["entra"] in name + text] == []
    assert SECRETS["entra"] not in ended.err
    _, _, told = found["REDACTED.txt"].partition("connect.txt")
    assert told.splitlines()[1].split(maxsplit=1)[0].isdigit()


def test_a_binary_file_in_a_folder_is_left_out_and_named(pack: Pack, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for path in case(STORY):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "steps.sqlite").write_bytes(b"SQLite format 3\x00\x10\x00\x01\x01\x00" + bytes(400))
    ended, found = pack(folder)
    assert ended.code == 0, ended.err
    assert "run/steps.sqlite: binary, in which nobody can see what is secret" in found["REDACTED.txt"]
    assert "left out: " in ended.err
    assert not any("sqlite" in name for name in found)


def test_a_hostile_archive_leads_nowhere_and_the_rest_is_packed(pack: Pack, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil.log", "level=info\n")
        archive.writestr("bomb.log", b"\0" * 20_000_000)
    ended, found = pack(tmp_path / "logs.zip", *case(STORY))
    assert ended.code == 0, ended.err
    assert not any(".." in Path(name).parts or name.startswith("/") for name in found)
    assert "logs.zip!bomb.log: it is longer than" in found["REDACTED.txt"]


def test_a_zip_that_only_looks_like_a_pack_is_no_way_to_hide_findings(arcferry: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "case.zip", "w") as archive:
        for name in OWN:
            archive.writestr(name, "{}")
        archive.writestr("check.txt", "x")
    ended = arcferry("explain", tmp_path / "case.zip")
    assert ended.code == 2
    assert "not recognised" in ended.err or "is recognised" in ended.err


def test_what_changed_since_is_told(pack: Pack, tmp_path: Path) -> None:
    now = json.loads((CASES / STORY / "check.json").read_text())
    text = json.dumps(now).replace("203.0.113.5", "198.51.100.9").replace("2026-01-10", "2026-01-02")
    (tmp_path / "before.json").write_text(text)
    _, found = pack(*case(STORY), "--since", tmp_path / "before.json")
    changed = flowing(found["case.txt"]).partition("6. What changed since")[2]
    moved = (
        f"since 2026-01-02: {HOST} answered 198.51.100.9 in East Asia, and answers 203.0.113.5 in Japan East"
    )
    assert moved in changed
    assert "changed since 2026-01-02" in found["findings.txt"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hello world\n", "nothing in notes.md is recognised"),
        (b"\x7fELF\x00\x00\x01\x00" * 40, "recognised"),
    ],
)
def test_it_is_refused_where_nothing_was_understood(
    pack: Pack, tmp_path: Path, content: bytes, says: str
) -> None:
    (tmp_path / "notes.md").write_bytes(content)
    ended, found = pack(tmp_path / "notes.md")
    assert (ended.code, found) == (2, {})
    assert says in ended.err


def test_a_file_that_is_there_stays(arcferry: Run, tmp_path: Path) -> None:
    (tmp_path / "case.zip").write_bytes(b"mine")
    ended = arcferry("evidence", "pack", *case(STORY), "--out", tmp_path / "case.zip")
    assert ended.code == 2
    assert "is there already" in ended.err
    assert (tmp_path / "case.zip").read_bytes() == b"mine"


def test_a_secret_in_the_name_of_a_file_is_asked_to_be_renamed(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / f"password={SECRETS['entra']}.json"
    path.write_bytes((CASES / STORY / "check.json").read_bytes())
    ended, found = pack(path)
    assert (ended.code, found) == (2, {})
    assert SECRETS["entra"] not in ended.err
