"""The folder appears whole, and only what arcferry wrote is ever replaced."""

import json
from datetime import date
from pathlib import Path

import pytest
from tests.prepare.test_letters import site

from arcferry import prepare, rights
from arcferry.errors import FileInputError, InputError

TODAY = date(2026, 11, 29)


def write(out: Path, day: date = TODAY, languages: tuple[str, ...] = ("en",)) -> list[str]:
    prepare.prepare(site(), out, languages, day)
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def test_a_letter_a_team_twice_and_a_role_a_task(tmp_path: Path) -> None:
    names = write(tmp_path / "out")
    letters = [name for name in names if name[0].isdigit()]
    assert len(letters) == 10
    assert {name.rpartition(".")[2] for name in letters} == {"md", "txt"}
    assert len([name for name in names if name.startswith("roles/")]) == 3 * len(rights.rights().task)
    assert {"README.md", "README.txt", prepare.MARK} <= set(names)
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_the_same_site_and_day_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name)
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b")
    )
    assert first == second


def test_every_language_beside_each_other(tmp_path: Path) -> None:
    names = write(tmp_path / "out", languages=prepare.LANGUAGES)
    assert {"1-network.md", "1-network.zh-TW.md", "README.zh-TW.txt"} <= set(names)


def test_its_own_folder_is_written_anew(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, languages=prepare.LANGUAGES)
    names = write(out, date(2026, 12, 1))
    assert prepare.read_prepared(out).made == date(2026, 12, 1)
    assert not any("zh-TW" in name for name in names)
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_of_somebody_else_s_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(FileInputError, match="is no folder that arcferry prepare wrote"):
        write(out)
    assert (out / "notes.txt").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileInputError, match="is no folder"):
        write(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "says"), [("notes.txt", "is not of arcferry prepare"), ("1-network.md", "was changed since")]
)
def test_what_a_person_wrote_is_not_lost(tmp_path: Path, name: str, says: str) -> None:
    out = tmp_path / "out"
    write(out)
    (out / name).write_text("mine")
    with pytest.raises(FileInputError, match=f"{name}: {says}"):
        write(out)
    assert (out / name).read_text() == "mine"


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "real")
    (tmp_path / "out").symlink_to(tmp_path / "real")
    with pytest.raises(FileInputError, match="is no folder"):
        write(tmp_path / "out")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema": 1, "kind": "arcferry-bundle"}', "x" * 300_000]
)
def test_a_damaged_mark_is_named(tmp_path: Path, content: str) -> None:
    out = tmp_path / "out"
    write(out)
    (out / prepare.MARK).write_text(content)
    with pytest.raises(FileInputError, match=prepare.MARK):
        prepare.read_prepared(out)


def test_the_mark_holds_no_more_than_the_place(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    document = json.loads((out / prepare.MARK).read_text())
    assert set(document) == {
        "schema",
        "kind",
        "made",
        "cloud",
        "location",
        "subscription",
        "resource_group",
        "files",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant", "a b"),
        ("subscription", "my subscription"),
        ("group", "a/b"),
        ("circuit", "x;y"),
        ("share", "a`b"),
        ("computers", "a\nb"),
    ],
)
def test_what_cannot_be_is_refused(field: str, value: str) -> None:
    known = site()
    with pytest.raises(InputError, match="cannot be that"):
        prepare.read_site(known.cloud, known.region, **{field: value})
