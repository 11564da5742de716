"""`arcferry prepare`: what it refuses, and what it says."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from arcferry import errors
from arcferry.cli.app import app


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, ["prepare", *words])


@pytest.mark.parametrize(
    ("words", "kind", "says"),
    [
        ((), errors.InputError, "name either a folder to write, or one to look at"),
        (("--out", "a", "--status", "b"), errors.InputError, "name either"),
        (("--out", "a"), errors.InputError, "--location is missing"),
        (("--out", "a", "--location", "eastasai"), errors.UnknownNameError, "eastasai"),
        (("--out", "a", "-l", "eastasia", "--check", "x"), errors.InputError, "--check has no meaning"),
        (("--out", "a", "-l", "eastasia", "--language", "fr"), errors.UnknownNameError, "fr"),
        (("--out", "a", "-l", "eastasia", "--subscription-id", "x"), errors.InputError, "--subscription-id"),
        (("--status", "/none"), errors.FileInputError, "is no folder that arcferry prepare wrote"),
    ],
)
def test_refused(words: tuple[str, ...], kind: type[errors.ArcferryError], says: str) -> None:
    result = invoke(*words)
    assert type(result.exception) is kind, result.output
    assert says in str(result.exception)
    assert result.exception.exit_code == 2


def test_written_and_looked_at(tmp_path: Path) -> None:
    out = tmp_path / "letters"
    written = invoke(
        "--out", str(out), "--location", "東亞", "--language", "all", "--resource-group", "rg-arc"
    )
    assert written.exit_code == 0, written.output
    assert str(out / "1-network.md") in written.stdout
    assert "README.md says what to do next" in written.stderr
    assert "rg-arc" in (out / "3-identity.md").read_text(encoding="utf-8")
    looked = invoke("--status", str(out))
    assert looked.exit_code == 0
    assert "0 proved, 0 not, 14 unknown" in looked.stdout
    assert "[?] the identity signs in" in looked.stdout
    assert "resourceGroups/rg-arc" in looked.stdout
    other = invoke("--status", str(out), "--language", "zh-TW", "--output", "json")
    (first, *_) = json.loads(other.stdout)["items"]
    assert (first["letter"], first["answer"]) == ("network", "unknown")
    assert not first["says"].isascii()
    assert "<testcase" in invoke("--status", str(out), "--output", "junit").stdout
