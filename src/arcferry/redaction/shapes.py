"""Known shapes of secrets in text: a name that says so with its value beside it, behind it or below.

The text is searched for a few stretches of letters of which every such shape holds one; only where one stands
is anything looked at, once, and not far. So the work grows as the text does, whatever stands in it: every
pattern here is tried at one place, and each of its repetitions has a bound.
"""

import re
from bisect import bisect_left

from arcferry.redaction import lines, words

Span = tuple[int, int]

_MOST_NAMES, _STRETCH = 100, 2000
_NEAR, _LONG, _MOST_ROWS, _MOST_QUOTES = 200, 20_000, 100, 50
_SEARCH = words.searching((*words.ANCHORS, *words.FOREIGN, *lines.ANCHORS))
_NAME_BEFORE = re.compile(r"[\w.\-]{0,60}")
_NAME_AFTER = re.compile(r"[\w\-]{0,40}")
_WORD_AFTER = re.compile(r"[ \t](?:phrase|value|text|code|string|content)(?=[ \t]{0,20}[:=])", re.IGNORECASE)
_SENTENCE_GOES_ON = re.compile("|".join(map(re.escape, words.SAID_OF)))
_FOREIGN_AFTER = re.compile("(?:值|キー|コード|文字列|字串)?")
_WORD_BEFORE = re.compile(r"[\w\-]{1,24}[ \t]\Z")
_BLANKS = re.compile(r"[ \t]{0,40}+")
_SIGNS_AHEAD = frozenset(":=-\u2192\uff1a\uff1d%,;\"'\r\n\\&\u3000\u200b")
_QUOTE = r"(?:\\{0,6}[\"'\u201d\u2019\u300d]|&(?:quot|apos|\#3[49]);|%2[27])?"
_ASSIGNED = re.compile(
    _QUOTE + r"(?:\[\w{0,20}\])?[\])]{0,2}(?:[ \t]for[ \t][^\n:=\"']{1,80})?[ \t\u3000\u200b]{0,40}"
    r"(?::=|=>|->|\u2192|==|=|:(?!/)|\uff1a|\uff1d|%3[DdAa])[ \t\u3000]{0,200}"
)
_PAIRED = re.compile(
    rf"{_QUOTE}[ \t]{{0,40}}+[,;]?(?:\s|\\[nrt]){{0,200}}+{_QUOTE}"
    rf"(?:value|val|text|content|default(?:value)?){_QUOTE}"
    r"[ \t]{0,40}+[:=][ \t]{0,40}+(?=\S)",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\\{0,6}[\"'][ \t]{0,20},?[ \t]{0,20}(?:a\d{1,3}=)?(?=\\{0,6}[\"'])")
_TAGGED = re.compile(
    r"\\{0,6}[\"']?[^<>\n]{0,200}>(?:\s{0,100}<[\w:.][^<>\n]{0,80}>){0,2}(?:<!\[CDATA\[)?(?=[^<])"
    r"|</[\w:.]{1,60}>\s{0,100}<[\w:.]{1,60}>(?=[^<])"
    r"|[^<>\n&]{0,100}&gt;"
)
_TAG_END = re.compile(r"<|&lt;|\]\]>")
_SAID = re.compile(
    r"[ \t]{1,20}(?:is|was|are|lautet|ist|est|es|set to|changed to)[ \t]{1,20}"
    r"|[ \t]?(?:\u662f|\u4e3a|\u70ba|\u306f|\u304c|\u3092|\ub294|\uc740)[ \t]?"
)
_SPACED = re.compile(r"\\{0,6}[\"']?(?:[ \t\u3000]|\\t){1,20}(?:[\\`^][ \t]{0,20}(?:\r?\n|\\n)[ \t]{0,80})?")
_ADJACENT = re.compile(r"[ \t]{0,4}(?:\|[ \t]{0,20}|\.{3,40}[ \t:]{0,10})|[,;/#(\[<\uff08]|(?=\u300c)")
_TYPES = re.compile(
    r"(?:(?:\d{1,2}[a-z]?|clear(?:text)?|encrypted|cipher|irreversible-cipher|simple|plain(?:-?text)?(?:-password)?"
    r"|ENC|hash(?:ed)?|sha-?\d{1,3}|md5|scrypt|ascii|ascii-text|hex(?:adecimal)?|localized|key|value|password"
    r"|passphrase|secret|cak|local|remote|REG_(?:EXPAND_)?SZ|level[ ]\d{1,2})[ \t]{1,8}){1,4}",
    re.IGNORECASE,
)
_SAYS_HOW = re.compile(r"\d|cipher|enc\b|encrypted|simple|irreversible|REG_", re.IGNORECASE)
_NEXT_LINE = re.compile(r"[ \t]{0,40}([\\`^|>+-]{0,2})[ \t]{0,40}(?:\\r)?(?:\r?\n|\\n)[ \t]{0,80}")
_CONTINUED = ("\\", "`", "^")
_ONLY_WORD = re.compile(r"(?:-[ \t]+)?(\S{4,4000})[ \t]{0,80}(?=\r?\n|\Z)")
_NO_VALUE = re.compile(r"[<{\[].*|.*[:>#$%]", re.DOTALL)
_BARE = re.compile(
    r"(?:[^\s,;&\"'<>}\])\uff0c\uff1b\uff09\u3002\u3001]|[,;&)\]}](?![\s\"',;&)\]}\\]|\Z|[\w.%\-]{1,40}=)){1,20000}"
)
_ENCODED_END = re.compile(r"%2[267](?=[\w.\-]{1,40}%3[Dd]|%7[Dd]|\Z)|&quot;")
_QUOTES = {
    '"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "\u300c": "\u300d", "\u201e": "\u201c",
    "\u00ab": "\u00bb", "\u201d": "\u201d", "&quot;": "&quot;", "&#34;": "&#34;", "%22": "%22",
}  # fmt: skip
_OPENING = re.compile(r"(\\{0,6})([\"'\u201c\u2018\u300c\u201e\u00ab\u201d]|&quot;|&#34;|%22)")
_PROMPT = r"(?:[\w.()/@:~\[\]*+!>-]{1,80}[>#%$\]])?[ \t]*(?:[+!>-][ \t]+)?(?:\d{1,6}:)?[ \t]*"
_CONFIG = re.compile(
    _PROMPT
    + r"(?:no |undo )?(?:set|neighbor|peer|enable|username|user|local-user|key|tacacs|radius|tacacs-server"
    r"|radius-server|server-private|crypto|pre-shared-key|address|isakmp|ikev2|standby|vrrp|hsrp|ip|ntp|ppp|line"
    r"|authentication|protocols?|bgp|ospf6?|ospfv3|isis|tcp|macsec|client|group|area|interface|login|machine|snmp"
    r"|passwords|security|system)(?!\w)",
    re.IGNORECASE,
)
_AT_START = re.compile(_PROMPT + r"\Z")
_SETTING_ENDS = re.compile(
    r"[\"']?[ \t]*;?[ \t]*(?:##[^\n]{0,200}|\{[^\n]{0,200}|![^\n]{0,200})?(?=\r?\n|\Z)"
)
_NESTED = re.compile(r"[{\[][\s\"'{\[]")
_PASSWORD = re.compile(
    r"pass(?!e[^-])|pwd|psk|kennwort|wachtwoord|clave|senha|parola|mdp|"
    + "|".join(map(re.escape, words.FOREIGN)),
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[A-Za-z]?[a-z]{1,30}[,.:;]?[ \t]+\S")
_LAST_WORD = re.compile(r"[\"']?\S{3,200}[ \t]*\r?(?=\n|\Z)")
_SCHEME = re.compile(r"\[?(?:Bearer|Basic)[ \t]+[^\s\"',}\]]+", re.IGNORECASE)
_CHANGED = re.compile(r"\\{0,6}[\"']?[ \t]{1,4}->[ \t]{1,4}(?!\()")
_HEADERS = ("authorization", "cookie")
_RULE = re.compile(r"[ \t>|]{0,8}-[- \t+|]{2,400}\r?")
_WIDE_LINE = re.compile(r"(?<![^\n])[^\n]{60,250}\n[^\n]")
_CELL = re.compile(r"(?<!\S)\S{1,4000}")


def suspects(text: str) -> list[Span]:
    """Where anything stands that a secret may be near, in order; nothing else needs to be looked at."""
    return [found.span() for found in _SEARCH.finditer(words.lower(text))]


def spans(text: str) -> list[Span]:
    """Where secrets stand, in order and apart from each other.

    Names escaped as JSON does count as words, and lines that a console has cut at its width as one.
    """
    plain, at = words.unescaped(text)
    found = _spans(text)
    if plain != text:
        found = _apart([*found, *((at(a), at(b)) for a, b in _spans(plain))])
    if not _WIDE_LINE.search(text):
        return found
    from arcferry.redaction import wrapping  # noqa: PLC0415  # what a check says has no such line

    whole, at = wrapping.joined(text)
    return _apart([*found, *((at(a), at(b - 1) + 1) for a, b in _spans(whole))])


def _spans(text: str) -> list[Span]:
    places = suspects(text)
    if not places:
        return []
    lowered = words.lower(text)
    found = [*lines.spans(text, lowered, {lowered[start:end] for start, end in places})]
    finder = _Finder(text)
    crowded = _crowded(places)
    found += crowded
    done = 0
    for start, end in _outside(places, crowded):
        if start >= done and text[start] not in "$@%-<\\":
            inside, done = finder.named(start, end)
            found += inside
    return _apart(found)


def _crowded(places: list[Span]) -> list[Span]:
    """Stretches with more names in them than anybody writes; they are hidden whole, unlooked at."""
    found, first = [], 0
    while first + _MOST_NAMES < len(places):
        last = first + _MOST_NAMES
        if places[last][1] - places[first][0] < _STRETCH:
            found.append((places[first][0], places[last][1]))
            first = last
        else:
            first += _MOST_NAMES // 2
    return found


def _outside(places: list[Span], crowded: list[Span]) -> list[Span]:
    if not crowded:
        return places
    ends = [end for _, end in crowded]
    return [
        one for one in places if (at := bisect_left(ends, one[1])) == len(crowded) or one[0] < crowded[at][0]
    ]


def _apart(found: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for start, end in sorted(found):
        if kept and start < kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
        elif end > start:
            kept.append((start, end))
    return kept


class _Finder:
    """Looks around a place of one text. Of a long word it does not ask again in the middle of it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._word: Span = (0, 0)

    def named(self, start: int, end: int) -> tuple[list[Span], int]:
        """The values that go by the name at this place, none if it is no secret's; and where to go on."""
        text, begin = self._text, start
        if text[start:end].lower() not in words.FOREIGN:
            begin -= len(_matched(_NAME_BEFORE, text[max(0, start - 60) : start][::-1], 0))
            end += len(_matched(_NAME_AFTER, text, end))
        else:
            end += len(_matched(_FOREIGN_AFTER, text, end))
        end += len(_matched(_WORD_AFTER, text, end))
        name = text[begin:end]
        strong = words.names_secret(name)
        if not strong and (before := _WORD_BEFORE.search(text[max(0, begin - 20) : begin])):
            strong = words.names_secret(before[0] + name)
        if not strong and not words.may_name_secret(name):
            return [], end
        found = [span for span in self._beside(begin, end, strong=strong) if span[1] > span[0]]
        if found and (arrow := _CHANGED.match(text, found[-1][1])):
            found += self._kept(self._value(arrow.end()), strong=strong)
        return found, max((stop for _, stop in found), default=end)

    def _beside(self, begin: int, end: int, *, strong: bool) -> list[Span]:
        """By each of the ways in which a value stands beside its name; the first that is one decides."""
        text = self._text
        after, ahead = text[end : end + 1], self._after_blanks(end)
        apart = after in " \t" and ahead not in _SIGNS_AHEAD and not text.startswith(" for ", end)
        if not apart and (found := _ASSIGNED.match(text, end)):
            return self._assigned(begin, found, strong=strong)
        if not apart and (found := _PAIRED.match(text, end)):
            return self._kept(self._value(found.end()), strong=strong)
        # A blank behind a name is most often all that there is; in XML attributes follow it.
        in_element = not apart or text[begin - 1 : begin] in ("<", ":")
        tagged = self._tagged(begin, end, strong=strong) if in_element else None
        if tagged or (apart and tagged is not None):
            return tagged
        if not apart and strong and (found := _LISTED.match(text, end)):
            sure = text[begin] == "-" or _PASSWORD.search(text, begin, end) is not None
            return self._kept(self._value(found.end()), strong=sure)
        return self._loose(begin, end, strong=strong)

    def _after_blanks(self, place: int) -> str:
        place += len(_matched(_BLANKS, self._text, place))
        return self._text[place : place + 1]

    def _loose(self, begin: int, end: int, *, strong: bool) -> list[Span]:
        """Where only a word or a blank stands between; then it is a value only where it looks like one."""
        text = self._text
        if strong and text[begin] == "-" and (of_option := self._of_option(end)) is not None:
            return of_option
        password = strong and _PASSWORD.search(text, begin, end) is not None
        if strong and (found := _SAID.match(text, end)):
            sure = password and _LAST_WORD.match(text, found.end()) is not None
            goes_on = _SENTENCE_GOES_ON.match(text, found.end()) is not None
            return [] if goes_on else self._kept(self._value(found.end()), strong=sure)
        if (found := _SPACED.match(text, end)) and (
            hidden := self._spaced(begin, found.end(), strong=strong)
        ):
            return hidden
        if password and text[begin - 1 : begin] not in ("/", "\\") and (found := _ADJACENT.match(text, end)):
            return self._kept(self._value(found.end()), strong=False)
        if not strong:
            return []
        return self._below(end) or self._in_column(begin, self._line_end(end) + 1)

    def _of_option(self, end: int) -> list[Span] | None:
        """What stands behind an option, or begins the next line where a line was broken at a blank."""
        if found := _SPACED.match(self._text, end):
            value = self._value(found.end())
            return [] if self._text.startswith("-", found.end()) else self._kept(value, strong=True)
        found = _NEXT_LINE.match(self._text, end)
        return (self._kept(self._value(found.end()), strong=False) or None) if found else None

    def _assigned(self, begin: int, found: re.Match[str], *, strong: bool) -> list[Span]:
        """What stands behind a colon, an equals sign or an arrow, on this line or on the next."""
        text, place = self._text, found.end()
        if strong and (below := self._below(place)):
            return below
        if text.startswith(('"""', "'''"), place):
            stop = text.find(text[place : place + 3], place + 3, place + _LONG)
            return [(place + 3, stop if stop >= 0 else min(len(text), place + _LONG))]
        start, stop = self._value(place)
        name = text[begin : found.start()].lower()
        if name.endswith(_HEADERS) and start == place:
            return [(start, self._header_end(begin, start))]
        if " for " in found[0]:
            return self._kept((start, stop), strong=strong and _LAST_WORD.match(text, start) is not None)
        # Behind a bare colon in a sentence stands more often a reason than a value.
        sure = strong or (found[0][-1:] not in " \t" and "token" in name)
        if sure and start == place and not _PASSWORD.search(name):
            # Of a key or a secret is told where it lies, or what came of it.
            sure = not (words.is_path(text[start:stop]) or _SENTENCE.match(text, start))
        return self._kept((start, stop), strong=sure)

    def _header_end(self, begin: int, start: int) -> int:
        """Where a header ends: after its one word where the scheme has one, else with line or quotes."""
        text = self._text
        if scheme := _SCHEME.match(text, start):
            return scheme.end()
        limit, quote = self._line_end(start), text[begin - 1 : begin]
        stop = text.find(quote, start, limit) if quote in ("'", '"') else -1
        return stop if stop >= 0 else limit

    def _tagged(self, begin: int, end: int, *, strong: bool) -> list[Span] | None:
        """What stands in an element of XML; None if there is none."""
        text = self._text
        if text[begin - 1 : begin] not in ("<", ">", ":", '"', "'", ";") or not (
            found := _TAGGED.match(text, end)
        ):
            return None
        before = text[max(0, begin - _NEAR) : begin]
        if "<" not in before and "&lt;" not in before:
            return None
        stop = _TAG_END.search(text, found.end(), found.end() + _LONG)
        place = stop.start() if stop else min(len(text), found.end() + _LONG)
        return self._kept((found.end(), place), strong=strong)

    def _spaced(self, begin: int, place: int, *, strong: bool) -> list[Span]:
        """What stands behind a blank, as routers and programs write it: seldom a secret in a sentence."""
        text = self._text
        typed = _TYPES.match(text, place)
        start, stop = self._value(typed.end() if typed else place)
        word = text[start : min(stop, start + _NEAR * 2)]
        if words.is_ordinary(word):
            return []
        line = text.rfind("\n", max(0, begin - _NEAR), begin) + 1
        before = text[max(line, begin - _NEAR) : begin]
        alone = _AT_START.match(before) is not None and _SETTING_ENDS.match(text, stop) is not None
        told = typed is not None and _SAYS_HOW.match(typed[0]) is not None
        config = alone or told or _CONFIG.match(before) is not None
        likely = words.looks_chosen(word)
        named = strong or text[begin:place].strip().lower() in ("key", "token", "bearer")
        if not (named and likely) and not (config and (strong or typed or likely)):
            return []
        whole = text[begin:place].strip().lower() == "key-string" and text[start - 1] not in "\"'"
        return [(start, self._line_end(start) if whole else stop)]

    def _below(self, place: int) -> list[Span]:
        """A value alone on the next line; none if that line says more."""
        text = self._text
        found = _NEXT_LINE.match(text, place)
        if found is None:
            return []
        if found[1][:1] in _CONTINUED:
            return self._kept(self._value(found.end()), strong=True)
        one = _ONLY_WORD.match(text, found.end())
        if one is None or words.is_ordinary(one[1]) or words.is_known_kind(one[1].strip("\"'")):
            return []
        return [] if _NO_VALUE.fullmatch(one[1]) else [one.span(1)]

    def _in_column(self, begin: int, below: int) -> list[Span]:
        """The cells under a heading that begins here, where the line below it is a rule of dashes."""
        text, rule_end = self._text, self._line_end(below)
        if not _RULE.fullmatch(text, below, rule_end):
            return []
        column = begin - text.rfind("\n", max(0, begin - _LONG), begin) - 1
        found, start = [], rule_end + 1
        for _ in range(_MOST_ROWS):
            end = self._line_end(start)
            if start >= len(text) or not text[start:end].strip():
                break
            if cell := _CELL.match(text, min(start + column, end), end):
                found += self._kept(cell.span(), strong=True)
            start = end + 1
        return found

    def _kept(self, value: Span, *, strong: bool) -> list[Span]:
        """The stretch to hide; none if it is empty, or nothing that is secret."""
        start, stop = value
        word = self._text[start : min(stop, start + _NEAR * 2)]
        if stop <= start or words.is_ordinary(word) or _NESTED.match(self._text, start):
            return []
        return [value] if strong or words.looks_chosen(word) else []

    def _value(self, place: int) -> Span:
        """Where a value stands that begins here, without its quotes."""
        text = self._text
        if opening := _OPENING.match(text, place):
            start = opening.end()
            limit = self._line_end(start)
            stop = self._closing(opening[1] + _QUOTES[opening[2]], start, limit)
            return start, limit if stop < 0 else stop
        if not self._word[0] <= place < self._word[1]:
            found = _BARE.match(text, place)
            self._word = (place, found.end() if found else place)
        stop = self._word[1]
        near = min(stop, place + _NEAR)
        if text.find("%2", place, near) < 0 and text.find("&quot;", place, near) < 0:
            return place, stop
        encoded = _ENCODED_END.search(text, place, near)
        return place, encoded.start() if encoded else stop

    def _closing(self, mark: str, start: int, limit: int) -> int:
        """Where the closing quote stands; one with a backslash before it is part of the value."""
        text = self._text
        place = text.find(mark, start, limit)
        for _ in range(_MOST_QUOTES):
            if place <= 0 or len(mark) > 1 or text[place - 1] != "\\" or text[place - 2] == "\\":
                break
            place = text.find(mark, place + 1, limit)
        return place

    def _line_end(self, place: int) -> int:
        limit = min(len(self._text), place + _LONG)
        end = self._text.find("\n", place, limit)
        return end if end >= 0 else limit


def _matched(pattern: re.Pattern[str], text: str, place: int) -> str:
    found = pattern.match(text, place)
    return found[0] if found else ""
