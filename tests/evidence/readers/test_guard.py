"""A reader's surprise costs its own document, and nothing beside it."""

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest

from arcferry.diagnosis import judge
from arcferry.errors import FileInputError
from arcferry.evidence import reading
from arcferry.evidence.case import Document
from arcferry.evidence.readers.guard import guarded
from arcferry.evidence.reading import read_claimed, read_document, read_path

from .test_archive import packed

_CONNECT = b"FATAL AZCM0042: sign-in failed, AADSTS7000215 for app 7f3c\n"
_TRAP = b"this one springs the trap\n"
_SURPRISES = (
    ValueError("7f3c"),
    RecursionError("7f3c"),
    OverflowError("7f3c"),
    KeyError("7f3c"),
    UnicodeDecodeError("utf-8", b"7f3c", 0, 1, "7f3c"),
    MemoryError("7f3c"),
    AssertionError("7f3c"),
)


@pytest.fixture(params=_SURPRISES, ids=lambda surprise: type(surprise).__name__)
def surprise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Exception:
    """A reader that fails on one word, in a way that nobody foresaw."""
    raised: Exception = request.param

    def read(_: str, text: str) -> Document | None:
        if "springs the trap" in text:
            raise raised
        return None

    monkeypatch.setattr(reading, "_TEXT_READERS", (read, *reading._TEXT_READERS))
    return raised


def test_it_is_a_document_that_says_so(surprise: Exception) -> None:
    (found,) = read_document("evil.txt", _TRAP)
    assert (found.name, found.kind) == ("evil.txt", "unreadable")
    assert found.notes == (f"could not be read: it holds what no reader foresaw ({type(surprise).__name__})",)


def test_what_lies_beside_it_is_explained(surprise: Exception) -> None:
    handed_in = [*read_document("evil.txt", _TRAP), *read_document("connect.txt", _CONNECT)]
    found = {one.cause: one for one in judge(handed_in).findings}
    assert set(found) == {"evidence/unreadable", "signin/secret-invalid"}
    unread = found["evidence/unreadable"]
    assert unread.title == "evil.txt could not be read, so nothing is known of what is in it"
    assert (unread.severity, unread.owner, unread.endpoints) == ("error", "server", ())
    assert "7f3c" not in str(unread), "nothing of the exception's own words is shown"


def test_in_an_archive_it_costs_that_file_alone(surprise: Exception) -> None:
    documents = read_document("logs.zip", packed(("evil.txt", _TRAP), ("connect.txt", _CONNECT)))
    assert [(one.name, one.kind) for one in documents] == [
        ("logs.zip", "agent-logs-zip"),
        ("logs.zip!evil.txt", "unreadable"),
        ("logs.zip!connect.txt", "agent-connect"),
    ]


def test_a_file_on_the_disk_likewise(surprise: Exception, tmp_path: Path) -> None:
    (tmp_path / "evil.txt").write_bytes(_TRAP)
    assert [one.kind for one in read_path(tmp_path / "evil.txt", "evil.txt")] == ["unreadable"]


def test_what_is_foreseen_is_an_error_that_names_the_file() -> None:
    with pytest.raises(FileInputError, match=r"deep\.json: JSON that is nested too deeply"):
        read_document("deep.json", b"[" * 100_000)


def test_but_for_what_a_host_handed_in_it_is_evidence_that_cannot_be_read() -> None:
    (found,) = read_claimed("web01: azcmagent check", b"[" * 100_000)
    assert found.kind == "unreadable"
    assert found.notes == ("could not be read: JSON that is nested too deeply to be read",)


@pytest.mark.parametrize("ending", [KeyboardInterrupt, asyncio.CancelledError, SystemExit])
def test_an_interruption_passes_through(ending: type[BaseException]) -> None:
    def read() -> NoReturn:
        raise ending

    with pytest.raises(ending):
        guarded("x", read)
