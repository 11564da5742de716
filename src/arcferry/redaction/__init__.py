"""The one place where credentials are taken out of what comes from outside.

`redact` knows the shapes in which secrets are written, and is applied to all that is read before a reader
sees it. `mask` also hides each word that looks like a secret, and is applied to every text that is quoted,
kept or sent on: to words out of files, to what a host printed, to what a router shows. Both leave lines
where they are. A JSON text stays JSON; of its values each is judged by the name that it goes by.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from arcferry.redaction import shapes, words
from arcferry.redaction.words import HIDDEN as HIDDEN
from arcferry.redaction.words import mask_words
from arcferry.text import from_json

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_COLON = re.compile(r"[ \t]*:[ \t]*")
_NUMBER = re.compile(r"-?\d[^\s,}\]]{0,40}")
_DEEPEST = 200
_NAMES = frozenset(("name", "key", "n", "id", "variable", "option", "setting"))
_VALUES = frozenset(("value", "val", "text", "content", "default", "defaultvalue"))
_FLAGS = frozenset(("-p", "-pw", "-u", "-U", "-a", "-P"))
_LITERALS = frozenset(("null", "true", "false", "none", ""))
_Json = TypeVar("_Json")


def _holds_secret(name: str) -> bool:
    """Whether what goes by this name in JSON is a secret; the signature of a prefix proves its owner."""
    return words.names_secret(name) or name.lower() == "signature"


def redact(text: str) -> str:
    """The same text without passwords, tokens, keys and the users in URLs.

    Lines stay where they are, so that a line number in an error still means the line of the file. The time is
    linear in the text. For a JSON document see `redact_json`.
    """
    kept, done = [], 0
    for start, end in shapes.spans(text):
        kept += [text[done:start], HIDDEN, "\n" * text.count("\n", start, end)]
        done = end
    return "".join((*kept, text[done:])) if kept else text


def mask(text: str) -> str:
    """What may be quoted, kept or sent on of a text: as `redact`, without words that look like secrets."""
    return mask_words(redact(text))


def redact_json(text: str) -> str:
    """The text of a JSON document without credentials; it stays as much JSON as it was, and its lines stay.

    What stands in one string is judged by itself, and a string or number by the name that it is given.
    """
    kept, done = [], 0
    places = [start for start, _ in shapes.suspects(text)]
    for place in places:
        if place < done:
            continue
        start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
        end = end if end >= 0 else len(text)
        kept += [text[done:start], *_line(text, start, end, places)]
        done = end
    return "".join((*kept, text[done:])) if kept else text


def _line(text: str, start: int, end: int, places: list[int]) -> Iterator[str]:
    """One line of a JSON text; strings in which nothing suspect stands are left alone, unlooked at."""
    done, name = start, ""
    for found in _STRING.finditer(text, start, end):
        begin, stop = found.span()
        if name and (number := _NUMBER.match(text, done)):
            yield json.dumps(HIDDEN)
            done, name = number.end(), ""
        inside = found[0][1:-1]
        near = bisect_left(places, begin) < bisect_left(places, stop)
        colon = _COLON.match(text, stop, end)
        if name and not colon and done == begin:
            yield found[0] if inside.lower() in _LITERALS else json.dumps(HIDDEN)
        else:
            yield text[done:begin]
            yield _literal(found[0]) if near else found[0]
        yield colon[0] if colon else ""
        name = inside if colon and near and _holds_secret(inside) else ""
        done = colon.end() if colon else stop
    if name and (number := _NUMBER.match(text, done)):
        yield json.dumps(HIDDEN)
        done = number.end()
    yield text[done:end]


def _literal(whole: str) -> str:
    try:
        inside = from_json(whole)
    except ValueError:
        return whole
    hidden = redact(inside)
    return whole if hidden == inside else json.dumps(hidden)


def redact_value(value: _Json) -> _Json:
    """A parsed JSON value without credentials."""
    return _walked(value, redact, "", 0)  # type: ignore[no-any-return]  # an object stays one, and so on


def mask_value(value: _Json, hide: Callable[[str], str] = mask) -> _Json:
    """What may be kept or sent on of a parsed JSON value: without credentials and what looks like one.

    Args:
        value: an object, a list, or what may stand in one.
        hide: `mask`, or what does the same and counts.
    """
    return _walked(value, hide, "", 0)  # type: ignore[no-any-return]  # as above


def _walked(value: Any, hide: Callable[[str], str], name: str, depth: int) -> Any:  # noqa: ANN401  # any JSON
    if depth > _DEEPEST:
        return HIDDEN
    secret = bool(name) and _holds_secret(name)
    if isinstance(value, str):
        return HIDDEN if secret and value.lower() not in _LITERALS else hide(value)
    if isinstance(value, Mapping):
        return _pairs(value, hide, name, depth)
    if isinstance(value, list):
        return _items(value, hide, name if secret else "", depth)
    return HIDDEN if secret and isinstance(value, int | float) and not isinstance(value, bool) else value


def _pairs(value: Mapping[Any, Any], hide: Callable[[str], str], name: str, depth: int) -> dict[str, Any]:
    """An object; where it gives a name and a value apart, or is itself named, the value goes by that name."""
    told = name if words.names_secret(name) else ""
    given = (item for key, item in value.items() if str(key).lower() in _NAMES and isinstance(item, str))
    told = told or next(given, "")
    found = {}
    for key, item in value.items():
        own = str(key)
        # The community of SNMP, which is a password, has a name; one of BGP has none.
        is_password = name.lower() == "community" and own.lower() == "name" and isinstance(item, str)
        called = told if own.lower() in _VALUES else "secret" if is_password else own
        found[hide(own)] = _walked(item, hide, called, depth + 1)
    return found


def _items(value: list[object], hide: Callable[[str], str], name: str, depth: int) -> list[object]:
    """A list; of an argument vector, what follows an option goes by the option's name."""
    found: list[object] = []
    before = ""
    for item in value:
        option = before if before.startswith("-") and not str(item).startswith("-") else ""
        # What these letters announce is a password only in some programs, and a number is a port in the rest.
        called = "password" if option in _FLAGS and not str(item).isdigit() else option
        found.append(_walked(item, hide, name or called, depth + 1))
        before = item if isinstance(item, str) else ""
    return found
