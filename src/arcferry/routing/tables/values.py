"""What routers write, made one form: prefixes, communities and AS paths, and the fields of their JSON.

A field of JSON may be missing, of another type, or one value where several are expected.
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache

from arcferry.routing.prefixes import prefix_key
from arcferry.text import whole

WELL_KNOWN = {
    0xFFFFFF01: "no-export",
    0xFFFFFF02: "no-advertise",
    0xFFFFFF03: "local-as",
    0xFFFF0000: "graceful-shutdown",
    0xFFFF029A: "blackhole",
    0xFFFFFF04: "no-peer",
}
"""RFC 1997, 3765, 7999 and 8326; IOS calls NO_EXPORT_SUBCONFED `local-as`."""

_WORDS = {
    **{word: word for word in WELL_KNOWN.values()},
    "noexport": "no-export",
    "noadvertise": "no-advertise",
    "no-export-subconfed": "local-as",
    "no_export_subconfed": "local-as",
    "no_export": "no-export",
    "no_advertise": "no-advertise",
    "nopeer": "no-peer",
    "internet": "internet",
}
_TOKEN = re.compile(r"\((\d+),\s?(\d+)\)|[^\s,;\[\]()<>\"']+")
_PAIR = re.compile(r"(\d{1,5}):(\d{1,5})")
_MAX_16 = 0xFFFF
_MAX_32 = 0xFFFFFFFF
_IPV4 = 4


def from_number(number: int) -> str:
    """A standard community's 32 bits as `12076:51012`, or as the word that it is known by."""
    return WELL_KNOWN.get(number) or f"{number >> 16}:{number & _MAX_16}"


def community(token: str) -> str | None:
    """One standard community in any spelling (`12076:51012`, `791463748`, `no-export`); None if it is none.

    IOS without `ip bgp-community new-format` writes one decimal number: (12076 << 16) | 51012 = 791463748.
    """
    if pair := _PAIR.fullmatch(token):
        high, low = whole(pair[1], most=_MAX_16), whole(pair[2], most=_MAX_16)
        return from_number(high << 16 | low) if high is not None and low is not None else None
    if (number := whole(token, most=_MAX_32)) is not None:
        return from_number(number)
    return _WORDS.get(token.lower())


@lru_cache(maxsize=65536)
def communities(text: str) -> tuple[str, ...]:
    """The standard communities of a list in any router's spelling; large and extended ones are left out."""
    found: dict[str, None] = {}
    for match in _TOKEN.finditer(text):
        token = f"{match[1]}:{match[2]}" if match[1] else match[0]
        if value := community(token):
            found[value] = None
    return tuple(found)


def is_community_list(text: str) -> bool:
    """Whether every word of the text is a standard community, as on the second line of a wrapped list."""
    words = text.split()
    return bool(words) and all(community(word) for word in words)


@lru_cache(maxsize=65536)
def as_path(text: str) -> tuple[int, ...]:
    """The AS numbers of a path, in order; sets and confederations are flattened, origin letters left out.

    `1.10` (asdot) is AS 65546.
    """
    numbers = []
    for word in re.split(r"[\s,{}()\[\]]+", text):
        if (number := whole(word.rstrip("ie?"), most=_MAX_32)) is not None:  # VRP: `10i`
            numbers.append(number)
        elif dotted := re.fullmatch(r"(\d{1,5})\.(\d{1,5})", word, re.ASCII):
            high, low = whole(dotted[1], most=_MAX_16), whole(dotted[2], most=_MAX_16)
            if high is not None and low is not None:
                numbers.append(high << 16 | low)
    return tuple(numbers)


def prefix(text: str, *, classful: bool = False) -> str | None:
    """The prefix in canonical form, None if the text is none, or an address without a length.

    With `classful`, an IPv4 network without a length has the length of its class, as IOS writes it.
    """
    if "/" not in text:
        if not classful or ":" in text:
            return None
        length = _class_length(text)
        if length is None:
            return None
        text = f"{text}/{length}"
    try:
        prefix_key(text)
    except ValueError:
        return None
    if ":" in text:
        return _canonical_ipv6(text)
    start, _, length_text = text.partition("/")
    return f"{start}/{length_text.lstrip('0') or '0'}"


@lru_cache(maxsize=1024)
def _canonical_ipv6(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Network(text))
    except ValueError:
        return None


def _class_length(text: str) -> int | None:
    """The length that a network has by its class (RFC 791), and 0 for the default route."""
    first, _, rest = text.partition(".")
    number = whole(first, most=255)
    if number is None or not rest:
        return None
    if text == "0.0.0.0":  # noqa: S104 - the default route, nothing is bound
        return 0
    return next((length for limit, length in ((128, 8), (192, 16), (224, 24)) if number < limit), None)


@lru_cache(maxsize=4096)
def address(text: str) -> str:
    """The address in canonical form, empty if the text is none."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def mapping(value: object) -> dict[str, object]:
    """The object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def several(value: object) -> list[object]:
    """The array's elements; anything else is one element, and null none."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def text(value: object) -> str:
    """The text or number as text, empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def words(value: object) -> str:
    """Every text within a value, with spaces between: a router gives a list as text, array or table."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return text(value) if inner is None else " ".join(map(words, inner))


def truth(value: object) -> bool | None:
    """True or False, also as text; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def first(tree: dict[str, object], *names: str) -> object:
    """The first of these fields that is there and not null."""
    return next((tree[name] for name in names if tree.get(name) is not None), None)


def text_of(tree: dict[str, object], *names: str) -> str:
    """The text or number of the first of these fields that is there."""
    return text(first(tree, *names))


def objects(value: object) -> Iterator[dict[str, object]]:
    """The objects of an array, or the one object."""
    return (item for item in several(value) if isinstance(item, dict))
