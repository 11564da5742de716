"""Host names, addresses, instants and short texts out of values that nobody vouches for."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address

from arcferry import times
from arcferry.text import one_line

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{1,40}}")
_URL = re.compile(r"https?://([A-Za-z0-9_.-]{1,260})(?=[:/?#\s\"'<>|,;)\]\\]|$)", re.IGNORECASE)

_USER = re.compile(r"//[^/\s]*@")
_LONG_HOST = 254
_LONG_ADDRESS = 100
_LONG_INSTANT = 64
_HUGE = 1e12


def host(value: object) -> str:
    """A host name in lower case without its final dot; empty where `value` is none."""
    if not isinstance(value, str) or len(value) > _LONG_HOST:
        return ""
    name = value.strip().rstrip(".").lower()
    return name if len(name) < _LONG_HOST and _HOST.fullmatch(name) else ""


def hosts_in_urls(text: str) -> list[str]:
    """The host names of every http and https URL in `text`, each once, in order."""
    return list(dict.fromkeys(name for found in _URL.findall(text) if (name := host(found))))


def address(value: object) -> str:
    """An IP address in its usual spelling, without a zone; empty where `value` is none."""
    if not isinstance(value, str) or len(value) > _LONG_ADDRESS:
        return ""
    try:
        return str(ip_address(value.strip().partition("%")[0]))
    except ValueError:
        return ""


def instant(value: object) -> datetime | None:
    """An instant from RFC 3339 text; None where `value` is none."""
    if not isinstance(value, str) or len(value) > _LONG_INSTANT:
        return None
    try:
        return times.from_text(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def short(value: object, limit: int = 300) -> str:
    """Printable text on one line; empty for anything that is no text."""
    return one_line(value, limit=limit) if isinstance(value, str) else ""


def url(value: object) -> str:
    """A URL without a user and a password; empty for anything that is no text."""
    return _USER.sub("//", short(value, 200))


def texts(value: object, limit: int = 64) -> list[str]:
    """The texts of a list, bounded; empty for anything else."""
    return [item for item in value[:limit] if isinstance(item, str)] if isinstance(value, list) else []


def flag(value: object) -> bool | None:
    """A boolean, or None for anything else."""
    return value if isinstance(value, bool) else None


def number(value: object) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _HUGE else None


def mapping(value: object) -> Mapping[str, object]:
    """A JSON object, or an empty one."""
    return value if isinstance(value, Mapping) else {}
