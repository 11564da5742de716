"""The live page's own words, in every language."""

import re
import tomllib
from pathlib import Path

import pytest
from tests.diagnosis.test_translations import OF_ELSEWHERE
from tests.report.page.test_words import texts

from arcferry import serve
from arcferry.diagnosis.words import fields
from arcferry.fleet.control import Wish
from arcferry.fleet.following import RunState
from arcferry.fleet.outcome import StepState
from arcferry.language import ENGLISH, LANGUAGES
from arcferry.serve.listing import STATES

FOLDER = Path(serve.__file__).parent
ENGLISH_TEXTS = tomllib.loads((FOLDER / "en.toml").read_text(encoding="utf-8"))


def test_every_word_is_used_and_every_state_has_one() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for path in FOLDER.iterdir() if path.suffix in (".py", ".jinja")
    )
    for section in ("serve", "confirm", "retry"):
        assert [key for key in ENGLISH_TEXTS[section] if f"{section}.{key}" not in code] == []
    statuses = re.findall(r"(?:HTTPException\(|refuse\(|_SESSION =)[^\d\n]*(\d{3})", code)
    assert set(ENGLISH_TEXTS["refused"]) == set(statuses)
    assert set(ENGLISH_TEXTS["host_states"]) == set(STATES)
    assert set(ENGLISH_TEXTS["run_states"]) == set(RunState)
    assert set(StepState) <= set(ENGLISH_TEXTS["step_states"])
    assert set(ENGLISH_TEXTS["verbs"]) == set(ENGLISH_TEXTS["will"]) == set(Wish)


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != ENGLISH])
def test_another_language_has_every_text_with_the_same_blanks(language: str) -> None:
    english = dict(texts(ENGLISH_TEXTS))
    own = dict(texts(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))))
    assert set(english) - set(own) == {"serve.title"}
    assert set(own) <= set(english)
    assert {key for key, text in own.items() if fields(text) != fields(english[key])} == set()
    assert [term for term in OF_ELSEWHERE for text in own.values() if term in text] == []
