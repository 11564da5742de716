"""A document that takes too long is given up, alone, whatever its reader is at."""

import re
import signal
import threading
import time
import zipfile
from io import BytesIO

import pytest

from arcferry.evidence import reading
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import guard
from arcferry.evidence.readers.values import TEXT_LIMIT
from arcferry.evidence.reading import read_document

SHORT = 0.2


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limit, but shorter."""
    monkeypatch.setattr(guard, "LEAST", SHORT)


def _busy() -> tuple[Document, ...]:
    while True:
        pass


def _searching() -> tuple[Document, ...]:
    re.fullmatch("(a+)+b", "a" * 60)
    return ()


def _swallowing() -> tuple[Document, ...]:
    while True:
        try:
            _busy()
        except BaseException:  # the worst reader there can be
            if time.process_time() > _swallowing.until:  # type: ignore[attr-defined] # set by the test
                raise


@pytest.mark.parametrize("read", [_busy, _searching, _swallowing])
def test_whatever_the_reader_does(read: object) -> None:
    _swallowing.until = time.process_time() + 4 * SHORT  # type: ignore[attr-defined] # see there
    began = time.process_time()
    (found,) = guard.guarded("slow.txt", read)  # type: ignore[arg-type] # one of the readers above
    assert found.kind is Kind.UNREADABLE
    assert "could not be read in time" in found.notes[0]
    assert time.process_time() - began < 20 * SHORT
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0


def test_a_quick_one_is_read_and_the_timer_is_gone() -> None:
    assert (
        guard.guarded("quick.txt", lambda: (Document("quick.txt", Kind.DNS_ANSWERS),))[0].name == "quick.txt"
    )
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0


def test_a_longer_document_may_take_longer() -> None:
    assert guard.allowed(10) < SHORT + 0.001
    assert guard.allowed(TEXT_LIMIT) > SHORT + 60
    assert guard.allowed(1024 * TEXT_LIMIT) < 2.5 * 60 * 60


def test_in_a_thread_there_is_no_signal_and_no_harm() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(guard.limited(lambda: "read", 1)))
    thread.start()
    thread.join()
    assert found == ["read"]


def test_of_an_archive_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern that is quadratic, as any reader may get one some day."""
    readers_of_text = (lambda _, text: _searching() if "SLOW" in text else None, *reading._TEXT_READERS)
    monkeypatch.setattr(reading, "_TEXT_READERS", readers_of_text)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("slow.log", "SLOW\n")
        archive.writestr("connect.txt", "INFO    Connecting machine to Azure...\nERROR   AZCM0044: no\n")
    kinds = {one.name: one.kind for one in read_document("logs.zip", packed.getvalue())}
    assert kinds["logs.zip!slow.log"] is Kind.UNREADABLE
    assert kinds["logs.zip!connect.txt"] is Kind.AGENT_CONNECT
