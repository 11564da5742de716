"""The page's own words, which a further language has to match."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from arcferry.diagnosis.causes import CAUSES
from arcferry.diagnosis.words import fields
from arcferry.fleet.following import RunState
from arcferry.fleet.outcome import HostOutcome, StepState
from arcferry.language import ENGLISH, LANGUAGES, speaking
from arcferry.report import page
from arcferry.report.page.documents import KINDS
from arcferry.report.page.words import load
from arcferry.verify.standing import State

FOLDER = Path(page.__file__).parent
# Looked up by a word of a document, or by a heading's name, and not by a name in the code.
LOOKED_UP = (
    "levels",
    "severity",
    "stages",
    "owners",
    "confidence",
    "kinds",
    "states",
    "station",
    "tables",
    "answer",
)
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


def test_every_state_has_a_word() -> None:
    states = [*HostOutcome, *StepState, *RunState, *State]
    assert {one.value for one in states} - set(load().table["states"]) == set()


def texts(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a table by its whole key."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from texts(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != ENGLISH])
def test_another_language_has_texts_of_the_same_keys_and_blanks(language: str) -> None:
    english = dict(texts(tomllib.loads((FOLDER / "en.toml").read_text(encoding="utf-8"))))
    own = dict(texts(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))))
    assert set(own) <= set(english)
    assert {key for key, text in own.items() if fields(text) != fields(english[key])} == set()
    sentences = {key for key, text in english.items() if " " in text and not key.startswith("kinds.")}
    assert sentences - set(own) == set()
    with speaking(language):
        assert load()("labels.causes") == own["labels.causes"]
        assert load().table["station"] == {key: english[f"station.{key}"] for key in load().table["station"]}
