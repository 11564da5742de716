"""Nothing that was handed in goes on with a secret in it, in whatever shape and whatever file it stands."""

import io
import json
import struct
import zipfile
from pathlib import Path

import pytest
from tests.redaction.conftest import SECRETS, SHAPES, containers

from arcferry.errors import FileInputError
from arcferry.evidence import pack
from arcferry.evidence.pack import Cleaning, cleaned, files_in, says_nothing
from arcferry.redaction import HIDDEN
from arcferry.redaction.counted import KEY, LOOKS, NAMED, QUERY, TOKEN, USER

SECRET = "Qp7~hT2.yV6_oKl1-Sq8Xa3Mb5Gc0Ie4Fr9Pz"
_CONTAINERS = ("log", "wide", "json", "host", "xml", "router")
"""One of each kind that is cleaned in a way of its own."""
_FILLED = [
    *((shape.replace("{secret}", SECRETS["entra"]), SECRETS["entra"]) for shape in SHAPES["any"]),
    *((shape.replace("{secret}", SECRETS["short"]), SECRETS["short"]) for shape in SHAPES["any"]),
    *((shape.replace("{secret}", SECRETS["entra"]), SECRETS["entra"]) for shape in SHAPES["long"]),
    *((text, secret) for text, secret in SHAPES["router"]),
]


def one(data: bytes, name: str = "x.log") -> Cleaning:
    found = Cleaning()
    found.add(name, data)
    return found


def test_no_shape_that_is_known_goes_on_in_any_file() -> None:
    leaks = [
        (name, text)
        for text, secret in _FILLED
        for name, data in containers(text)
        if name in _CONTAINERS
        for file in one(data).files
        if secret in file.text
    ]
    assert leaks == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"password={SECRET}", NAMED),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", KEY),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef back", TOKEN),
        ("http://svc:hunter2@proxy.example:8080", USER),
        ("https://x.blob.core.windows.net/y?sv=1&sig=c2lnbmVkc2lnbmVk&se=2", QUERY),
        (f"and then {SECRET} was there", LOOKS),
        (json.dumps({"sharedKey": "hunter2", "x": 1}), NAMED),
        (f"<password>{SECRET}</password>", NAMED),
        ("<x>password:\n  hunter2</x>", NAMED),
    ],
)
def test_what_was_hidden_is_counted_by_its_kind(text: str, kind: str) -> None:
    (file,) = one(text.encode()).files
    assert HIDDEN in file.text
    assert dict(file.hidden) == {kind: 1}


def test_json_stays_json_and_json_lines_stay_lines() -> None:
    (whole,) = one(json.dumps([{"token": SECRET}, {"a": 1}]).encode()).files
    assert json.loads(whole.text)[1] == {"a": 1}
    (lines,) = one(f'{{"msg": "password={SECRET}"}}\n{{"msg": "b"}}\n'.encode()).files
    assert [json.loads(line)["msg"] for line in lines.text.splitlines()] == [f"password={HIDDEN}", "b"]
    assert lines.hidden == {NAMED: 1}


def test_what_was_hidden_before_is_not_counted_again() -> None:
    (file,) = one(f"password={HIDDEN}\n".encode()).files
    assert (file.text, dict(file.hidden)) == (f"password={HIDDEN}\n", {})


@pytest.mark.parametrize(
    "data",
    [b"\x7fELF\x00\x01\x02\x00" * 20, bytes(range(1, 256)) * 4, b"\xd8\x00\xe0\x01\x00a" * 40],
)
def test_a_binary_file_is_left_out_and_named(data: bytes) -> None:
    found = one(data, "steps.sqlite")
    assert not found.files
    (left,) = found.left_out
    assert left.name == "steps.sqlite"
    assert "binary" in left.why


def test_json_nested_without_end_is_left_out() -> None:
    (left,) = one(b"[" * 100_000).left_out
    assert "nested" in left.why


def test_control_characters_hide_no_name() -> None:
    (file,) = one(f"pass\x1b[0mwo\x07rd={SECRET}\n".encode()).files
    assert SECRET not in file.text
    assert "\x1b" not in file.text


def packed(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    names = (
        "../../etc/passwd",
        "/var/x.log",
        "C:\\Windows\\nul",
        "a/../b",
        f"password={SECRET}.log",
        "\u5bc6",
    )
    path = packed(tmp_path / "logs.zip", dict.fromkeys(names, b"text\n"))
    found = cleaned([("logs.zip", path)])
    assert len(found.files) == len(names)
    for place, file in enumerate(found.files, 1):
        folder, _, own = file.name.partition("/")
        assert folder == "evidence"
        assert own.startswith(f"{place:03}-logs.zip")
        assert set(own).isdisjoint('/\\:<>"|?*')
        assert SECRET not in file.name + file.of


def test_a_bomb_and_an_archive_within_are_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x", "y")
    path = packed(
        tmp_path / "logs.zip",
        {"bomb.log": b"\0" * 20_000_000, "more.zip": inner.getvalue(), "himds.log": b"level=info msg=x\n"},
    )
    found = cleaned([("logs.zip", path)])
    assert [file.of for file in found.files] == ["logs.zip!himds.log"]
    assert [left.name for left in found.left_out] == ["logs.zip!bomb.log", "logs.zip!more.zip"]


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    path.write_bytes(b"PK\x03\x04" + struct.pack("<I", 7) * 9)
    with pytest.raises(FileInputError, match="cut short or damaged"):
        cleaned([("logs.zip", path)])


def test_all_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "TOTAL_LIMIT", 20)
    found = Cleaning()
    for name in ("a", "b", "c"):
        found.add(name, b"12345678\n")
    assert ([file.of for file in found.files], [left.name for left in found.left_out]) == (["a", "b"], ["c"])


def test_a_folder_stands_for_its_files_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run" / "web01").mkdir(parents=True)
    for name in ("run/b.txt", "run/web01/a.txt", "secret.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "run/link.txt").symlink_to(tmp_path / "secret.txt")
    found = [name for name, _ in files_in([tmp_path / "run"])]
    assert found == ["run/b.txt", "run/web01/a.txt"]


def test_only_what_is_binary_and_no_dump_of_routes_says_nothing(tmp_path: Path) -> None:
    for name, data, expected in (
        ("a", b"\x7fELF\0\1\2\0" * 50, True),
        ("b", b"text", False),
        ("c", b"", False),
    ):
        (tmp_path / name).write_bytes(data)
        assert says_nothing(tmp_path / name) is expected
