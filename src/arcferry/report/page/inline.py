"""Times and names within a text of the page: marked, so that a reader sees them whole."""

import re

from markupsafe import Markup, escape

from arcferry.times import from_text

_SHORT, _LINE = 24, 50
"""How many letters fit a line of a telephone, and of a window."""
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?"
_MARKED = re.compile(
    r"(?P<time>\b\d{4}-\d\d-\d\d(?-i: \d\d:\d\d(?::\d\d)? UTC|T\d\d:\d\d:\d\dZ)\b)"
    r"|(?P<address>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]))"
    rf"|(?P<name>(?<![\w.-])(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,22}}[a-z0-9])(?![\w-]))"
    r"|(?P<hyphened>(?<![\w.-])(?=[\w-]{3,24}(?![\w-]))\w+(?:-\w+)+)",
    re.IGNORECASE,
)


def told(text: object) -> Markup:
    """The text, escaped: a time is as people and scripts read it, and a name breaks after dots alone."""
    return Markup(_MARKED.sub(_marked, str(escape(text))))  # noqa: S704  # escaped before


def named(text: object) -> Markup:
    """The same for a text that is copied: its times stay as they are."""
    return Markup(_MARKED.sub(lambda found: _marked(found, times=False), str(escape(text))))  # noqa: S704  # escaped before


def _marked(found: re.Match[str], *, times: bool = True) -> str:
    text = found[0]
    if found["time"]:
        return _time(text) if times else text
    if len(text) > _LINE:
        return text.replace(".", ".<wbr>")
    breaks = found["name"] and len(text) > _SHORT
    return f"<span class=n>{text.replace('.', '.<wbr>') if breaks else text}</span>"


def _time(text: str) -> str:
    machine = text.replace(" UTC", "Z").replace(" ", "T")
    try:
        from_text(machine)
    except ValueError:  # a text that looks like one
        return text
    return f'<time datetime="{machine}">{machine.replace("T", " ").replace("Z", " UTC")}</time>'
