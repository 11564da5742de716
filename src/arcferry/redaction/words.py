"""How secrets look, and what settings, headers, options and elements that hold one are called.

A random word has letters, digits and signs in turn; names, paths, versions and instants have stretches that
can be pronounced, and numbers. So a word is hidden where little of it is such a stretch, unless it has the
form of something that is none: a GUID, a hash, a host's name, an address, an error's number, a file's name.
Beside the name of a secret stand words of a sentence, addresses, paths and codes too, which are none either.

Names are those of the languages of users, and are looked for all at once, also where JSON writes their
letters as escapes.
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
_INSIDE = (*_DATA["parts"], *FOREIGN)
_ALONE, _LAST, _NO_PASSWORDS = (frozenset(_DATA[key]) for key in ("words", "last", "no_passwords"))
_OF_KEYS, _OF_TOKENS, _OF_HEADERS = (frozenset(_DATA[key]) for key in ("of_keys", "of_tokens", "of_headers"))
_WEAK, _ABOUT = frozenset(_DATA["weak"]), frozenset(_DATA["about"])
_IN_TWO = frozenset((first, second) for first, second in _DATA["pairs"])
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\x00-/:-@\[-`{-\x7f]+")
_LONGEST = 120
_Tree = dict[str, "_Tree"]
_ESCAPED = re.compile(r"\\{1,6}u([0-9A-Fa-f]{4})")
_FIRST, _SURROGATES = 0x80, range(0xD800, 0xE000)


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether what stands under this name is a secret, whatever it is."""
    words = _words(name)
    if not words or words[-1] in _ABOUT:
        return False
    plain = name.lower()
    if any(part in plain for part in _INSIDE) or any(word in _ALONE for word in words):
        return True
    last = words[-1].rstrip("0123456789")
    if last in _LAST or (last.endswith("pass") and last not in _NO_PASSWORDS):
        return True
    if words[-1] == "authorization":
        return len(words) == 1 or words[-2] in _OF_HEADERS
    pairs = [*pairwise(words), *_glued(words)]
    return any(
        pair in _IN_TWO
        or (pair[1] in ("key", "keys") and pair[0] in _OF_KEYS)
        or (
            pair[1] in ("token", "tokens")
            and (pair[0] in _OF_TOKENS or not pair[0].isalpha() or "_" in plain)
        )
        for pair in pairs
    )


@lru_cache(maxsize=4096)
def may_name_secret(name: str) -> bool:
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


HIDDEN = "[redacted]"

_LONG_MIXED, _LONG_CASED, _LONG_PLAIN = 12, 20, 24
"""How many letters, digits and signs make a word long: of three classes, of both cases, of one case."""

_CLASSES = 3
_WORD = re.compile(r"[^\s\"'`<>(){}\[\],;|\u3000-\u303f\uff08\uff09\uff0c\uff1a\uff1b\u2018-\u201f]{10,}")
_BETWEEN = re.compile(r"([/\\?&=:@]+|%[0-9A-Fa-f]{2}|[^\x21-\x7e]+)")
_GUID = re.compile(
    r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f])"
    r"|(?<=/policyAssignments/)[0-9a-f]{24}(?![0-9A-Za-z])"  # what the portal calls an assignment of a policy
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
_LABELS = r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,20}\.[a-z]{2,24}\.?"
_ENDINGS = (
    "log|txt|json|jsonl|xml|csv|toml|ya?ml|html?|zip|gz|xz|tar|msi|deb|rpm|exe|dll|ps1|psm1|psd1|sh|py|go|"
    "conf|config|cfg|ini|pem|crt|cer|key|pub|pfx|minisig|service|socket|tmp|bak|mrt|sqlite"
)
_KNOWN = re.compile(
    rf"""(?:[0-9a-f]{{32}}|[0-9a-f]{{40}}|[0-9a-f]{{56}}|[0-9a-f]{{64}}|[0-9a-f]{{96}}|[0-9a-f]{{128}}
    |[0-9A-F]{{32}}|[0-9A-F]{{40}}|[0-9A-F]{{64}}
    |0[xX][0-9A-Fa-f]{{1,16}}                     # an error's number, an address in memory
    |{_LABELS}|{_LABELS.replace("a-z", "A-Z")}
    |(?:WIN|DESKTOP|LAPTOP|EC2AMAZ)-[0-9A-Z]{{5,12}}
    |[\w.+-]{{1,200}}\.(?:{_ENDINGS}))""",
    re.VERBOSE | re.ASCII,
)
_STRETCH = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_PAIRS = frozenset(
    followers[0] + second
    for followers in (
        "aabcdefgiklmnprstuvwxyz", "babceilorsu", "cacdefhiklmoprstuy", "dabcdefgilmnorsuy",
        "eabcdefgilmnopqrstuvwxy", "facdefilorstu", "gaehinoprsu", "haeiortuy", "iabcdefglmnoprstuvxz",
        "jaoseu",
        "keins", "ladefgilmostuvy", "mabdeilmopsuy", "nacdefgiklnorstuvwxy", "oabcdfgijklmnoprstuvwxy",
        "padehiloprstuy", "qlu", "racdefgiklmnoprstuvwy", "saceghiklmnopqrstuwy", "tacehilnoprstuwxy",
        "uabcdefgilmnprst", "vaeiom", "waehinorsw", "xaceiopt", "yabemnopst", "zaeiou",
    )
    for second in followers[1:]
)  # fmt: skip
"""Pairs of letters that words of this field are made of: 98 of 100 there, half of those of a random word."""

_SMALL = frozenset(
    ("On", "Of", "To", "In", "Is", "By", "As", "At", "Or", "No", "Id", "Ip", "Vm", "Up", "For")
)
_SPOKEN, _NUMBER, _ODD_PAIRS = 3, 3, 4

_MARKS = ".,;:!?"
_MASKED = re.compile(r"\[redacted.*|[|>\\^`+-]{1,3}|\*+|[xX]{3,}|-+|\.{3,}|…|<.*", re.DOTALL)
_SPOKEN_OF = re.compile(
    r"[A-Z][A-Za-z]{2,40}(?:\.[A-Z][A-Za-z]{2,60}){2,8}[.,:;]?|(?:AADSTS|AZCM)\d{4,7}.{0,80}|(?:https?|wss?)://[^@]{0,300}",
    re.DOTALL | re.IGNORECASE,
)
_KINDS = re.compile(
    r"""\d{1,9}|\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?|0[xX][0-9A-Fa-f]{1,8}|\d{1,5}:\d{1,5}
    |[0-9a-z_-]{1,63}(?:\.[0-9a-z_-]{1,63}){1,12}\.[a-z]{2,24}\.?(?::\d{1,5})?
    |~?/[\w./-]*|[A-Za-z]:\\.*|\\\\.*|HK(?:LM|CU|EY).*
    |\d{4}-\d\d-\d\d\S*|\w+://[^@]*|sha-?\d+\S{0,6}|aes\S{0,8}|rsa\S{0,8}|ssh-\S*|(?:AADSTS|AZCM)\d{4,7}\S*
    |[A-Z]{2,6}\d{1,3}|[A-Za-z]{3,40}[:=]\d{1,6}""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_PATH = re.compile(
    r"(?:~|\.{1,2}|/[A-Za-z_.][\w.-]{1,80}|[A-Za-z]:|\\\\[\w.-]{1,80})(?:[/\\][\w. -]{1,120}){1,30}"
)
_SIGNS = frozenset("~!$%^*+=#&@/")
_SHORTEST, _LOOKED_AT, _JUDGED_BY = 4, 300, 60


def mask_words(text: str) -> str:
    """The same text with every word hidden that looks like a secret."""
    return _WORD.sub(_masked, text)


def looks_secret(part: str) -> bool:
    """Whether a word, or a part of a path, a URL or a setting, is long, mixed, and nothing that is known."""
    if _KNOWN.fullmatch(part):
        return False
    count = sum(letter not in "._-" for letter in part)
    if count < _LONG_MIXED:
        return False
    lower, upper = any(map(str.islower, part)), any(map(str.isupper, part))
    digit, sign = any(map(str.isdigit, part)), any(not (one.isalnum() or one in "._-") for one in part)
    classes = lower + upper + digit + sign
    if lower and upper:
        long = _LONG_MIXED if classes >= _CLASSES else _LONG_CASED
    else:
        long = _LONG_PLAIN if classes > 1 else len(part) + 1
    return count >= long and 3 * _familiar(part) < 2 * count


def _masked(found: re.Match[str]) -> str:
    word = found[0]
    if _FINGERPRINT.fullmatch(word):
        return word
    if _BASE64.fullmatch(word) and "/" in word[1:] and word[0] != "/" and looks_secret(word.replace("/", "")):
        return HIDDEN
    kept, done = [], 0
    for guid in _GUID.finditer(word):
        kept += [_parts(word[done : guid.start()]), guid[0]]
        done = guid.end()
    return "".join((*kept, _parts(word[done:])))


def _parts(word: str) -> str:
    return "".join(HIDDEN if looks_secret(part) else part for part in _BETWEEN.split(word))


def _spoken(letters: str) -> bool:
    odd = sum(a + b not in _PAIRS for a, b in pairwise(letters))
    return odd <= len(letters) // _ODD_PAIRS


def _familiar(part: str) -> int:
    """How many of its letters and digits stand in stretches that can be spoken, or in numbers."""
    familiar, before = 0, (0, False)
    for found in _STRETCH.finditer(part):
        text, (start, end) = found[0], found.span()
        follows = before == (start, True)
        alone = not part[start - 1 : start].isalnum() and not part[end : end + 1].isalnum()
        if text.isdigit():
            known = len(text) >= _NUMBER or follows or alone
        else:
            acronym = follows and len(text) <= _SPOKEN and text.isupper()
            known = alone or acronym or text in _SMALL or (len(text) >= _SPOKEN and _spoken(text.lower()))
        familiar += len(text) if known else 0
        before = (end, known)
    return familiar


def is_ordinary(word: str) -> bool:
    """Whether a value is none: nothing, a mask, a word that a sentence goes on with, the name of an error."""
    if len(word) > _LOOKED_AT:
        return False
    return (
        word.rstrip(_MARKS).lower() in ORDINARY
        or not word.rstrip(_MARKS)
        or _MASKED.fullmatch(word) is not None
        or _SPOKEN_OF.fullmatch(word) is not None
    )


def is_known_kind(word: str) -> bool:
    """Whether a word is a number, an address, a host, a path, an instant or a code."""
    return len(word) <= _LOOKED_AT and _KINDS.fullmatch(word) is not None


def is_path(word: str) -> bool:
    """Whether a word is where a file lies."""
    return len(word) <= _LOOKED_AT and _PATH.fullmatch(word) is not None


def looks_chosen(word: str) -> bool:
    """Whether a word is no ordinary one: letters with digits or signs, and of no known kind."""
    part = word[:_JUDGED_BY]
    if len(part) < _SHORTEST or is_known_kind(word):
        return False
    letters = any(map(str.isalpha, part))
    mixed = any(map(str.isdigit, part)) or not _SIGNS.isdisjoint(part)
    return (letters and mixed) or looks_secret(part)
