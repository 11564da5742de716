"""What is said on stderr beside the data; apart from `report.console`, because it needs none of rich."""

import os
import sys

import typer

from arcferry import log
from arcferry.language import ENGLISH, spoken
from arcferry.report.columns import paragraph

_LABELS = ("note", "hint")


def say(text: str) -> None:
    """Tell people what no program waits for: a note, a hint, what goes on; nothing with `--quiet`."""
    if not log.is_quiet():
        typer.echo(in_window(text if spoken() == ENGLISH else _in_language(text)), err=True)


def _in_language(text: str) -> str:
    from arcferry.translation import labelled, translated

    label, colon, rest = text.partition(": ")
    return labelled(label, rest) if colon and label in _LABELS else translated(text)


def in_window(text: str) -> str:
    """Text for stderr, in lines that end at blanks where that is a terminal."""
    if not sys.stderr.isatty():
        return text
    room = os.get_terminal_size(sys.stderr.fileno()).columns
    return "\n".join(line for one in text.splitlines() for line in paragraph(one, room, rest="  "))
