"""Secrets that no name announces: in URLs, keys, tokens of a known form, arguments and settings of routers.

Each rule of arguments and settings is asked only of the lines in which one of its words stands. What its
groups match is the secret.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

Span = tuple[int, int]

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LONG_KEY = 20_000
_PUTTY = re.compile(r"Private-Lines: ?(\d{1,3})[^\n]*\n")
_JWT = re.compile(r"eyJ[A-Za-z0-9_=-]{10,}(?:\.[A-Za-z0-9_=-]*){0,4}")
_JWT_RUN = re.compile(r"[A-Za-z0-9_=.-]*")
_WRAPPED = re.compile(r"(?:\r?\n|\\n)([A-Za-z0-9_=-]{16,}(?:\.[A-Za-z0-9_=-]*)?)(?=\r?\n|\\n|\Z)")
_QUERY = re.compile(
    r"(?:sig|code|key|pwd|st|subscription-key|x-amz-signature|x-amz-credential)(=|%3[Dd])([^\s&\"'<>;,\\%]+(?:%(?!26)[^\s&\"'<>;,\\%]*)*)",
    re.IGNORECASE,
)
_QUERY_BEFORE = ("?", "&", ";", "&amp;", "%26", "%3f", "\\u0026")
_QUERIES = ("sig=", "sig%3d", "code=", "code%3d", "key=", "key%3d", "x-amz-signature=", "x-amz-credential=")
_BEGINS = {name: {name, "key", "signature", "cred"} for name in _QUERIES}
_AT = re.compile(r"@|%40|\\u0040")
_CHAIN = re.compile(r"(?:[^\s/\"'<>|@]{1,300}@){0,50}")
_BACK = re.compile(r"[^\s\"'<>|`\u201c\u201d\u2018\u2019]{0,400}")
_WORD = re.compile(r"[^\s\"'<>|`\u201c\u201d\u2018\u2019]*")
_MOST_TRIES = 6
_SCHEME = re.compile(r".*(?::|%3A|\\u003a)(?:/|\\/|%2F|\\u002f){2}", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|[\w-]+(?:\.[\w-]+)+|localhost)(?::\d{1,5})?(?=[/?#])|[\w.-]+:\d{1,5}(?=[/?#])"
)
_WITH_COLON = re.compile(r"(?:.*[=\s(\[,])?([^\s=:(\[,@]{1,100}(?::|%3[Aa])[^\s]+)", re.DOTALL)
_LOG_PLACE = re.compile(r"[\w./\\-]{1,80}:\d{1,6}(?::.*)?|\w+:(?:\d{1,3}\.){3}\d{1,3}.*", re.DOTALL)

_WRAPPED_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]{2,60}\r?\n[\w-]{1,40}[ \t=]+([^\s\"']{3,})")

_DATA = tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))
_TOKENS: tuple[tuple[str, str], ...] = tuple((begins, pattern) for begins, pattern in _DATA["tokens"])
_RULES = tuple((tuple[str, ...](rule["words"]), "".join(rule["pattern"])) for rule in _DATA["rules"])
_PART = re.compile(r"\{([A-Z]+)\}")
_NUMBER = re.compile(r"\d{1,5}")

ANCHORS = (
    "@", "%40", "\\u0040", "-----begin", "private-lines", "eyj", *_QUERIES,
    *(begins for begins, _ in _TOKENS), *{word for words, _ in _RULES for word in words},
)  # fmt: skip
"""Where none of these stands, nothing is found."""


def spans(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    """Where they stand, in no order.

    Args:
        text: the text.
        lowered: the same in lower case, letter by letter.
        there: which of `ANCHORS`, and of other words, it holds.
    """
    if there & {"-----begin", "private-lines"}:
        yield from _keys(text)
    if "eyj" in there:
        yield from _web_tokens(text, lowered)
    if there & {"@", "%40", "\\u0040"}:
        yield from _in_urls(text)
    yield from _tokens(text, lowered, there)
    yield from _in_queries(text, lowered, there)
    yield from _arguments(text, lowered, there)
    if "--" in text:
        yield from (found.span(1) for found in _WRAPPED_OPTION.finditer(text))


def _keys(text: str) -> Iterator[Span]:
    """The insides of private keys; without an end, as far as keys are long."""
    place = 0
    while found := _PEM.search(text, place):
        end = text.find("-----END ", found.end(), found.end() + _LONG_KEY)
        place = end if end >= 0 else min(len(text), found.end() + _LONG_KEY)
        yield found.end(), place
    for found in _PUTTY.finditer(text):
        end = found.end()
        for _ in range(int(found[1])):
            end = text.find("\n", end) + 1 or len(text)
        yield found.end(), end


def _web_tokens(text: str, lowered: str) -> Iterator[Span]:
    place = lowered.find("eyj")
    while place >= 0:
        run = _JWT_RUN.match(text, place)
        end = run.end() if run else place
        found = _JWT.match(text, place)
        if found and not (text[place - 1 : place].isalnum()):
            end = max(end, found.end())
            yield place, end
            while below := _WRAPPED.match(text, end):
                yield below.span(1)
                end = below.end()
        place = lowered.find("eyj", max(end, place + 3))


def _tokens(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    beginnings = tuple(there)
    for begins, pattern in _TOKENS:
        place = lowered.find(begins) if begins.startswith(beginnings) else -1
        while place >= 0:
            found = re.compile(pattern).match(text, place)
            if found and not text[place - 1 : place].isalnum():
                yield found.span()
            place = lowered.find(begins, found.end() if found else place + len(begins))


def _in_urls(text: str) -> Iterator[Span]:
    """User and password before an @, in a URL or in what stands for one without its scheme."""
    done = word_end = tries = 0
    for at in _AT.finditer(text):
        if at.start() >= word_end:
            forward = _WORD.match(text, at.start())
            word_end, tries = forward.end() if forward else at.end(), 0
        tries += 1
        if at.start() < done or tries > _MOST_TRIES:
            continue
        back = _BACK.match(text[max(done, at.start() - 400) : at.start()][::-1])
        begin = at.start() - (back.end() if back else 0)
        if span := _user(text[begin : at.start()]):
            more = _CHAIN.match(text, at.end())
            done = more.end() if more else at.end()
            yield begin + span[0], max(at.start(), done - 1)


def _user(word: str) -> Span | None:
    if scheme := _SCHEME.match(word):
        user = word[scheme.end() :]
        return None if not user or _AUTHORITY.match(user) else (scheme.end(), len(word))
    found = _WITH_COLON.fullmatch(word)
    if found is None or _LOG_PLACE.fullmatch(found[1]):
        return None
    return found.span(1)


def _in_queries(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    for name in _QUERIES:
        place = lowered.find(name) if there & _BEGINS[name] else -1
        while place >= 0:
            first = name.startswith("sig") and not text[place - 1 : place].isalnum()
            found = _QUERY.match(text, place)
            announced = first or lowered[max(0, place - 6) : place].endswith(_QUERY_BEFORE)
            if found and announced and not found[2].isdigit():
                yield found.span(2)
            place = lowered.find(name, found.end() if found else place + len(name))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A rule's pattern; most files need none of them, and a start-up is short."""
    while whole := _PART.search(pattern):
        pattern = pattern.replace(whole[0], "".join(_DATA["parts"][whole[1]]))
    return re.compile(pattern, re.IGNORECASE)


def _arguments(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    """Those in arguments of programs and in settings of routers, looked for by their own rules."""
    beginnings = tuple(there)  # a search for several words finds the shortest of those that begin alike
    for words, pattern in _RULES:
        if not any(word.startswith(beginnings) for word in words):
            continue
        for start, end in _lines_with(lowered, words):
            for found in _compiled(pattern).finditer(text, start, end):
                group = next((place for place, told in enumerate(found.groups(), 1) if told), 0)
                if group and not _NUMBER.fullmatch(found[group]):
                    yield found.span(group)


def _lines_with(lowered: str, words: tuple[str, ...]) -> list[Span]:
    """The lines in which one of the words stands, each once."""
    found: dict[int, int] = {}
    for word in words:
        place = lowered.find(word)
        while place >= 0:
            end = lowered.find("\n", place)
            end = len(lowered) if end < 0 else end
            found[lowered.rfind("\n", 0, place) + 1] = end
            place = lowered.find(word, end)
    return list(found.items())
