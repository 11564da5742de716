"""A cause is told once: a rule without sentences, and one entry of words a language."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arcferry.diagnosis import causes, pages, words
from arcferry.diagnosis.causes import CAUSES
from arcferry.language import LANGUAGES, speaking

_RULES = Path(causes.__file__).parent
_WORDS = Path(words.__file__).parent
_A_SENTENCE = 5
"""Words from which a text is one: names of states, kinds and origins are shorter."""


def _literals(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    # A text that stands alone documents what is above it.
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", sorted(_RULES.glob("*.py")), ids=lambda path: path.name)
def test_no_rule_holds_a_sentence(path: Path) -> None:
    assert [text for text in _literals(path) if len(text.split()) >= _A_SENTENCE] == []


def test_the_rules_have_no_page_beside_their_words() -> None:
    assert not list(_RULES.rglob("*.toml"))


def _slugs(language: str) -> Iterator[str]:
    for path in sorted((_WORDS / language).glob("*.toml")):
        yield from (key for key in tomllib.loads(path.read_text("utf-8")) if "/" in key)


def test_every_cause_has_one_entry_and_every_entry_a_cause() -> None:
    assert sorted(_slugs("en")) == sorted(CAUSES)


@pytest.mark.parametrize("slug", CAUSES)
def test_a_page_is_the_entry_with_the_sample_s_values(slug: str) -> None:
    found = pages.page(slug)
    assert found.meaning
    assert found.tells
    assert found.fix
    whole = "\n".join((found.title, *found.fix, *(one.text for one in found.example), found.request))
    assert not words.fields(whole), "a named value that nothing gives"


@pytest.mark.parametrize("slug", CAUSES)
def test_the_keys_of_an_entry_are_known(slug: str) -> None:
    known = {"title", "headline", "meaning", "tells", "symptom", "summary", "steps", "commands", "request"}
    known |= {"evidence", "choices", "sample", "to"}
    assert set(words.family(slug.partition("/")[0])[slug]) <= known


@pytest.mark.parametrize("slug", CAUSES)
def test_every_language_has_the_same_keys_and_values(slug: str) -> None:
    english = words.entry(slug)
    assert [_shape(_entry(slug, language)) for language in LANGUAGES] == [_shape(english)] * len(LANGUAGES)


def test_a_value_that_another_language_forgot_is_found() -> None:
    english = words.entry("tcp/refused")
    for wrong in (
        replace(english, headline="連線遭拒"),
        replace(english, steps=english.steps[:1]),
        replace(english, commands=()),
        replace(english, evidence={"more": ("", "")}),
    ):
        assert _shape(wrong) != _shape(english)


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("到 {it} 的連線", "web01", "到 web01 的連線"),
        ("到 {it} 的連線", "3 個端點", "到 3 個端點的連線"),
        ("請驗證 {it} 上的前置詞", "這條線路", "請驗證這條線路上的前置詞"),
        ("{it} 沒有回應", "伺服器的解析程式", "伺服器的解析程式沒有回應"),
        ("the {it} is 3", "線路", "the 線路 is 3"),
        ("到 {it} 的連線", "", "到  的連線"),
    ],
)
def test_no_space_stands_between_two_chinese_words(template: str, value: str, text: str) -> None:
    assert words.filled(template, {"it": value}.__getitem__) == text


def _entry(slug: str, language: str) -> words.Entry:
    with speaking(language):
        return words.entry(slug)


def _shape(entry: words.Entry) -> tuple[object, ...]:
    """What must be the same in every language: named values, keys, conditions and whole commands."""
    return (
        [words.fields(text) for text in (entry.headline, entry.summary, entry.request.text)],
        [(step.when, words.fields(step.text)) for step in entry.steps],
        entry.commands,
        {key: words.fields(says) for key, (_, says) in entry.evidence.items()},
        {name: set(choice) for name, choice in entry.choices.items()},
    )
