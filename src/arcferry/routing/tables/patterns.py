"""Patterns that stand in data beside the readers, with words for what stands in many of them."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_V6 = r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f.]{0,15}){2,8}"
ADDRESS = rf"(?:{_V4}|{_V6})"
_SHORTHANDS = (("ADDRESS", ADDRESS), ("NET", rf"(?:{_V4}|{_V6})/\d{{1,3}}"), ("IPV4", _V4))


@cache
def held(name: str) -> dict[str, Any]:
    """What the data file of this name holds."""
    return tomllib.loads(files("arcferry.routing.tables").joinpath(name).read_text(encoding="utf-8"))


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which ADDRESS, NET (an address with a length) and IPV4 stand for what they say."""
    for word, meant in _SHORTHANDS:
        pattern = pattern.replace(word, meant)
    return re.compile(pattern)


def all_compiled(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Each of the patterns."""
    return tuple(map(compiled, patterns))
