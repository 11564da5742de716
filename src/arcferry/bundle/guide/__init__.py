"""START-HERE: the way for an administrator who has a server, the bundle, and nothing else."""

from arcferry.bundle.guide.commands import BundleFacts
from arcferry.bundle.guide.html import html_page
from arcferry.bundle.guide.plain import plain_text
from arcferry.bundle.guide.text import LANGUAGES, compose, load_guide

__all__ = ["NAMES", "BundleFacts", "guide_files"]

_STEMS = {"en": "START-HERE", "zh-TW": "START-HERE.zh-TW"}
_CALLED = {"en": "English", "zh-TW": "正體中文"}
NAMES = tuple(f"{_STEMS[language]}.{form}" for language in LANGUAGES for form in ("html", "txt"))
"""The names of the guide's files in a bundle."""


def guide_files(facts: BundleFacts) -> dict[str, bytes]:
    """The guide's files by their names in the bundle; the same `facts` give the same bytes."""
    made: dict[str, bytes] = {}
    for language in LANGUAGES:
        guide, stem = load_guide(language), _STEMS[language]
        chapters = compose(guide, facts)
        links = [(f"{_STEMS[other]}.html", other, _CALLED[other]) for other in LANGUAGES if other != language]
        links.append((f"{stem}.txt", language, guide.labels["text"]))
        made[f"{stem}.html"] = html_page(guide, chapters, links)
        made[f"{stem}.txt"] = plain_text(guide, chapters)
    return made
