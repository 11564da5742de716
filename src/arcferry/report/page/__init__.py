"""The page that people look at: one HTML file of what commands found, and the same as Markdown and CSV."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from arcferry import times
from arcferry.report.page.build import build
from arcferry.report.page.documents import Written, read
from arcferry.report.page.html import html
from arcferry.report.page.markdown import markdown
from arcferry.report.page.page import Page
from arcferry.report.page.sheet import sheet
from arcferry.report.page.words import Words, load

__all__ = ["Form", "Written", "of", "read", "written"]

Form = Literal["html", "markdown", "csv"]
_FORMS: Mapping[Form, Callable[[Page, Words], str]] = {"html": html, "markdown": markdown, "csv": sheet}


def of(document: Mapping[str, Any], form: Form = "html") -> str:
    """The page of one document that a command has at hand, in the language that is spoken."""
    return written([read(document)], form)


def written(documents: Sequence[Written], form: Form = "html") -> str:
    """The page of several documents, in the language that is spoken."""
    words = load()
    return _FORMS[form](build(documents, words, times.now()), words)
