"""Reading the catalogue's own dated TOML files, each at most once in a process."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from arcferry.catalog.types import Source

_FOLDER = Path(__file__).with_name("data")
FILES = ("azcm", "clouds", "communities", "endpoints", "msiexec", "regions")
_adopted: dict[str, "CatalogFile"] = {}


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One file of the catalogue.

    Attributes:
        source: what the file as a whole rests on, and the day that was true.
        sources: further sources, by the short key that rows name them with.
        content: everything in the file, as TOML gives it.
    """

    source: Source
    sources: dict[str, Source]
    content: dict[str, Any]


def _parsed(content: Mapping[str, Any]) -> CatalogFile:
    sources = {key: Source(**value) for key, value in content.get("sources", {}).items()}
    return CatalogFile(Source(content["source"], content["taken"]), sources, dict(content))


@cache
def built_in(name: str) -> CatalogFile:
    """The catalogue file `name`, without its ending, as arcferry came with it."""
    return _parsed(tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


def load(name: str) -> CatalogFile:
    """The catalogue file `name`, without its ending; the adopted one where there is one."""
    return _adopted.get(name) or built_in(name)


def replace(name: str, content: Mapping[str, Any] | None) -> None:
    """Take `content`, already checked, for the catalogue file `name`; None takes the built-in one again.

    Whatever was made of the old one elsewhere stays, so callers use `adoption.adopt`.
    """
    if content is None:
        _adopted.pop(name, None)
    else:
        _adopted[name] = _parsed(content)


def dated() -> date:
    """The day up to which the whole catalogue is known to have been true: its oldest file's."""
    return min(load(name).source.taken for name in FILES)
