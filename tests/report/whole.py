"""Whether a text in a window shows whole what its JSON holds."""

import re
from collections.abc import Iterator

from arcferry.text import width

_COMMAND = re.compile(r"(arcferry|az|azcmagent|openssl|\$\w+ =|(Get|Set|Update)-\w+) ")
_SHORTEST = 6


def leaves(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, str):
        yield value


def broken(text: str, document: object) -> list[str]:
    """The words of a document that a line of the text ends within."""
    joined = re.sub(r"\n *", "", text)
    words = {word for leaf in leaves(document) for word in leaf.split() if len(word) > _SHORTEST}
    return sorted(word for word in words if word.isascii() and word in joined and word not in text)


def too_wide(text: str, columns: int) -> list[str]:
    """The lines that a window of so many columns would break, without those that must stay whole.

    These are commands, and a word that is wider than what is left of the window beside its indent.
    """
    return [
        line
        for line in text.splitlines()
        if width(line) > columns
        and not _COMMAND.match(line.strip())
        and max(map(width, line.split())) <= columns - 12
    ]
