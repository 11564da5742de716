"""Text: from outside, hostile until cleaned and bounded; numbers in it; what a console's columns hold."""

import json
import math
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# The wide signs too, which a spreadsheet in Chinese or Japanese takes for the narrow ones.
_FORMULA = re.compile(r"((?:^|[;\t\r\n])\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
# Categories of marks in Unicode: those that end something, those that begin it.
_CLOSING = {"Pe", "Pf", "Po"}
_OPENING = {"Ps", "Pi"}
_KEPT_BLANK = "\ue000"
_BLANK = re.compile(r"\{\{(\w+)\}\}")
_REPR = re.compile(r"""(?<!\w)(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")(?!\w)""")
_OBJECT = re.compile(r"<(?:[\w.]+\.)?(\w+) object at 0x[0-9a-f]+>")


def clean(raw: bytes | str, *, limit: int = 64 * 1024) -> str:
    """Printable text: at most `limit` characters, no terminal sequences, no control or direction marks.

    Line feeds and tabs stay. Bytes are decoded as UTF-8 with replacement; what comes back can always be
    encoded as UTF-8.
    """
    text = raw[: limit * 4].decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    text = _ANSI.sub("", text[: limit * 2])
    return _CONTROL.sub("", text)[:limit]


def one_line(raw: bytes | str, *, limit: int = 300) -> str:
    """Cleaned text on one line, shortened with an ellipsis."""
    text = " ".join(clean(raw, limit=limit * 8).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quoted(raw: bytes | str, *, limit: int = 120) -> str:
    """A value in quotation marks for a person: as it was given, but cleaned, on one line and bounded.

    A backslash stays one backslash, and a blank at an end stays to be seen.
    """
    text = clean(raw, limit=limit * 8).strip("\t\n").translate({ord(mark): " " for mark in "\t\n"})
    return f"'{text if len(text) <= limit else text[: limit - 1] + '…'}'"


def cell(text: str) -> str:
    """A cell of a spreadsheet that is no formula: what would begin one gets an apostrophe.

    Where a semicolon or a tab parts the columns, as in much of Europe, a cell may begin within another.
    """
    return _FORMULA.sub(r"\1'", text)


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with each `{{name}}` replaced by its value; a blank in a value is left alone.

    Raises:
        KeyError: a blank has no value.
    """
    return _BLANK.sub(lambda blank: values[blank[1]], template)


def width(text: str) -> int:
    """How many columns of a console the text takes."""
    return len(text) if text.isascii() else sum(2 if _is_wide(letter) else 1 for letter in text)


def widest(text: str) -> int:
    """How many columns the widest part of a text takes that no line ends within."""
    return max((width(piece) for word in text.split() for piece in _pieces(word)), default=0)


def glued(words: str) -> str:
    """Words between which no line ends where `wrapped` sets them, such as those of a command."""
    return words.replace(" ", _KEPT_BLANK)


def wrapped(text: str, columns: int, *, first: str = "", rest: str = "") -> list[str]:
    """The text in lines of at most `columns`, if no word is longer.

    The standard library's `textwrap` counts letters, not columns, and takes a Chinese sentence for one word.
    A break is where a space is, or beside a wide letter; never before a closing mark or after an opening one.
    `columns` counts the indents too: `first`, of the first line, and `rest`, of the others.
    """
    lines, line, taken = [], first, False
    for word in re.findall(r"\S+", text):
        for number, piece in enumerate(_pieces(word)):
            gap = " " if taken and not number else ""
            if taken and width(line + gap + piece) > columns:
                lines.append(line)
                line, gap = rest, ""
            line, taken = line + gap + piece, True
    return [one.replace(_KEPT_BLANK, " ") for one in (*lines, line)]


def _pieces(word: str) -> list[str]:
    """The word cut where a line may end."""
    if word.isascii():
        return [word]
    pieces: list[str] = []
    for before, after in zip(" " + word, word, strict=False):
        marks = unicodedata.category(after) in _CLOSING or unicodedata.category(before) in _OPENING
        if pieces and (marks or not (_is_wide(before) or _is_wide(after))):
            pieces[-1] += after
        else:
            pieces.append(after)
    return pieces


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def said(error: BaseException) -> str:
    """What a foreign exception says, for a person: the system's words where it has a number of the system's.

    Libraries put Python's notation of addresses and objects into their texts; it is left out.
    """
    # aiohttp wraps the system's error, or that of TLS, and names its own settings around it.
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    if isinstance(inner, Exception) and inner is not error:
        place = f"{getattr(error, 'host', '')}:{getattr(error, 'port', '')}"
        return one_line(f"{place}: {said(inner)}" if place != ":" else said(inner))
    if isinstance(error, OSError) and error.errno and (error.errno < 0 or _is_of_tls(error)):
        return one_line(error.strerror or str(error))
    if isinstance(error, OSError) and error.errno:
        return one_line(os.strerror(error.errno))
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return one_line(without_reprs(_OBJECT.sub(r"\1", text))) or type(error).__name__


def _is_of_tls(error: OSError) -> bool:
    import ssl  # noqa: PLC0415  # every command imports this module, and few meet TLS

    return isinstance(error, ssl.SSLError)


def without_reprs(text: str) -> str:
    """Text of a library's with each value in Python's notation as a person would write it."""
    import ast  # noqa: PLC0415  # as above

    def plain(found: re.Match[str]) -> str:
        if "\\" not in found[0]:
            return found[0]
        try:
            value = ast.literal_eval(found[0])
        except (ValueError, SyntaxError):
            return found[0]
        return quoted(value)

    return _REPR.sub(plain, text)


_LONGEST = 300
"""Digits of the longest number in JSON that is read: every `float` holds as much, and so do texts."""

_Pairs = Callable[[list[tuple[str, object]]], object]


_CLIXML_LETTER = re.compile(r"_x([0-9A-Fa-f]{4})_")


def from_clixml(text: str) -> str:
    """A text of PowerShell's CLIXML, without what XML and PowerShell escape in it ([MS-PSRP] 2.2.5.3.2)."""
    from html import unescape  # noqa: PLC0415  # what reads none does without its table of names

    return _CLIXML_LETTER.sub(lambda found: chr(int(found[1], 16)), unescape(text))


def whole(text: str | bytes, *, most: int) -> int | None:
    """The whole number that these digits write; None where something else stands there, or above `most`.

    Python's own `int` takes digits of every script, and fails by itself at more than 4,300 of them.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") if isinstance(text, str) else text.lstrip(b"0")
    if len(digits) > len(str(most)):
        return None
    number = int(digits or "0")
    return number if number <= most else None


class NumberError(ValueError):
    """JSON holds a number that no tool writes: of hundreds of digits, infinite, or none at all."""


def from_json(text: str | bytes, *, pairs: _Pairs | None = None) -> Any:  # noqa: ANN401  # any JSON
    """The value of a JSON text.

    Args:
        text: the whole text.
        pairs: makes an object of its keys and values, as `object_pairs_hook` of `json.loads`.

    Raises:
        NumberError: it holds a number of more than 300 digits, one beyond every `float`, or NaN.
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(
        text, object_pairs_hook=pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant
    )


def json_decoder() -> json.JSONDecoder:
    """A decoder that reads numbers as `from_json` does."""
    return json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _integer(text: str) -> int:
    return int(_bounded(text))


def _float(text: str) -> float:
    number = float(_bounded(text))
    if not math.isfinite(number):
        raise NumberError("a number beyond all that there are")
    return number


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        raise NumberError(f"a number of {len(text):,} digits")
    return text


def _constant(token: str) -> NoReturn:
    raise NumberError(f"{token}, which is no number")
