"""START-HERE: the way for an administrator who has a server, the bundle, and nothing else."""

from arcferry.bundle.guide.compose import compose
from arcferry.bundle.guide.packed import Packed
from arcferry.bundle.guide.page import html_page
from arcferry.bundle.guide.plain import plain_text
from arcferry.bundle.guide.source import LANGUAGES, load_source

__all__ = ["NAMES", "Packed", "guide_files"]

_STEMS = {"en": "START-HERE", "zh-TW": "START-HERE.zh-TW"}
_CALLED = {"en": "English", "zh-TW": "正體中文"}
NAMES = tuple(f"{_STEMS[language]}.{form}" for language in LANGUAGES for form in ("html", "txt"))
"""The names of the guide's files in a bundle."""


def guide_files(packed: Packed) -> dict[str, bytes]:
    """The guide's files by their names in the bundle; the same `packed` gives the same bytes."""
    made: dict[str, bytes] = {}
    for language in LANGUAGES:
        source, stem = load_source(language), _STEMS[language]
        chapters = compose(source, packed)
        others = [
            (f"{_STEMS[other]}.html", other, _CALLED[other]) for other in LANGUAGES if other != language
        ]
        made[f"{stem}.html"] = html_page(
            source, chapters, [*others, (f"{stem}.txt", language, source.labels["text"])]
        )
        made[f"{stem}.txt"] = plain_text(source, chapters)
    return made
