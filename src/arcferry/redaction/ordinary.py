"""What stands beside the name of a secret and is none: words of a sentence, addresses, paths, codes."""

import re

from arcferry.redaction.words import looks_secret

_WORDS = frozenset(
    re.split(
        r"\s+",
        """null true false none nil yes no not empty unknown undefined get post put head patch delete dial
        lookup read write open net/http unable failed cannot could can error invalid the a an your
        this that it for of and or to in on with from has have had at by as is are was were be
        been being key keys value provided supplied given expired expires expiry sent id ids must
        should may will which incorrect wrong required missing needed file files rotation
        protected does do did prompt policy reset change changed authentication auth encryption if
        when then because before after again context unexpected request response connection
        timeout verification exchange based only type types source scope audience issuer cache
        endpoint server service store vault manager management length name names path url used
        using set stored known found valid right correct ok validation rejected refused denied
        accepted also but than so too never now until via per added taken cut kept redacted hidden
        whether string integer bool object""",
    )
)
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


def is_ordinary(word: str) -> bool:
    """Whether a value is none: nothing, a mask, a word that a sentence goes on with, the name of an error."""
    if len(word) > _LOOKED_AT:
        return False
    return (
        word.rstrip(_MARKS).lower() in _WORDS
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
