"""The page of every cause, kept as data beside the causes, to be read without any network."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from arcferry.diagnosis.causes import CAUSES
from arcferry.diagnosis.finding import Owner, Severity
from arcferry.errors import UnknownNameError

_FOLDER = Path(__file__).with_name("causes") / "pages"


@dataclass(frozen=True, slots=True)
class Page:
    """What a cause is about.

    Attributes:
        meaning: what is wrong and why it looks as it does.
        tells: what arcferry concludes it from.
        symptom: a sample of what somebody sees, such as lines of the agent, a check, a router or a log.
        fix: what to do, in order.
        example: commands such as a remedy gives, with invented names.
        request: what somebody might send to the owner, with invented names; empty where the owner is the
            reader's own team.
    """

    slug: str
    title: str
    severity: Severity
    owner: Owner
    meaning: str
    tells: str
    symptom: str
    fix: tuple[str, ...]
    example: tuple[str, ...]
    request: str


@cache
def _written(family: str) -> dict[str, dict[str, str | list[str]]]:
    return tomllib.loads((_FOLDER / f"{family}.toml").read_text(encoding="utf-8"))


def _text(value: str | list[str]) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _lines(value: str | list[str]) -> str:
    """Text whose lines matter, as a terminal or a letter has them."""
    return value.strip("\n") if isinstance(value, str) else ""


def page(slug: str) -> Page:
    """The page of the cause with this slug, in any letter case.

    Raises:
        UnknownNameError: there is no such cause.
    """
    cause = CAUSES.get(slug.strip().lower())
    if cause is None:
        raise UnknownNameError("cause", slug, CAUSES)
    text = _written(cause.slug.partition("/")[0])[cause.slug]
    return Page(
        slug=cause.slug,
        title=cause.title,
        severity=cause.severity,
        owner=cause.owner,
        meaning=_text(text["meaning"]),
        tells=_text(text["tells"]),
        symptom=_lines(text.get("symptom", "")),
        fix=tuple(text["fix"]),
        example=tuple(text["example"]),
        request=_lines(text.get("request", "")),
    )


def pages() -> tuple[Page, ...]:
    """Every cause's page."""
    return tuple(page(slug) for slug in CAUSES)
