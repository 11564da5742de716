"""Numbers in text that nobody vouches for: what hosts, routers, files and services write is read here.

Python's own `int` takes digits of every script, and refuses more than 4,300 of them with an error of its own.
"""

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

_LONGEST = 300
"""Digits of the longest number in JSON that is read: every `float` holds as much, and so do texts."""

_Pairs = Callable[[list[tuple[str, object]]], object]


def whole(text: str | bytes, *, most: int) -> int | None:
    """The whole number that these digits write; None where something else stands there, or above `most`."""
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
    if len(text) > _LONGEST:
        raise NumberError(f"a number of {len(text):,} digits")
    return int(text)


def _float(text: str) -> float:
    if len(text) > _LONGEST:
        raise NumberError(f"a number of {len(text):,} digits")
    number = float(text)
    if not math.isfinite(number):
        raise NumberError("a number beyond all that there are")
    return number


def _constant(token: str) -> NoReturn:
    raise NumberError(f"{token}, which is no number")
