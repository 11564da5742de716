"""The language that people are spoken to in; slugs, codes and JSON are the same in all.

Words that stand in code pass through `_`, `ngettext` or `marked`: `scripts/words.py` gathers them from there.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gettext import GNUTranslations

ENGLISH = "en"
LANGUAGES = (ENGLISH, "zh-TW")
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_TRADITIONAL = ("zh_tw", "zh_hk", "zh_mo", "zh_hant")
_spoken = ContextVar("spoken", default=ENGLISH)


def spoken() -> str:
    """The language of words that are made now."""
    return _spoken.get()


def speak(language: str) -> None:
    """From now on words are of this language."""
    _spoken.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within it words are of this language; without it they are English."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def _(text: str, /, **values: object) -> str:
    """The text in the language that is spoken, with these values in its braces."""
    language = spoken()
    if language != ENGLISH and text:  # gettext's answer to an empty text is the head of the catalogue
        text = _words(language).gettext(text)
    return text.format(**values) if values else text


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """The text for so many things, as `_`; `{count}` in it is their number."""
    language = spoken()
    if language == ENGLISH:
        text = one if count == 1 else many
    else:
        text = _words(language).ngettext(one, many, count)
    return text.format(count=count, **values)


def together(parts: Iterable[str]) -> str:
    """Parts of one line, with the comma of the language that is spoken."""
    return _(", ").join(parts)


def marked(text: str) -> str:
    """A text that passes through `_` later, where it is printed: a table of a module's knows no language."""
    return text


def translated(text: str) -> str:
    """A text that is kept in English (an error, a decision, a change), in the language that is spoken."""
    if spoken() == ENGLISH:
        return text
    from arcferry import translation  # noqa: PLC0415  # English needs none

    return translation.translated(text)


def headings(*texts: str) -> tuple[str, ...]:
    """Several texts of which the same holds, such as the headings of a table."""
    return texts


@cache
def _words(language: str) -> "GNUTranslations":
    from gettext import GNUTranslations  # noqa: PLC0415  # English needs none

    with resources.files("arcferry").joinpath("locale", language, "words.mo").open("rb") as file:
        return GNUTranslations(file)


def over(english: Mapping[str, Any], translated: Mapping[str, Any]) -> dict[str, Any]:
    """The English tables with what is translated in its place; a list is replaced as a whole."""
    return {
        key: over(value, translated.get(key, {})) if isinstance(value, dict) else translated.get(key, value)
        for key, value in english.items()
    }


def typed_in(words: Sequence[str]) -> str | None:
    """The language that a command line asks for with `--lang`, wherever in it that stands."""
    wanted = (
        words[at + 1 : at + 2] if word == "--lang" else [word.removeprefix("--lang=")]
        for at, word in enumerate(words)
        if word == "--lang" or word.startswith("--lang=")
    )
    return next((one for last in reversed(list(wanted)) for one in last if one in LANGUAGES), None)


def of_system(environment: Mapping[str, str] = os.environ) -> str:
    """The language that this user's system is set to, as far as arcferry speaks it; else English."""
    told = next(filter(None, map(environment.get, _VARIABLES)), "") or _of_windows()
    return "zh-TW" if told.lower().replace("-", "_").startswith(_TRADITIONAL) else ENGLISH


def _of_windows() -> str:
    """Windows sets no variable; what its menus are in is told by a number."""
    told = ""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415  # on Windows alone
        import locale  # noqa: PLC0415  # as above

        told = locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")
    return told
