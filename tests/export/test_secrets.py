"""What a host hands in holds no secret any more, wherever it goes from here."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from arcferry.cli.collect import collect as command

SHAPES = json.loads((Path(__file__).parents[1] / "redaction/shapes.json").read_text(encoding="utf-8"))
HOSTILE = Path(__file__).parents[3] / "shared/cases/hostile-2026-11/secrets.json"
SECRET = "Qp7~hT2.yV6_oKl1-Sq8Xa3Mb5Gc0Ie4Fr9Pz"
OURS = [
    *((shape.replace("{secret}", SECRET), SECRET) for kind in ("any", "long") for shape in SHAPES[kind]),
    *SHAPES["router"],
]


def _share(folder: Path, shapes: list[tuple[str, str]]) -> None:
    """A share on which each host reports some shapes in every place where its words may stand."""
    (folder / "results").mkdir()
    for number, (text, _) in enumerate(shapes):
        answer = {
            "schema": 1,
            "verb": "connect",
            "ok": False,
            "exit": 44,
            "code": "AZCM0044",
            "message": text,
        }
        path = {
            "schema": 1,
            "kind": "check",
            "proxy": text,
            "endpoints": [{"host": "x", "failure": {"says": text}}],
        }
        document = {
            "schema": 1,
            "kind": "host-run",
            "host": f"web{number}",
            "via": "gpo",
            "outcome": "failed",
            "ended": "2026-11-23T08:05:00Z",
            "answers": [
                {**answer, "output": f"ERROR   AZCM0044: {text}\n{text}\n", "agent": {"version": text}}
            ],
            "path": path,
            "note": text,
        }
        (folder / "results" / f"web{number}.json").write_text(json.dumps(document), encoding="utf-8")


def _everything(folder: Path) -> str:
    app = Typer()
    app.command()(command)
    told = []
    for form in ("table", "json", "jsonl"):
        done = CliRunner().invoke(
            app, [str(folder), "--output", form, "--evidence", str(folder / "evidence")]
        )
        assert done.exit_code == 1, done.output
        told.append(done.output)
    files = [path.read_text(encoding="utf-8") for path in (folder / "evidence").iterdir()]
    assert files
    return "\n".join((*told, *files))


def _leaks(folder: Path, shapes: list[tuple[str, str]]) -> list[str]:
    _share(folder, shapes)
    told = _everything(folder)
    return [text for text, secret in shapes if secret in told or json.dumps(secret)[1:-1] in told]


def test_no_shape_comes_out_of_a_share(tmp_path: Path) -> None:
    assert _leaks(tmp_path, OURS) == []


@pytest.mark.shared
def test_no_shape_that_others_found_comes_out_of_a_share(tmp_path: Path) -> None:
    if not HOSTILE.exists():
        pytest.skip("no shared cases beside the checkout")
    shapes = [(one["text"], one["secret"]) for one in json.loads(HOSTILE.read_text(encoding="utf-8"))]
    assert _leaks(tmp_path, shapes) == []
