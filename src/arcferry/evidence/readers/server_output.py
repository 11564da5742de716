"""Output of tools that tell of a server, and from which no rule concludes anything: `server_output.toml`."""

import re
import tomllib
from functools import cache
from importlib import resources

from arcferry.evidence.case import Document, Kind

_MOST = 200_000


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    file = resources.files(__package__).joinpath("server_output.toml")
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["output"]
    return tuple(re.compile(pattern) for row in rows for pattern in row["patterns"])


def read(name: str, text: str) -> Document | None:
    """The document of what a tool says of a server, or None if `text` is no tool's that is known."""
    part = text[:_MOST]
    return Document(name, Kind.SERVER_STATE) if any(one.search(part) for one in _patterns()) else None
