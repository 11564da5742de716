"""Text from outside: hosts, files and services are hostile until cleaned."""

import os
import re
from collections.abc import Mapping

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

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


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with each `{{name}}` replaced by its value; a blank in a value is left alone.

    Raises:
        KeyError: a blank has no value.
    """
    return _BLANK.sub(lambda blank: values[blank[1]], template)


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
