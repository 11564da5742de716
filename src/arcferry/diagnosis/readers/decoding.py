"""From bytes to text and JSON values, whatever the bytes are."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from arcferry.errors import FileInputError

TEXT_LIMIT = 8 * 1024 * 1024
"""Longest text in bytes that is searched line by line; JSON may be longer."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_DUPLICATES = 20
_LEAST_UTF16 = 4


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file as text and, where it is JSON, as a value.

    Attributes:
        is_json: whether `value` holds what the text says; `None` is a JSON value too.
        duplicates: keys that stood twice in one object, of which the last one counted.
    """

    text: str
    is_json: bool = False
    value: object = None
    duplicates: tuple[str, ...] = ()


def _unmarked_utf16(data: bytes) -> str | None:
    """The byte order of UTF-16 without a mark: Latin text has a NUL in every second byte."""
    sample = data[:2000]
    if len(sample) < _LEAST_UTF16 or len(data) % 2:
        return None
    half = len(sample) // 2
    if sample[1::2].count(0) > 0.7 * half and not sample[::2].count(0):
        return "utf-16-le"
    if sample[::2].count(0) > 0.7 * half and not sample[1::2].count(0):
        return "utf-16-be"
    return None


def as_text(name: str, data: bytes) -> str:
    """Decode by byte order mark, else as UTF-8 with replacement, so that localised consoles pass.

    Raises:
        FileInputError: the bytes are no text.
    """
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    encoding = encoding or _unmarked_utf16(data) or "utf-8"
    text = data.decode(encoding, errors="replace")
    if "\x00" in text:
        raise FileInputError(name, "a binary file, which explain does not read", hint="Hand in text or JSON.")
    return text


def _refuse_constant(token: str) -> NoReturn:
    raise ValueError(f"{token} is no JSON")


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

    value = json.loads(text, object_pairs_hook=pairs, parse_constant=_refuse_constant)
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


def decode(name: str, data: bytes) -> Decoded:
    """The file's text and, where it is JSON or one JSON object a line, its value (then a list).

    Raises:
        FileInputError: the bytes are no text; the text starts like JSON but is nested too deeply; it is
            longer than `TEXT_LIMIT` and no JSON.
    """
    text = as_text(name, data)
    if text.lstrip().startswith(("{", "[")):
        try:
            value, duplicates = _parsed(text)
        except RecursionError:
            raise FileInputError(name, "JSON that is nested too deeply to be read") from None
        except ValueError:
            if (lines := _json_lines(text)) is not None:
                return Decoded(text, is_json=True, value=lines)
        else:
            return Decoded(text, is_json=True, value=value, duplicates=duplicates)
    if len(data) > TEXT_LIMIT:
        raise FileInputError(name, f"no JSON, and larger than the {TEXT_LIMIT:,} bytes that are read of text")
    return Decoded(text)
