"""Archives that mean harm, or that are damaged: read within bounds, and what was left alone is said."""

import io
import stat
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import FileInputError
from arcferry.evidence.readers import archive
from arcferry.evidence.reading import read_document

_SHOW = (Path(__file__).with_name("samples") / "agent-show" / "connected.txt").read_bytes()


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(held, "w", method) as made:
        warnings.simplefilter("ignore")  # zipfile warns of duplicate names, which are the point
        for name, data in entries:
            made.writestr(name, data)
    return held.getvalue()


def notes_of(data: bytes) -> str:
    return "\n".join(read_document("logs.zip", data)[0].notes)


def test_every_file_is_named_by_the_archive_and_its_place() -> None:
    documents = read_document(
        "logs.zip", packed(("dir/show.txt", _SHOW), ("other.bin", bytes(range(256)) * 5))
    )
    assert [(one.name, one.kind) for one in documents] == [
        ("logs.zip", "agent-logs-zip"),
        ("logs.zip!dir/show.txt", "agent-show"),
    ]
    assert "a binary file" in documents[0].notes[0]
    assert "other.bin" in documents[0].notes[0]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/shadow", "C:\\Windows\\x.txt", "..\\..\\x.txt"])
def test_a_name_leads_nowhere(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    documents = read_document("logs.zip", packed((name, _SHOW)))
    assert [one.kind for one in documents] == ["agent-logs-zip", "agent-show"]
    assert list(tmp_path.rglob("*")) == []


def test_an_entry_without_a_name_is_left_alone() -> None:
    nameless = packed(("x", _SHOW), ("show.txt", _SHOW)).replace(b"PK\x01\x02", b"PK\x01\x02", 1)
    at = nameless.index(b"PK\x01\x02")
    without = bytearray(nameless)
    without[at + 28 : at + 30] = b"\0\0"  # the length of its name, in the central directory
    without[at + 30 : at + 32] = b"\1\0"  # what was the name counts as an extra field
    assert "it has no name" in notes_of(bytes(without))


def test_a_bomb_is_left_alone() -> None:
    bomb = packed(("bomb.log", b"\x20" * (8 * 1024 * 1024)), ("show.txt", _SHOW))
    assert len(bomb) < 100_000
    assert "unpacks to more than" in notes_of(bomb)
    assert "bomb.log" in notes_of(bomb)


def test_a_header_that_lies_of_its_length_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ENTRY_LIMIT", 1000)
    honest = packed(("show.txt", _SHOW[:900]))
    assert "show.txt" not in notes_of(honest)
    long = bytearray(packed(("show.txt", _SHOW * 2), method=zipfile.ZIP_STORED))
    place = long.rfind(b"PK\x01\x02") + 24
    long[place : place + 4] = (900).to_bytes(4, "little")
    assert "show.txt" in notes_of(bytes(long)) or "damaged" in notes_of(bytes(long))


def test_all_entries_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "TOTAL_LIMIT", 3 * len(_SHOW))
    said = notes_of(packed(*((f"{number}.txt", _SHOW) for number in range(6))))
    assert "5.txt" in said
    assert "0.txt" not in said


def test_an_archive_within_is_not_opened() -> None:
    assert "archive within" in notes_of(packed(("inner.zip", packed(("show.txt", _SHOW))), ("a.txt", _SHOW)))


def test_a_link_is_not_followed() -> None:
    link = zipfile.ZipInfo("show.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "a link" in notes_of(packed((link, b"/etc/passwd")))


def test_an_encrypted_entry_is_said() -> None:
    data = bytearray(packed(("show.txt", _SHOW)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + offset] |= 1
    assert "encrypted" in notes_of(bytes(data))


def test_of_two_entries_with_one_name_the_first_counts_and_it_is_said() -> None:
    documents = read_document("logs.zip", packed(("show.txt", _SHOW), ("show.txt", b"other")))
    assert len(documents) == 2
    assert "same name" in documents[0].notes[0]


def test_an_archive_with_nothing_in_it_is_not_recognised() -> None:
    assert [one.kind for one in read_document("empty.zip", packed())] == ["unrecognised"]
    assert [one.kind for one in read_document("x.docx", packed(("word/a.xml", b"<x/>")))] == ["unrecognised"]


@pytest.mark.parametrize("keep", [4, 30, 200])
def test_a_cut_archive_is_refused_by_name(keep: int) -> None:
    with pytest.raises(FileInputError, match=r"logs\.zip: a zip archive that is cut short or damaged"):
        read_document("logs.zip", packed(("show.txt", _SHOW))[:keep])


@given(st.data())
def test_any_damage_is_a_note_or_an_error(data: st.DataObject) -> None:
    whole = bytearray(packed(("show.txt", _SHOW), ("azcmagent.log", b'time="x" level=info msg="y"\n' * 5)))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        names = {document.name.partition("!")[0] for document in read_document("logs.zip", bytes(whole))}
    except FileInputError as error:
        names = {error.path}
    assert names == {"logs.zip"}
