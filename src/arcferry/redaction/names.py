"""What settings, headers, options and elements that hold a secret are called, in the languages of users."""

import re
import tomllib
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
_PARTS = (*_DATA["parts"], *FOREIGN)
_WORDS, _LAST, _NO_PASSWORDS = (frozenset(_DATA[key]) for key in ("words", "last", "no_passwords"))
_OF_KEYS, _OF_TOKENS, _OF_HEADERS = (frozenset(_DATA[key]) for key in ("of_keys", "of_tokens", "of_headers"))
_WEAK, _ABOUT = frozenset(_DATA["weak"]), frozenset(_DATA["about"])
_PAIRS = frozenset((first, second) for first, second in _DATA["pairs"])
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^a-zA-Z0-9\u0080-\U0010ffff]+")
_LONGEST = 120


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
