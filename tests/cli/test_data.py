"""`arcferry data` from its arguments to its exit code."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.json_documents import known

from arcferry import catalog, cli, times
from arcferry.catalog import store
from arcferry.errors import FileInputError

Run = Callable[..., SimpleNamespace]
CHECKED = "20.187.128.0/17"


def tags(change: int, *prefixes: str, cloud: str = "Public") -> bytes:
    values = [
        {"name": "AzureCloud.eastasia", "properties": {"region": "eastasia", "addressPrefixes": prefixes}}
    ]
    return json.dumps({"changeNumber": change, "cloud": cloud, "values": values}).encode()


def communities(*prefixes: str) -> bytes:
    entry = {"communityName": "West US", "communityValue": "12076:51006", "communityPrefixes": prefixes}
    return json.dumps([{"name": "Azure", "bgpCommunities": [entry]}]).encode()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    for name in ("TENANT_ID", "SUBSCRIPTION_ID", "CLIENT_ID", "SECRET_FILE", "PROXY", "CA_FILE"):
        monkeypatch.delenv(f"ARCFERRY_{name}", raising=False)
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    monkeypatch.setenv("ARCFERRY_DATA", str(tmp_path / "held"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr("sys.argv", ["arcferry", "data", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=out, err=err)

    return run


@pytest.fixture
def filled(run: Run, tmp_path: Path) -> Path:
    """Two weeks of service tags and an old community list that disagrees, already taken in."""
    (tmp_path / "ServiceTags_Public_20260105.json").write_bytes(tags(1, CHECKED))
    (tmp_path / "ServiceTags_Public_20260112.json").write_bytes(tags(2, CHECKED))
    (tmp_path / "list-2019-05-30.json").write_bytes(
        communities(CHECKED, *(f"20.187.{n}.0/24" for n in range(130, 140)))
    )
    assert run("import", *sorted(tmp_path.glob("*.json"))).code == 0
    return tmp_path


def document(run: Run, *arguments: object) -> dict[str, Any]:
    ended = run(*arguments, "--output", "json")
    assert ended.code == 0, ended.err
    found = known(ended.out)
    assert found["schema"] == 1
    return dict(found)


def test_import_says_what_each_file_was_taken_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ServiceTags_China_20260105.json").write_bytes(tags(1, CHECKED, cloud="China"))
    ended = run("import", "ServiceTags_China_20260105.json")
    assert ended.code == 0
    assert ended.out.startswith(
        "ServiceTags_China_20260105.json: service tags of 2026-01-05, AzureChinaCloud, 1 entries, 1 prefixes"
    )


def test_a_day_to_come_is_refused_with_todays(run: Run, tmp_path: Path) -> None:
    """It would lead over every honest copy until it is past."""
    (tmp_path / "list.json").write_bytes(communities(CHECKED))
    today = times.now().date()
    late = today + timedelta(days=2)
    ended = run("import", "list.json", "--taken", late)
    assert (ended.code, ended.out) == (2, "")
    assert f"--taken {late} lies after today, {today}" in ended.err
    dated = f"ServiceTags_Public_{late:%Y%m%d}.json"
    (tmp_path / dated).write_bytes(tags(1, CHECKED))
    ended = run("import", dated)
    assert (ended.code, ended.out) == (2, "")
    assert f"{dated}: its day, {late}, lies after today, {today}" in ended.err
    assert "clock" in ended.err
    assert not (tmp_path / "held").exists()
    tomorrow = today + timedelta(days=1)
    assert run("import", "list.json", "--taken", tomorrow).code == 0, "it is tomorrow somewhere already"


def test_an_older_copy_is_kept_and_told_so(run: Run, filled: Path) -> None:
    (filled / "ServiceTags_Public_20251229.json").write_bytes(tags(0, CHECKED))
    ended = run("import", filled / "ServiceTags_Public_20251229.json")
    assert "a newer one is held and leads" in ended.out


def test_show_names_days_ages_and_what_is_old(run: Run, filled: Path) -> None:
    ended = run("show")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    newest = ["ServiceTags_Public_20260112.json", "service-tags", "AzureCloud", "2026-01-12"]
    assert lines[1].split()[:4] == newest
    assert lines[2].split()[1:4] == ["service-tags", "AzureCloud", "2026-01-05"]
    assert [line.split()[-1] == "yes" for line in lines[1:3]] == [True, False]
    days = (times.now().date() - times.from_text("2026-01-12").date()).days
    assert f"ServiceTags_Public_20260112.json: {days} days old, more than 45" in ended.out
    assert "ServiceTags_Public_20260105.json: " not in ended.out


def test_show_names_conflicts_with_both_days(run: Run, filled: Path) -> None:
    ended = run("show")
    assert (
        "the community list list-2019-05-30.json (2019-05-30) and the service tags "
        "ServiceTags_Public_20260112.json (2026-01-12) disagree on the region of 11 of 11 prefixes; "
        "the service tags are newer"
    ) in ended.out
    assert (
        f"{CHECKED}: in West US (12076:51006) on 2019-05-30, in East Asia (AzureCloud.eastasia, {CHECKED}) "
        "on 2026-01-12; 32,768 addresses"
    ) in ended.out
    assert "and 6 more: arcferry data show --conflicts" in ended.out
    assert run("show", "--conflicts").out.count("in West US (12076:51006)") == 11


def test_show_as_json_has_everything(run: Run, filled: Path) -> None:
    found = document(run, "show")
    assert [(one["kind"], one["leads"], one["old"]) for one in found["held"]] == [
        ("service-tags", True, True),
        ("service-tags", False, True),
        ("community-list", True, True),
    ]
    (compared,) = found["conflicts"]
    assert (compared["newer"], compared["prefixes"], len(compared["conflicts"])) == ("service tags", 11, 11)
    lines = [json.loads(line) for line in run("show", "-o", "jsonl").out.splitlines()]
    assert lines == [{"schema": found["schema"], **one} for one in found["held"]]


def test_show_of_nothing(run: Run, tmp_path: Path) -> None:
    ended = run("show")
    assert (ended.code, ended.out) == (0, f"nothing is held in {tmp_path / 'held'}\n")
    assert "arcferry data import" in ended.err
    assert document(run, "show")["held"] == []
    assert not (tmp_path / "held").exists()


def test_show_names_what_cannot_be_used(run: Run, filled: Path) -> None:
    newest = next(one for one in document(run, "show")["held"] if one["leads"])
    Path(newest["path"]).write_bytes(b"{}")
    (filled / "held" / "service-tags" / "stray.json").write_text("{")
    out = run("show").out
    assert "ServiceTags_Public_20260112.json is not what was taken in" in out
    assert "stray.json: does not say what is held" in out


def test_a_day_can_be_given(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tags.json").write_bytes(tags(1, CHECKED))
    found = document(run, "import", "tags.json", "--taken", "2026-02-03")
    assert found["imported"][0]["taken"] == "2026-02-03"
    ended = run("import", "tags.json", "--taken", "yesterday")
    assert (ended.code, ended.out) == (2, "")
    assert "no day such as 2026-11-23" in ended.err


def test_without_a_day_that_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tags.json").write_bytes(tags(1, CHECKED))
    assert "service tags of an unknown day" in run("import", "tags.json").out
    assert "of an unknown day, so it counts as old; import it with --taken DATE" in run("show").out


def test_every_wrong_file_is_named_and_none_is_taken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_bytes(tags(1, CHECKED))
    (tmp_path / "cut.json").write_bytes(tags(1, CHECKED)[:-9])
    (tmp_path / "folder").mkdir()
    (tmp_path / "check.json").write_text('{"kind": "check"}')
    ended = run("import", "good.json", "cut.json", "folder", "missing.json", "check.json")
    assert (ended.code, ended.out) == (2, "")
    for part in (
        "cut.json:1: cut short",
        "folder: not a file",
        "missing.json: no such file",
        "check.json: not a",
    ):
        assert part in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "held").exists()


def test_export_writes_what_leads(run: Run, filled: Path) -> None:
    ended = run("export", "across")
    assert ended.out.splitlines() == [
        "across/ServiceTags_Public_20260112.json",
        "across/list-2019-05-30.json",
    ]
    assert (filled / "across" / "ServiceTags_Public_20260112.json").read_bytes() == tags(2, CHECKED)
    assert len(document(run, "export", "across")["exported"]) == 2


def test_remove_by_id_or_all_that_does_not_lead(run: Run, filled: Path) -> None:
    held = document(run, "show")["held"]
    assert run("remove", "--older").out.count("removed") == 1
    assert [one["id"] for one in document(run, "show")["held"]] == [one["id"] for one in held if one["leads"]]
    assert run("remove", held[0]["id"]).code == 0
    assert [one["kind"] for one in document(run, "show")["held"]] == ["community-list"]
    assert run("remove", "--all").code == 0
    assert run("remove", "--all").out == "nothing to remove\n"


@pytest.mark.parametrize("arguments", [(), ("--older", "--all"), ("0000",), ("--all", "abcd")])
def test_remove_wants_to_know_what(run: Run, filled: Path, arguments: tuple[str, ...]) -> None:
    ended = run("remove", *arguments)
    assert ended.code == 2
    assert len(document(run, "show")["held"]) == 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--only", "circuits"), "unknown kind 'circuits'"),
        (("--only", "community-list"), "--only community-list needs a sign-in"),
        (("--from", "arm"), "--from arm needs a sign-in"),
        (("--route-filter", "rf"), "--route-filter-name needs a sign-in"),
        (("--tenant-id", "t.example"), "--subscription-id, --client-id is needed too"),
        (("--cloud", "AzureGermany"), "unknown cloud"),
        (("--download-url", "http://127.0.0.1"), "--download-url"),
    ],
)
def test_update_refuses_what_cannot_be_asked(run: Run, arguments: tuple[str, ...], problem: str) -> None:
    ended = run("update", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert problem in ended.err


def test_update_without_an_answer_is_one_line_and_a_way_out(run: Run) -> None:
    ended = run("update", "--download-url", "https://127.0.0.1:1", "--only", "service-tags")
    assert ended.code == 1
    assert ended.out.startswith(
        "FAILED    service tags: https://127.0.0.1:1/en-us/download/details.aspx: no answer"
    )
    assert "arcferry data import" in ended.err


def test_update_as_json_says_what_failed(run: Run) -> None:
    ended = run("update", "--download-url", "https://127.0.0.1:1", "--only", "service-tags", "-o", "json")
    (outcome,) = json.loads(ended.out)["outcomes"]
    assert (ended.code, outcome["status"], outcome["held"]) == (1, "failed", None)
    assert "no answer" in outcome["error"]["says"]


def test_a_held_catalogue_that_is_damaged_is_told_and_left(run: Run, tmp_path: Path) -> None:
    own = (Path(store.__file__).with_name("data") / "endpoints.toml").read_text(encoding="utf-8")
    (tmp_path / "endpoints.toml").write_text(own.replace("taken = 2026-04-01", "taken = 2026-11-01", 1))
    try:
        (imported,) = document(run, "import", "endpoints.toml")["imported"]
        assert run("show").err == ""
        Path(imported["path"]).write_text("columns = [")
        assert "the built-in endpoint catalogue is used" in run("show").err
    finally:
        catalog.disown()


def test_no_rights_are_an_error_and_no_traceback(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise FileInputError(path, "Permission denied")

    monkeypatch.setattr("arcferry.data.store.write_whole", refuse)
    (tmp_path / "tags.json").write_bytes(tags(1, CHECKED))
    ended = run("import", "tags.json")
    assert (ended.code, ended.out) == (2, "")
    assert "Permission denied" in ended.err
