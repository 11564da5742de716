"""The page as one HTML file that needs nothing else: no font, no picture, no connection."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING

from arcferry import __version__
from arcferry.report.page.heat import OTHER, REACHED, STAGES, UNTRIED
from arcferry.report.page.page import Page
from arcferry.report.page.picture import drawings
from arcferry.report.page.words import Words

if TYPE_CHECKING:
    from jinja2 import Template

_LETTERS = {REACHED: "✓", UNTRIED: "·", OTHER: "?", **{letter: letter.upper() for letter in STAGES.values()}}


def html(page: Page, words: Words) -> str:
    """The file's text. Everything that a document says is escaped.

    Its own style and its one script, which copies letters, are let in by their hashes, and nothing else is.
    """
    style, script = _part("style.css"), _part("copy.js")
    text: str = _template().render(
        page=page,
        words=words,
        version=__version__,
        style=style,
        script=script,
        policy=_policy(style, script),
        pictures=drawings(page.path, words) if page.path else (),
        letters=_LETTERS,
        stages=STAGES,
    )
    return text


def _policy(style: str, script: str) -> str:
    own = [f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in (style, script)]
    return f"default-src 'none'; style-src {own[0]}; script-src {own[1]}; base-uri 'none'; form-action 'none'"


@cache
def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> "Template":
    # Every command can write a page, and few are asked for one.
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  # as said

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string(_part("page.html.jinja"))
