"""Reading the catalogue's own dated TOML files, each at most once in a process."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from arcferry.catalog.types import Source

_FOLDER = Path(__file__).with_name("data")
FILES = ("azcm", "clouds", "communities", "endpoints", "msiexec", "regions")


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the catalogue.

    Attributes:
        source: what the file as a whole rests on, and the day that was true.
        sources: further sources, by the short key that rows name them with.
        content: everything in the file, as TOML gives it.
    """

    source: Source
    sources: dict[str, Source]
    content: dict[str, Any]


@cache
def load(name: str) -> Document:
    """The catalogue file `name`, without its ending."""
    content = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    sources = {key: Source(**value) for key, value in content.get("sources", {}).items()}
    return Document(Source(content["source"], content["taken"]), sources, content)


def dated() -> date:
    """The day up to which the whole catalogue is known to have been true: its oldest file's."""
    return min(load(name).source.taken for name in FILES)
