"""From bytes to text and JSON values, whatever the bytes are."""

import codecs
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from arcferry.errors import FileInputError
from arcferry.redaction import redact, redact_json, redact_value
from arcferry.text import NumberError, from_json

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
_SURROGATE = re.compile("[\ud800-\udfff]")
_ASCII_TAIL = re.compile(rb"[\t\n\r\x20-\x7e]{12,}\Z")
_WIDE = re.compile(rb"(?:[\t\n\r\x20-\x7e]\x00){8,}|(?:\x00[\t\n\r\x20-\x7e]){8,}")
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
    return None if "\x00" in text else text


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


def _scrubbed(value: object) -> object:
    """The same value with lone surrogates replaced, because they can be neither printed nor encoded."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    if isinstance(value, Mapping):
        return {_SURROGATE.sub("\ufffd", str(key)): _scrubbed(item) for key, item in value.items()}
    return value


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
        value = _scrubbed(value)
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
