"""Host names, addresses, instants, lines and short texts out of values that nobody vouches for."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from arcferry import times, typed
from arcferry.probe.observation import Stage
from arcferry.redaction import mask
from arcferry.text import one_line

_URL = re.compile(r"https?://([A-Za-z0-9_.-]{1,260})(?=[:/?#\s\"'<>|,;)\]\\]|$)", re.IGNORECASE)
_USER = re.compile(r"(//|^)[^/\s]*@")
_YES, _NO = {"true", "yes"}, {"false", "no"}
_UNPROXIED = {"", "not used", "not set", "bypassed", "unknown", "false", "n/a", "-", "none"}
_AHEAD = 4
_LONG_INSTANT = 64
_HUGE = 1e12

host = typed.host
address = typed.address


@cache
def patterns() -> dict[str, Any]:
    """What `patterns.toml` holds: how tools say things, which is data."""
    return tomllib.loads(Path(__file__).with_name("patterns.toml").read_text(encoding="utf-8"))


@cache
def _failures(tool: str) -> tuple[tuple[re.Pattern[str], Stage, str], ...]:
    return tuple((re.compile(pattern), Stage(stage), kind) for stage, kind, pattern in patterns()[tool])


def failure_told(tool: str, *said: str) -> tuple[Stage, str, str] | None:
    """The stage and the kind of failure that a tool tells of, and the line of `said` that tells it."""
    for pattern, stage, kind in _failures(tool):
        if line := next(filter(pattern.search, said), None):
            return stage, kind, line
    return None


def lines(text: str, longest: int = 2000, most: int | None = None) -> list[str]:
    """The lines of a text, bounded in length and number: a pattern may be tried on each of them."""
    return [line[:longest] for line in text.splitlines()[:most]]


def unescaped(text: str) -> str:
    r"""The text with `\"` undone, so that URLs end where they end."""
    return text.replace('\\"', '"')


def hosts_in_urls(text: str) -> list[str]:
    """The host names of every http and https URL in `text`, each once, in order."""
    return list(dict.fromkeys(name for found in _URL.findall(text) if (name := host(found))))


def hosts(value: object) -> tuple[str, ...]:
    """The host names of a list; what is none is left out."""
    return tuple(found for text in texts(value) if (found := host(text)))


def addresses(value: object) -> tuple[str, ...]:
    """The IP addresses of a list; what is none is left out."""
    return tuple(found for text in texts(value) if (found := address(text)))


def instant(value: object) -> datetime | None:
    """An instant from RFC 3339 text; None if `value` is none."""
    if not isinstance(value, str) or len(value) > _LONG_INSTANT:
        return None
    try:
        return times.from_text(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def short(value: object, limit: int = 300) -> str:
    """Printable text on one line without what looks like a secret; empty for anything that is no text."""
    if not isinstance(value, str):
        return ""
    # What is hidden is hidden before the end is cut off, so that no half of it stays.
    return one_line(mask(one_line(value, limit=limit * _AHEAD)), limit=limit)


def word(value: object, limit: int) -> str:
    """A kind, a version or a code, whose blanks stand for themselves; empty for anything else."""
    text = short(value, limit)
    return text if all(map(typed.word, text.split())) else ""


def url(value: object) -> str:
    """A URL without a user and a password; empty for anything that is no text."""
    return _USER.sub(r"\1", short(value, 200))


def texts(value: object, limit: int = 64) -> list[str]:
    """The texts of a list, bounded; empty for anything else."""
    return [item for item in value[:limit] if isinstance(item, str)] if isinstance(value, list) else []


def flag(value: object) -> bool | None:
    """A boolean, or None for anything else."""
    return value if isinstance(value, bool) else None


def is_yes(cell: str) -> bool | None:
    """Whether a cell of `azcmagent check` says yes or no; None for anything else."""
    said = cell.strip().lower()
    return True if said in _YES else False if said in _NO else None


def is_proxied(cell: str) -> bool:
    """Whether a cell of `azcmagent check` says that a proxy was used."""
    return cell.strip().lower() not in _UNPROXIED


def number(value: object) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _HUGE else None


def mapping(value: object) -> Mapping[str, object]:
    """A JSON object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def lowered(value: object) -> dict[str, object]:
    """A JSON object with its keys in lower case, which tools spell differently; or an empty one."""
    return {str(key).lower(): item for key, item in mapping(value).items()}
