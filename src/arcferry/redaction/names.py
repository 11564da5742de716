"""What settings, headers, options and elements that hold a secret are called, in the languages of users.

And how the many of them are looked for at once, also where JSON writes their letters as escapes.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

_DATA = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
FOREIGN: tuple[str, ...] = tuple(_DATA["foreign"])
"""Names that stand for themselves wherever they are found."""
SAID_OF: tuple[str, ...] = tuple(_DATA["said_of"])
"""How a sentence goes on that is about a secret and does not tell it."""
ANCHORS: tuple[str, ...] = tuple(_DATA["anchors"])
"""Every other name holds one of these, in lower case."""
ORDINARY = frozenset[str](_DATA["ordinary"])
"""Words of a sentence, which are no secret even where one would stand."""
_PARTS = (*_DATA["parts"], *FOREIGN)
_WORDS, _LAST, _NO_PASSWORDS = (frozenset(_DATA[key]) for key in ("words", "last", "no_passwords"))
_OF_KEYS, _OF_TOKENS, _OF_HEADERS = (frozenset(_DATA[key]) for key in ("of_keys", "of_tokens", "of_headers"))
_WEAK, _ABOUT = frozenset(_DATA["weak"]), frozenset(_DATA["about"])
_PAIRS = frozenset((first, second) for first, second in _DATA["pairs"])
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\x00-/:-@\[-`{-\x7f]+")
_LONGEST = 120
_Tree = dict[str, "_Tree"]
_ESCAPED = re.compile(r"\\{1,6}u([0-9A-Fa-f]{4})")
_FIRST, _SURROGATES = 0x80, range(0xD800, 0xE000)


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether what stands under this name is a secret, whatever it is."""
    words = _words(name)
    if not words or words[-1] in _ABOUT:
        return False
    plain = name.lower()
    if any(part in plain for part in _PARTS) or any(word in _WORDS for word in words):
        return True
    last = words[-1].rstrip("0123456789")
    if last in _LAST or (last.endswith("pass") and last not in _NO_PASSWORDS):
        return True
    if words[-1] == "authorization":
        return len(words) == 1 or words[-2] in _OF_HEADERS
    pairs = [*pairwise(words), *_glued(words)]
    return any(
        pair in _PAIRS
        or (pair[1] in ("key", "keys") and pair[0] in _OF_KEYS)
        or (
            pair[1] in ("token", "tokens")
            and (pair[0] in _OF_TOKENS or not pair[0].isalpha() or "_" in plain)
        )
        for pair in pairs
    )


@lru_cache(maxsize=4096)
def may_be_secret(name: str) -> bool:
    """Whether what stands under this name is a secret where it looks like one."""
    words = _words(name)
    return bool(words) and words[-1] not in _ABOUT and any(word in _WEAK for word in words)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _CAMEL.split(name[:_LONGEST]) if word]


def _glued(words: list[str]) -> list[tuple[str, str]]:
    """`accesskey` and `authtoken` as the two words that they are."""
    ends = ("keys", "key", "tokens", "token")
    return [(word[: -len(end)], end) for word in words for end in ends if word.endswith(end) and word != end]


def searching(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of the words; alike beginnings are looked at once, which makes it quick."""
    tree: _Tree = {}
    for word in words:
        inner = tree
        for letter in word:
            inner = inner.setdefault(letter, {})
        inner[""] = {}
    return re.compile(_pattern(tree))


def _pattern(tree: _Tree) -> str:
    if "" in tree:  # the shortest word decides: what it is the beginning of is looked at from there
        return ""
    ways = [re.escape(letter) + _pattern(inner) for letter, inner in sorted(tree.items())]
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


def lower(text: str) -> str:
    """The text in lower case, each letter at its place: one letter alone becomes two otherwise."""
    return text.replace("İ", "i").lower()


def unescaped(text: str) -> tuple[str, Callable[[int], int]]:
    """The text with letters beyond ASCII in place of their escapes, and what finds a place of it in `text`.

    Signs of ASCII stay escaped: they could end a string or a line.
    """
    kept: list[str] = []
    begins, behind = [0], [0]
    done = length = 0
    for found in _ESCAPED.finditer(text) if "\\u" in text else ():
        code = int(found[1], 16)
        if code < _FIRST or code in _SURROGATES:
            continue
        kept += [text[done : found.start()], chr(code)]
        length += found.start() - done + 1
        done = found.end()
        begins.append(length)
        behind.append(done)
    if not kept:
        return text, lambda place: place

    def at(place: int) -> int:
        before = bisect_right(begins, place) - 1
        return behind[before] + place - begins[before]

    return "".join((*kept, text[done:])), at
