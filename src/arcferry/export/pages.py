"""The page of steps that comes with every export, as Markdown and as one HTML file, from one text."""

import re
from collections.abc import Mapping
from html import escape
from importlib import resources

from markdown_it import MarkdownIt

_BLANK = re.compile(r"\{\{(\w+)\}\}")
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
pre { overflow-x: auto; padding: .8rem; background: #8881; border: 1px solid #8884; }
code { font-family: ui-monospace, Consolas, monospace; overflow-wrap: anywhere; }
pre code { overflow-wrap: normal; }
table { border-collapse: collapse; }
td, th { border: 1px solid #8886; padding: .2rem .6rem; text-align: left; }
:root { color-scheme: light dark; }
@media print { body { max-width: none; } pre { white-space: pre-wrap; } }
"""


def page(parts: tuple[str, ...], values: Mapping[str, str]) -> str:
    """The parts as one Markdown text, numbered through, each `{{blank}}` filled in.

    A value may hold anything but a backtick and a line feed: the texts put each between backticks.
    """
    text = "\n".join(_part(name) for name in parts)
    text = _BLANK.sub(lambda blank: values[blank[1]], text)
    numbers = iter(range(1, 100))
    return re.sub(r"(?m)^## ", lambda _: f"## {next(numbers)}. ", text)


def as_html(markdown: str) -> str:
    """The same as one file that needs nothing else; what is not Markdown is escaped."""
    title = escape(markdown.partition("\n")[0].lstrip("# "))
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _part(name: str) -> str:
    return resources.files("arcferry.export").joinpath("pages", f"{name}.md").read_text(encoding="utf-8")
