"""The page's own words, which a further language has to match."""

import tomllib
from pathlib import Path

from arcferry.diagnosis.causes import CAUSES
from arcferry.report import page
from arcferry.report.page.documents import KINDS
from arcferry.report.page.words import load

FOLDER = Path(page.__file__).parent
# Looked up by a word of a document, or by a heading's name, and not by a name in the code.
LOOKED_UP = ("levels", "severity", "stages", "kinds", "station", "tables", "answer")
# Not on the path to Azure: what may come, what a file could not tell, and what is not decided.
NOWHERE = {"risk", "path", "evidence", "support"}


def test_every_word_is_used() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for path in FOLDER.iterdir() if path.suffix in (".py", ".jinja")
    )
    table = tomllib.loads((FOLDER / "en.toml").read_text(encoding="utf-8"))
    assert [
        f"{section}.{key}"
        for section, words in table.items()
        if isinstance(words, dict) and section not in LOOKED_UP
        for key, text in words.items()
        if isinstance(text, str) and f"{section}.{key}" not in code
    ] == []


def test_every_cause_breaks_the_path_somewhere() -> None:
    station = load().table["station"]
    families = {slug.partition("/")[0] for slug in CAUSES}
    assert families - set(station) - NOWHERE == set()
    assert {key for key in station if key not in CAUSES} <= families
    assert set(station.values()) == set(load().table["path"]["stations"])


def test_every_kind_is_called_by_the_command_that_writes_it() -> None:
    assert set(load().table["kinds"]) == set(KINDS)
