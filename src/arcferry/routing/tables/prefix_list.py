"""A plain list: one prefix a line, perhaps with communities behind it, and comments after `#`."""

import re
from collections.abc import Iterator, Sequence

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.routing.route import Route
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import excerpt
from arcferry.routing.tables.reading import Reading
from arcferry.routing.tables.source import Line

NAME = "prefix-list"
_HEADER = re.compile(
    r"[\"']?(?:prefix(?:es)?|network|cidr|route)[\"']?(?:\s*[,;\t ]\s*[\"']?communit(?:y|ies)[\"']?)?\s*$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\"']?(?P<net>[0-9a-fA-F.:]{2,45}/\d{1,3})[\"']?(?P<rest>(?:[\s,;].*)?)$")


def _bare(line: str) -> str:
    return re.split(r"#|!|//", line, maxsplit=1)[0].strip().rstrip(",")


def looks_right(head: Sequence[str]) -> bool:
    """Whether every line of the document's beginning is a prefix, a comment or the column names."""
    lines = [bare for line in head if (bare := _bare(line))]
    if lines and _HEADER.match(lines[0]):
        del lines[0]
    matches = [_PLAIN.match(line) for line in lines]
    return bool(lines) and all(match and _are_communities(match["rest"]) for match in matches)


def _are_communities(text: str) -> bool:
    words = [word for word in re.split(r"[\s,;\"']+", text) if word]
    return all(values.community(word) or re.fullmatch(r"\(\d+|\d+\)", word) for word in words)


def read(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    """The prefixes as routes.

    Raises:
        FileInputError: a line is neither a prefix nor a comment.
    """
    reading.shows_communities = False
    for number, line in lines:
        bare = _bare(line)
        if not bare or _HEADER.match(bare):
            continue
        match = _PLAIN.match(bare)
        network = values.prefix(match["net"]) if match else None
        if match is None or network is None or not _are_communities(match["rest"]):
            raise FileInputError(
                reading.name,
                f"expected a prefix such as 13.71.0.0/16, perhaps with communities: "
                f"{typed.shown(excerpt(line))}",
                line=number,
                hint="Correct the line, or put a # before it.",
            )
        communities = values.communities(match["rest"])
        reading.shows_communities = reading.shows_communities or bool(communities)
        yield Route(network, communities)
