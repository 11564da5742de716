"""Objects that PowerShell and az print as text: `Name : value` one a line, tables under dashes, and YAML.

PowerShell's Az cmdlets show inner objects as JSON within such a value, over many lines, and break what is
longer than the window.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice

from arcferry.text import from_json

_MOST = 500
_MOST_LINES = 20_000
_MOST_DIGITS = 15
_FIELD = re.compile(r"(?P<key>\s{0,8}[A-Za-z][\w ]{0,40}?)(?P<gap>\s{1,40}):(?: (?P<value>.*))?$")
_DASHES = re.compile(r"\s{0,8}-{2,80}(?:\s{1,60}-{2,80}){1,15}\s*$")
_SET = re.compile(r"\{([^{}\"…]{0,2000}?)\}")
"""A list as PowerShell writes it: `{12076:51010, 12076:5060}`; one that is cut short ends in dots."""

_SPAN = re.compile(r"-+")
_EDGE = re.compile(r"\S*[>$#%]\s")


def records(text: str) -> Iterator[dict[str, object]]:
    """Every object that the text prints, in order; keys as they are printed."""
    lines = [line.rstrip() for line in text.splitlines()[:_MOST_LINES]]
    yield from islice(chain(_listed(lines), _tabled(lines)), _MOST)


_YAML = re.compile(
    r"(?P<indent> {0,60})(?P<items>(?:- ){0,4})(?:(?P<key>[A-Za-z]\w{0,60}):)?(?: ?(?P<value>.*))?$"
)
_DEEP = 20
_Tokens = list[tuple[int, str, str]]


def yaml_objects(text: str) -> Iterator[object]:
    """Every object that az prints as YAML: blocks by indentation, without what else YAML can say."""
    tokens: _Tokens = []
    for line in (*text.splitlines()[:_MOST_LINES], ""):
        found = _YAML.match(line.rstrip())
        named = found and (found["key"] or found["items"])
        if found and named and (tokens or not found["indent"]):
            place = len(found["indent"])
            for _ in range(len(found["items"]) // 2):
                tokens.append((place, "-", ""))
                place += 2
            tokens.append((place, found["key"] or "", (found["value"] or "").strip()))
        elif tokens:
            if len(tokens) > 1:
                yield _block(tokens, 0, tokens[0][0], _DEEP)[0]
            tokens = []


def _block(tokens: _Tokens, at: int, indent: int, depth: int) -> tuple[object, int]:
    """The list or object whose lines begin at this indentation, and the place behind it."""
    is_list = tokens[at][1] == "-"
    items: list[object] = []
    fields: dict[str, object] = {}
    while at < len(tokens) and tokens[at][0] == indent and (tokens[at][1] == "-") is is_list and depth:
        _, key, value = tokens[at]
        at += 1
        inner: object = _scalar(value)
        if at < len(tokens) and not value and _is_inner(tokens[at], indent, is_list=is_list):
            place, name, text = tokens[at]
            if name or depth == 1:
                inner, at = _block(tokens, at, place, depth - 1)
            else:
                inner, at = _scalar(text), at + 1
        if is_list:
            items.append(inner)
        else:
            fields[key] = inner
    return (items if is_list else fields), at


def _is_inner(token: tuple[int, str, str], indent: int, *, is_list: bool) -> bool:
    # az writes a list at the indentation of its name.
    return token[0] > indent or (token[0] == indent and token[1] == "-" and not is_list)


def _scalar(text: str) -> object:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    known: dict[str, object] = {"": None, "null": None, "[]": [], "{}": {}, "true": True, "false": False}
    if text in known:
        return known[text]
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else text


def _listed(lines: Sequence[str]) -> Iterator[dict[str, object]]:
    """`Format-List`: all colons of an object stand in one column, and what continues a value is behind it."""
    found: dict[str, list[str]] = {}
    column, key = -1, ""
    for line in (*lines, ""):
        field = _FIELD.match(line)
        if field and (column < 0 or field.end("gap") == column) and not (found and _is_within(line, column)):
            key = field["key"].strip()
            if key in found:
                yield _typed(found)
                found = {}
            column = field.end("gap")
            found[key] = [field["value"] or ""]
        elif found and line and _is_within(line, column):
            found[key].append(line[column + 2 :])
        elif found and (line or not _is_open(found[key])):
            yield _typed(found)
            found, column = {}, -1


def _is_within(line: str, column: int) -> bool:
    return line[: column + 2].isspace()


def _is_open(parts: Sequence[str]) -> bool:
    """Whether a value is JSON that has not ended, in which PowerShell may leave a line empty."""
    return parts[0][:1] in ("[", "{") and not parts[-1].rstrip().endswith(("]", "}"))


def _typed(found: dict[str, list[str]]) -> dict[str, object]:
    return {key: _value(parts) for key, parts in found.items()}


def _value(parts: Sequence[str]) -> object:
    first = parts[0].strip()
    if first == "null":
        return None
    if first[:1] in ("[", "{"):
        # Where the window broke a text there is no line feed in it, and JSON needs none between its parts.
        with suppress(ValueError, RecursionError):
            value: object = from_json("".join(parts))
            return value
        if len(parts) == 1 and "..." not in first and (listed := _SET.fullmatch(first)):
            return [item.strip() for item in listed[1].split(",")] if listed[1].strip() else []
    return "".join(part.strip() if index else part for index, part in enumerate(parts)).strip()


def _tabled(lines: Sequence[str]) -> Iterator[dict[str, object]]:
    """A table under dashes: az's `--output table` and PowerShell's `Format-Table`."""
    columns: list[tuple[str, int]] = []
    for before, line in zip(("", *lines), lines, strict=False):
        if _DASHES.match(line):
            spans = [span.start() for span in _SPAN.finditer(line)]
            ends = [*spans[1:], len(before) + 1]
            columns = [(before[start:end].strip(), start) for start, end in zip(spans, ends, strict=True)]
        elif not line.strip() or _EDGE.match(line):
            columns = []
        elif columns:
            ends = [start for _, start in columns[1:]] + [len(line) + 1]
            cells = [line[start:end].strip() for (_, start), end in zip(columns, ends, strict=True)]
            # A key that was taken out has left the row shorter than its header says.
            apart = re.split(r" {2,}", line.strip())
            cells = apart if len(apart) == len(columns) else cells
            yield {name: cell for (name, _), cell in zip(columns, cells, strict=True) if name}
