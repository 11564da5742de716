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
    from jinja2 import Environment

_LETTERS = {REACHED: "✓", UNTRIED: "·", OTHER: "?", **{letter: letter.upper() for letter in STAGES.values()}}


def html(page: Page, words: Words) -> str:
    """The file's text. Everything that a document says is escaped.

    Its own style and script are let in by their hashes, and nothing else is.
    """
    style, script = part("style.css"), part("copy.js") + part("times.js") + part("find.js")
    text: str = (
        templates(__package__)
        .get_template("page.html.jinja")
        .render(
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
    )
    return text


def _policy(style: str, script: str) -> str:
    own = [f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in (style, script)]
    return f"default-src 'none'; style-src {own[0]}; script-src {own[1]}; base-uri 'none'; form-action 'none'"


@cache
def part(name: str) -> str:
    """A file of this package, such as `style.css`."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def templates(package: str) -> "Environment":
    """The templates of a package; every value in them is escaped."""
    # Every command can write a page, and few are asked for one.
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415  # as said

    from arcferry.report.page.inline import named, told  # noqa: PLC0415  # as said

    def load(name: str) -> str | None:
        own = resources.files(package).joinpath(name)
        shared = resources.files(__package__).joinpath(name)
        found = next((one for one in (own, shared) if one.is_file()), None)
        return found.read_text(encoding="utf-8") if found else None

    made = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(told=told, named=named)
    return made
