"""What docs/how-it-works.md says of the files that one check enters, counted on the twin."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import Twin

ROOT = Path(__file__).parents[2]
MOST = 60


@pytest.mark.lab
async def test_the_files_that_a_check_enters_are_those_that_the_document_names(
    twin: Twin, tmp_path: Path
) -> None:
    lab = lab_document(twin)
    environment = os.environ | lab["environment"] | {"ARCFERRY_DATA": str(tmp_path / "data")}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, *words]
        return subprocess.run(
            line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    for kind in ("service_tags", "communities", "route_filter", "circuit"):
        held = await asyncio.to_thread(run, "-m", "arcferry", "data", "import", lab[f"{kind}_file"])
        assert held.returncode == 0, held.stderr
    script = str(ROOT / "scripts/files_entered.py")
    counted = await asyncio.to_thread(run, script, "check", "--location", "eastasia")
    assert "route/community-not-in-filter" in counted.stdout
    entered = re.findall(r"^ *\d+  (\S+\.py)$", counted.stderr, re.MULTILINE)
    assert len(entered) <= MOST
    text = (ROOT / "docs/how-it-works.md").read_text(encoding="utf-8")
    said = text.partition("enters ")[2].partition("\n## ")[0]
    assert said.startswith(f"{len(entered)} files")
    assert sorted(_named(said)) == sorted(entered)


def _named(text: str) -> list[str]:
    """The files in rows such as ``| `probe` | `https`, `dns` |``; the first column is their folder."""
    found = []
    for folder, files in re.findall(r"^\| `([a-z/.]+)` \| (.*) \|$", text, re.MULTILINE):
        names = re.findall(r"`([a-z0-9_]+)`", files)
        found += [f"{folder}/{name}.py" if folder != "." else f"{name}.py" for name in names]
    return found
