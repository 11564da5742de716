"""What is kept of a retry: read as it is kept, and not believed where another user could have written it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arcferry.errors import ArcferryError, BlockedError, FileInputError
from arcferry.files import only_one
from arcferry.fleet.run_folder import RunFolder
from arcferry.serve.overseen import Attempt, newest, oversee

BEGAN = "2026-11-30T04:05:06Z"
RECORD = {"began": BEGAN, "hosts": 2, "begins": 3}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder("0123456789ab", tmp_path, datetime(2026, 11, 30, tzinfo=UTC))


def keep(run: RunFolder, text: str) -> None:
    record = run.path / "retry.json"
    record.write_text(text)
    record.chmod(0o600)


def test_an_end_is_kept_for_its_owner_alone(run: RunFolder) -> None:
    assert newest(run) is None
    run.retries.write_text("# \nit says\x1b[31m <why>\n")
    oversee(run.path, RECORD, ["sh", "-c", "exit 4"])
    assert newest(run) == Attempt(BEGAN, 2, code=4, printed="it says <why>")
    assert (run.path / "retry.json").stat().st_mode & 0o777 == 0o600


def test_one_goes_on_at_a_time(run: RunFolder) -> None:
    oversee(run.path, RECORD, ["true"])
    with only_one(run.path, "retry", name="retry.lock", hint=""):
        with pytest.raises(BlockedError, match="another retry is running"):
            oversee(run.path, RECORD | {"hosts": 9}, ["true"])
        assert newest(run) == Attempt(BEGAN, 2, code=0)
        keep(run, json.dumps(RECORD | {"code": None}))
        assert newest(run) == Attempt(BEGAN, 2, goes_on=True)
    assert newest(run) == Attempt(BEGAN, 2), "nobody saw it end"


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "7", "[" * 4000, "{}",
        json.dumps(RECORD), json.dumps(RECORD | {"code": "0"}), json.dumps(RECORD | {"code": 0.5}),
        json.dumps(RECORD | {"code": 0, "hosts": None}), json.dumps(RECORD | {"code": 0, "began": "<b>"}),
        json.dumps(RECORD | {"code": 0, "began": "0001-01-01T00:00:00+23:00"}),
        json.dumps(RECORD | {"code": 0, "more": "x" * 5000}),
    ],
)  # fmt: skip
def test_what_is_no_record_is_told(run: RunFolder, text: str) -> None:
    keep(run, text)
    with pytest.raises(FileInputError, match="not the record of a retry"):
        newest(run)


@pytest.mark.parametrize("begins", [-1, 10**12, 10**40])
def test_a_place_that_is_none_shows_nothing(run: RunFolder, begins: int) -> None:
    run.retries.write_text("printed")
    keep(run, json.dumps(RECORD | {"code": 1, "begins": begins}))
    found = newest(run)
    assert found
    assert found.printed in ("", "printed")


def test_what_others_could_have_written_is_not_believed(run: RunFolder) -> None:
    run.retries.write_text("of others")
    record = run.path / "retry.json"
    oversee(run.path, RECORD, ["false"])
    run.retries.chmod(0o620)
    assert newest(run) == Attempt(BEGAN, 2, code=1)
    record.chmod(0o602)
    with pytest.raises(ArcferryError, match="another user could have written it"):
        newest(run)
    record.unlink()
    os.mkfifo(record)
    with pytest.raises(ArcferryError, match="not a file"):
        newest(run)
