"""From bytes to text and JSON, whatever the bytes are; and hosts, instants and short texts out of JSON."""

import codecs
import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from arcferry import times, typed
from arcferry.errors import FileInputError
from arcferry.probe.observation import Stage
from arcferry.redaction import mask, redact, redact_json, redact_value
from arcferry.text import NumberError, from_json, one_line

TEXT_LIMIT = 8 * 1024 * 1024
"""Longest text in characters that is searched line by line; of a longer one the beginning and the end."""

_HEAD = 1024 * 1024
_MOST_LINES = 200_000
_LONGEST_LINE = 8000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASCII_TAIL = re.compile(rb"[\t\n\r\x20-\x7e]{12,}\Z")
_WIDE = re.compile(rb"(?:[\t\n\r\x20-\x7e]\x00){8,}|(?:\x00[\t\n\r\x20-\x7e]){8,}")
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}m")
"""What `az --output jsonc` and others put between the letters for a terminal."""

_MAX_DUPLICATES = 20
_LEAST_UTF16 = 4
_MOSTLY = 0.2
"""Share of Latin in a log in Chinese, say; in binary data NULs stand on both sides."""
_HARDLY = 0.05


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file as text without credentials and, where it is JSON, as a value.

    Attributes:
        is_json: whether `value` holds what the text says; `None` is a JSON value too.
        duplicates: keys that stood twice in one object, of which the last one counted.
    """

    text: str
    is_json: bool = False
    value: object = None
    duplicates: tuple[str, ...] = ()


def _unmarked_utf16(data: bytes) -> str | None:
    """The byte order of UTF-16 without a mark: Latin letters and digits have a NUL in every second byte."""
    sample = data[:2000]
    half = len(sample) // 2
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    for encoding, often, seldom in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if len(sample) >= _LEAST_UTF16 and often > _MOSTLY * half and seldom < _HARDLY * half:
            return encoding
    return None


def text_of(data: bytes) -> str | None:
    """The text, by byte order mark, else UTF-8 with replacement, so that any console's passes.

    Files of two encodings come from scripts that append: PowerShell 5.1 writes UTF-16 behind anything.

    Returns:
        None if the bytes are no text.
    """
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    encoding = encoding or _unmarked_utf16(data)
    if encoding and encoding != "utf-8-sig":
        # UTF-16 or UTF-32, with the plain tail that a tool of another encoding has appended to it.
        tail = _ASCII_TAIL.search(data[data.rfind(b"\x00") + 1 :])
        plain = tail[0] if tail else b""
        text = data[: len(data) - len(plain)].decode(encoding, errors="replace") + plain.decode("ascii")
    else:
        # Stretches of UTF-16 that were appended to plain text are made plain.
        is_mixed = b"\x00" in data[: TEXT_LIMIT * 4]
        plain = _WIDE.sub(lambda found: found[0].replace(b"\x00", b""), data) if is_mixed else data
        text = plain.decode(encoding or "utf-8", errors="replace")
    return None if "\x00" in text else _COLOUR.sub("", text)


def is_structured(text: str) -> bool:
    """Whether the text begins like JSON or XML, which must not be cut anywhere."""
    return text.lstrip()[:1] in ("{", "[", "<")


def shortened(text: str) -> tuple[str, str]:
    """The part of a text that is searched, and what to say of it; nothing if only odd lines were cut."""
    says = ""
    if len(text) > TEXT_LIMIT:
        end = TEXT_LIMIT - _HEAD
        tail = text[-end:]
        says = (
            f"long: of {len(text):,} characters the first {_HEAD:,} and the last {end:,} were read, "
            "because the newest stands at the end of a log"
        )
        # The first line of the end begins in its middle, and what it hides may have its name before that.
        begin = tail.find("\n", 0, _LONGEST_LINE) + 1
        text = f"{text[:_HEAD]}\n{tail[begin or _LONGEST_LINE :]}"
    lines = text.splitlines()
    if len(lines) > _MOST_LINES:
        says = says or f"long: of {len(lines):,} lines the last {_MOST_LINES:,} were read"
        lines = lines[-_MOST_LINES:]
    return _cut(lines), says


def _cut(lines: list[str]) -> str:
    return "\n".join(line[:_LONGEST_LINE] for line in lines)


def narrow(text: str) -> str:
    """The whole text, but for what of a line is longer than a line of any log or router."""
    return text if is_structured(text) else _cut(text.splitlines())


def _parsed(text: str) -> tuple[object, tuple[str, ...]]:
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(items)
        if len(found) < len(items) and len(duplicates) < _MAX_DUPLICATES:
            counted = Counter(key for key, _ in items)
            duplicates.extend(key for key, count in counted.items() if count > 1)
        return found

    value = from_json(text, pairs=pairs)
    if re.search(r"\\u[dD][89a-fA-F]", text):
        # Halves of letters can be neither printed nor encoded.
        units = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
        value = from_json(units.decode("utf-16", "replace"))
    return value, tuple(duplicates[:_MAX_DUPLICATES])


def _json_lines(text: str) -> list[object] | None:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines[1:] or not all(line.lstrip().startswith("{") for line in lines[:3]):
        return None
    try:
        return [_parsed(line)[0] for line in lines]
    except (ValueError, RecursionError):
        return None


def decode(name: str, text: str) -> Decoded:
    """The text without credentials and, where it is JSON or one JSON object a line, its value (then a list).

    Raises:
        FileInputError: the text starts like JSON but is nested too deeply.
    """
    if text.lstrip().startswith(("{", "[")):
        plain = redact_json(text)
        try:
            value, duplicates = _parsed(plain)
        except RecursionError:
            raise FileInputError(name, "JSON that is nested too deeply to be read") from None
        except NumberError as error:
            raise FileInputError(name, f"JSON that holds {error}") from None
        except ValueError:
            if (lines := _json_lines(plain)) is not None:
                return Decoded(plain, is_json=True, value=redact_value(lines))
        else:
            return Decoded(plain, is_json=True, value=redact_value(value), duplicates=duplicates)
    return Decoded(redact(text))


_MOST_SPOKEN = 2000


def spoken(value: object) -> str:
    """The messages of a log or an error in JSON, with their levels, as a console prints them."""
    found: list[str] = []
    waiting = [value]
    while waiting and len(found) < _MOST_SPOKEN:
        one = waiting.pop()
        keys = lowered(one)
        says, level = keys.get("msg", keys.get("message")), keys.get("level", keys.get("severity"))
        if isinstance(says, str):
            shown = level.upper() if isinstance(level, str) else "ERROR"
            found.append(f"{shown:<8}{one_line(says, limit=_LONGEST_LINE)}")
        inner = one if isinstance(one, list) else list(keys.values())
        waiting.extend(part for part in reversed(inner) if isinstance(part, list | Mapping))
    return "\n".join(found)


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


def mappings(value: object, most: int) -> list[Mapping[str, object]]:
    """The first objects of a list, at most so many; empty for anything else."""
    return [mapping(item) for item in value[:most]] if isinstance(value, list) else []


def lowered(value: object) -> dict[str, object]:
    """A JSON object with its keys in lower case, which tools spell differently; or an empty one."""
    return {str(key).lower(): item for key, item in mapping(value).items()}
