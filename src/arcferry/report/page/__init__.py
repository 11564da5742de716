"""The page that people look at: one HTML file of what commands found, and the same as Markdown and CSV."""

from collections.abc import Mapping, Sequence
from typing import Any

from arcferry import times
from arcferry.diagnosis.words import ENGLISH
from arcferry.report.page.build import build
from arcferry.report.page.documents import Written, read
from arcferry.report.page.html import html
from arcferry.report.page.words import load

__all__ = ["Written", "of", "read", "written"]


def of(document: Mapping[str, Any], language: str = ENGLISH) -> str:
    """The page of one document that a command has at hand."""
    return written([read(document)], language)


def written(documents: Sequence[Written], language: str = ENGLISH) -> str:
    """The page of several documents as HTML."""
    words = load(language)
    return html(build(documents, words, times.now()), words)
