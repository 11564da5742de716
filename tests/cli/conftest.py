"""arcferry by its arguments, in this process, with folders of its own; its JSON is held to the reference."""

from pathlib import Path

import pytest
from tests.cli.running import Ended, Run
from tests.json_documents import known

from arcferry import cli


@pytest.fixture
def arcferry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("ARCFERRY_DATA", str(tmp_path / "held"))
    monkeypatch.setenv("ARCFERRY_STATE", str(tmp_path / "state"))

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr("sys.argv", ["arcferry", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        if "json" in arguments and out.startswith("{"):
            known(out)
        return Ended(int(ended.value.code or 0), out, err)

    return run
