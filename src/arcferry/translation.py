"""What an error says, in the language of whoever reads it.

Errors are raised, kept and written into JSON in English. Where one is shown to a person, its text is found
among the templates of the source, and its values go into the translated one. What is found nowhere stays.
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, reduce
from gettext import GNUTranslations
from importlib import resources
from string import Formatter

from arcferry.catalog.exit_codes import translations
from arcferry.language import ENGLISH, spoken

_LONGEST = 4000
"""Letters of a text that is looked for: what is longer is a server's output, or hostile."""
_DEEPEST = 4
_ENDS = 3
"""Letters at both ends of a text by which templates are chosen."""
_MOST_CUTS = 8
"""Places at which one text is taken apart."""
_MOST_SENTENCES = 24
_FEW = 9
"""Letters of a template that hardly says anything, such as `{key} is not {kind}`: others hold as much."""
_MARKS = {"": "", ":": "：", ".": "。", ";": "；", "?": "？"}  # noqa: RUF001  # of Chinese

_BEGINS_A_PART = ", ", "; "
"""With what the second of two blanks begins between which a template has nothing."""
_NEXT = re.compile(r"[^.][.?] (?=[A-Z])|[^.]\.$|;(?: |$)")
"""Where one sentence ends and another begins."""

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z0-9]")


def translated(text: str) -> str:
    """The message or the hint of an error in the language that is spoken."""
    return text if spoken() == ENGLISH or not text else _said(spoken(), text)


def labelled(label: str, text: str) -> str:
    """A line such as `error: MESSAGE` in the language that is spoken."""
    if spoken() == ENGLISH:
        return f"{label}: {text}"
    return f"{_catalogue(spoken()).say(label)}{_MARKS[':']}{translated(text)}"


@dataclass(frozen=True)
class Template:
    """An English text with blanks, and how the other language says it.

    Attributes:
        literals: what stands before, between and after the blanks.
        names: of the blanks, in their order.
        said: the other language's text, as literals each with the name of the blank behind it.
    """

    literals: tuple[str, ...]
    names: tuple[str, ...]
    said: tuple[tuple[str, str | None], ...]

    @property
    def weight(self) -> int:
        """How many letters are no blank's."""
        return sum(map(len, self.literals))

    @cached_property
    def breaks(self) -> int:
        """How many sentences end in what is no blank's, at most."""
        return len(_NEXT.findall("X".join(self.literals)))

    def values(self, text: str) -> dict[str, str] | None:
        """What stands in the blanks, or None where this is not the text's template.

        Each literal is taken where it comes first. That finds every match, and reads the text once. Where two
        blanks stand beside each other, the second begins with a comma or a semicolon, or is empty.
        """
        first, *between, last = self.literals if self.names else (*self.literals, "")
        if not self.names:
            return {} if text == first else None
        end = len(text) - len(last)
        if end < len(first) or not text.startswith(first) or not text.endswith(last):
            return None
        found, start = [], len(first)
        for literal, following in zip(between, (*between[1:], ""), strict=False):
            at = text.find(literal, start, end) if literal else _ends_before(text, start, end, following)
            if at < 0:
                return None
            found.append(text[start:at])
            start = at + len(literal)
        return dict(zip(self.names, (*found, text[start:end]), strict=True))


def parsed(english: str, said: str) -> Template:
    """The template of an entry of the catalogue."""
    parts = [(literal, name) for literal, name, _, _ in Formatter().parse(english)]
    literals = [literal for literal, _ in parts]
    names = [name for _, name in parts if name is not None]
    if parts and parts[-1][1] is not None:
        literals.append("")
    return Template(
        tuple(literals), tuple(names), tuple((text, name) for text, name, _, _ in Formatter().parse(said))
    )


class Catalogue:
    """All templates of a language."""

    def __init__(self, entries: dict[str, str]) -> None:
        made = [parsed(english, said) for english, said in entries.items() if english and said]
        # Of several that match, the one with most words of its own is meant.
        self._templates = sorted((one for one in made if one.names), key=lambda one: one.weight, reverse=True)
        self._whole = {one.literals[0]: one for one in made if not one.names}
        self._near = lru_cache(maxsize=2000)(self._beginning_and_ending)

    def say(self, text: str, depth: int = 0) -> str:
        """The text as this language says it; as it is where none of its templates is found."""
        return (self._found(text, depth) if len(text) <= _LONGEST else None) or text

    def _found(self, text: str, depth: int) -> str | None:
        if depth > _DEEPEST or not text.strip():
            return None
        return (
            self._as_one(text, depth)
            or self._by_lines(text, depth)
            or self._behind_a_place(text, depth)
            or self._by_sentences(text, depth, whole=True)
            or self._as_one(text, depth, sentences=True)
            or self._by_sentences(text, depth)
        )

    def _as_one(self, text: str, depth: int, *, sentences: bool = False) -> str | None:
        """By one template; with `sentences` also where a value runs on into what may be the next sentence."""
        if text in self._whole:
            return self._filled(self._whole[text], {}, depth)
        breaks = 0 if sentences else len(_NEXT.findall(text))
        for template in self._near(text[:_ENDS], text[-_ENDS:], breaks):
            values = template.values(text)
            if values is None or (any(map(_runs_on, values.values())) and not sentences):
                continue
            if self._fits(template, values, depth):
                return self._filled(template, values, depth)
        return None

    def _beginning_and_ending(self, begins: str, ends: str, breaks: int) -> list[Template]:
        """The templates of a text with these letters at its ends and so many sentences: so few are tried."""
        return [
            one
            for one in self._templates
            if one.breaks >= breaks
            and begins.startswith(one.literals[0][:_ENDS])
            and ends.endswith(one.literals[-1][-_ENDS:])
        ]

    def _fits(self, template: Template, values: dict[str, str], depth: int) -> bool:
        """Whether the values can be those that were meant, and no part of another sentence."""
        if not template.literals[0] and _ends_a_part(values[template.names[0]]):
            return False
        if not all(map(_closes_what_it_opens, values.values())):
            return False
        return template.weight > _FEW or all(
            _is_names(value) or _is_quoted(value) or self.say(value, depth + 1) != value
            for value in values.values()
        )

    def _filled(self, template: Template, values: dict[str, str], depth: int) -> str:
        told = {name: self.say(value, depth + 1) for name, value in values.items()}
        pieces = (piece for literal, name in template.said for piece in (literal, told[name] if name else ""))
        return reduce(_put_after, pieces, "")

    def _by_lines(self, text: str, depth: int) -> str | None:
        first, feed, rest = text.partition("\n")
        if not feed:
            return None
        lines = [first, *rest.split("\n")]
        told = [self.say(line, depth + 1) for line in lines]
        return "\n".join(told) if told != lines else None

    def _behind_a_place(self, text: str, depth: int) -> str | None:
        """`FILE:3: what is wrong`: the place stays."""
        at = text.find(": ")
        for _ in range(_MOST_CUTS):
            if at < 0 or _runs_on(text[:at]):
                return None
            told = self._as_one(text[at + 2 :], depth)
            if told:
                return f"{text[:at]}: {told}"
            at = text.find(": ", at + 2)
        return None

    def _by_sentences(self, text: str, depth: int, *, whole: bool = False) -> str | None:
        """Several sentences, each of its own template: the longest beginning that is one, then the rest.

        With `whole`, None unless that holds for all of them.
        """
        told, mark, start = "", "", 0
        for _ in range(_MOST_SENTENCES):
            found = self._first_of(text[start:], depth) if start < len(text) else None
            if found is None:
                break
            told, mark, start = f"{told}{mark}{found[0]}", found[1], start + found[2]
        rest = text[start:]
        if not told or (whole and rest):
            return None
        # What another program said keeps its own marks.
        is_foreign = rest and mark and not _CHINESE.match(told[-1])
        return told + (text[start - 2 : start] if is_foreign else mark) + rest

    def _first_of(self, text: str, depth: int) -> tuple[str, str, int] | None:
        """The longest beginning that one template tells, the mark behind it, and where the next begins."""
        ends = [at for at in range(len(text)) if text[at] in ".?:;" and text[at + 1 : at + 2] == " "]
        for end in (len(text), *reversed(ends[:_MOST_CUTS])):
            for kept in dict.fromkeys((min(end + 1, len(text)), end)):
                told = self._as_one(text[:kept], depth) or self._behind_a_place(text[:kept], depth)
                if told:
                    return told, _MARKS[text[kept : end + 1]], end + 2
        return None


def _ends_before(text: str, start: int, end: int, following: str) -> int:
    """Where a blank ends behind which another follows at once, and then this literal."""
    limit = text.find(following, start, end) if following else end
    if limit < 0:
        return limit
    found = (text.find(mark, start, limit) for mark in _BEGINS_A_PART)
    return min((at for at in found if at >= 0), default=limit)


def _put_after(left: str, right: str) -> str:
    """Both, with a space between a Chinese word and one in Latin letters, as Microsoft's pages have it."""
    ends = left[-1:], right[:1]
    apart = any(map(_LATIN.match, ends)) and any(map(_CHINESE.match, ends))
    return f"{left} {right}" if apart else left + right


def _is_names(value: str) -> bool:
    """One word, or several with commas between."""
    return all(" " not in word for word in value.split(", "))


def _is_quoted(value: str) -> bool:
    return value.startswith("'") and value.endswith("'")


def _runs_on(value: str) -> bool:
    """Whether a value holds the end of a sentence, and what may be the next one."""
    return not _is_quoted(value) and bool(_NEXT.search(value))


def _closes_what_it_opens(value: str) -> bool:
    """Whether no bracket is closed that was not opened: `a (b); c (d)` is not one value within brackets."""
    depth = 0
    for letter in value:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return True


def _ends_a_part(value: str) -> bool:
    """A value that stands first, and has a place within: `FILE: location` of `FILE: location is missing`."""
    return not _is_quoted(value) and (": " in value or value.endswith(":"))


@lru_cache(maxsize=1000)
def _said(language: str, text: str) -> str:
    """Kept, since a live page tells the same of many servers, again and again."""
    return _catalogue(language).say(text)


@cache
def _catalogue(language: str) -> Catalogue:
    with resources.files("arcferry").joinpath("locale", language, "errors.mo").open("rb") as file:
        # gettext looks up one text at a time, and has no public way to list them.
        entries: dict[str, str] = vars(GNUTranslations(file))["_catalog"]
    # A failed step says what its code means: that has words of its own, without blanks.
    of_codes = {_unbraced(english): _unbraced(said) for english, said in translations(language).items()}
    return Catalogue(of_codes | entries)


def _unbraced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
