"""Rows of a CSV or YAML file, each with the line it stands on."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from itertools import islice
from pathlib import Path

import yaml

from arcferry.errors import FileInputError
from arcferry.files import read_bounded
from arcferry.text import one_line, quoted, said, without_reprs

LIMIT = 16 * 1024 * 1024
MOST_ROWS = 100_000
_MOST_NODES = 2_000_000
_DEEPEST = 8
_DECLARES = re.compile(r"\"?sep=(?P<mark>[^\"]*)\"? *", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}
_EXAMPLE = "{name: web01, address: 10.0.0.1}"


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One entry as written: column names to text, or for YAML `tags` to a mapping of text."""

    line: int
    cells: dict[str, str | dict[str, str]]


def read_rows(path: Path, columns: Sequence[str]) -> list[InventoryRow]:
    """The rows of a file, CSV unless its name ends in .yaml or .yml, with no other columns than these.

    Raises:
        FileInputError: naming the line: not UTF-8, not CSV or YAML, too large, too deep, a column that is
            unknown or given twice.
    """
    text = _decode(path, read_bounded(path, limit=LIMIT))
    as_yaml = path.suffix.lower() in {".yaml", ".yml"}
    rows = _yaml_rows(path, text, columns) if as_yaml else _csv_rows(path, text, columns)
    found = list(islice(rows, MOST_ROWS + 1))
    if len(found) > MOST_ROWS:
        raise FileInputError(path, f"more than {MOST_ROWS:,} rows", line=found[-1].line)
    return found


def _decode(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileInputError(path, "is UTF-16, not UTF-8", hint="Save it as “CSV UTF-8”.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileInputError(path, "is not UTF-8", line=line, hint="Save it as “CSV UTF-8”.") from None
    if "\0" in text:
        raise FileInputError(path, "holds a NUL character", line=text.count("\n", 0, text.index("\0")) + 1)
    return text


def _csv_rows(path: Path, text: str, columns: Sequence[str]) -> Iterator[InventoryRow]:
    delimiter, declared = _delimiter(path, text)
    reader = csv.reader(StringIO(text, newline=""), strict=True, delimiter=delimiter)
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if line == declared or not any(cell.strip() for cell in cells) or _is_comment(cells[0]):
                continue
            if header is None:
                header = _header(path, line, cells, columns)
                continue
            if len(cells) > len(header):
                extra = f"{len(cells)} cells under {len(header)} columns"
                hint = f"Put a cell with a {_NAMES.get(delimiter, delimiter)} in quotes."
                raise FileInputError(path, extra, line=line, hint=hint)
            yield InventoryRow(line, {name: cell.strip() for name, cell in zip(header, cells, strict=False)})
    except csv.Error as error:
        raise FileInputError(path, f"is not CSV: {error}", line=reader.line_num) from None
    if header is None:
        raise FileInputError(path, "is empty", hint="The first line names the columns: name,address,user")


def _delimiter(path: Path, text: str) -> tuple[str, int]:
    """What stands between cells, and the line that declares it, 0 where none does.

    Spreadsheet programs take a first line `sep=;` as a declaration, not as a row.
    """
    for line, content in enumerate(_LINE_END.split(text), start=1):
        if not content.strip() or _is_comment(content):
            continue
        declared = _DECLARES.fullmatch(content)
        if declared is None:
            return next((mark for mark in ",;\t" if mark in content), ","), 0
        mark = declared["mark"]
        if len(mark) != 1 or mark in "\"' " or mark.isalnum():
            says = f"{quoted(content)} declares no separator of cells"
            raise FileInputError(path, says, line=line, hint="Write sep=; or sep=, or leave the line out.")
        return mark, line
    return ",", 0


def _is_comment(content: str) -> bool:
    return content.lstrip().startswith("#")


def _header(path: Path, line: int, cells: list[str], columns: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    for name in names:
        _check_column(path, line, name, columns)
        if names.count(name) > 1:
            raise FileInputError(path, f"column {quoted(name)} is given twice", line=line)
    return names


def _check_column(path: Path, line: int, name: str, columns: Sequence[str]) -> None:
    if name in columns:
        return
    near = get_close_matches(name, columns, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Columns are {', '.join(columns)}."
    raise FileInputError(path, f"unknown column {quoted(name, limit=60)}", line=line, hint=hint)


def _yaml_rows(path: Path, text: str, columns: Sequence[str]) -> Iterator[InventoryRow]:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except _RefusedError as error:
        says, line = error.args
        raise FileInputError(path, says, line=line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context).replace(r"character '\t'", "a tab")
        says = f"is not YAML: {one_line(without_reprs(problem))}"
        raise FileInputError(path, says, line=mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise FileInputError(path, f"is not YAML: {said(error)}") from None
    for entry in _entries(path, root):
        line = entry.start_mark.line + 1
        if not isinstance(entry, yaml.MappingNode):
            raise FileInputError(path, f"a host is a mapping such as {_EXAMPLE}", line=line)
        yield InventoryRow(line, _cells(path, entry, columns))


def _entries(path: Path, root: yaml.Node | None) -> list[yaml.Node]:
    if isinstance(root, yaml.MappingNode):
        keys = [key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)]
        if keys != ["hosts"]:
            raise FileInputError(path, "the top is neither a list of hosts nor `hosts:` with one", line=1)
        root = root.value[0][1]
    if root is None:
        raise FileInputError(path, "is empty", hint=f"It holds a list of hosts: - {_EXAMPLE}")
    if not isinstance(root, yaml.SequenceNode):
        raise FileInputError(path, "hosts is not a list", line=root.start_mark.line + 1)
    return list(root.value)


def _cells(path: Path, entry: yaml.MappingNode, columns: Sequence[str]) -> dict[str, str | dict[str, str]]:
    cells: dict[str, str | dict[str, str]] = {}
    for key, value in _pairs(path, entry):
        name = key.lower()
        _check_column(path, value.start_mark.line + 1, name, columns)
        if isinstance(value, yaml.MappingNode) and name == "tags":
            cells[name] = {tag: _scalar(path, "a tag's value", item) for tag, item in _pairs(path, value)}
        else:
            cells[name] = _scalar(path, key, value)
    return cells


def _scalar(path: Path, what: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise FileInputError(path, f"{what} is not a plain value", line=node.start_mark.line + 1)
    # The text as written: YAML would read a host named `no` as False and a port 022 as 18.
    empty = node.tag == "tag:yaml.org,2002:null" and node.style is None
    return "" if empty else str(node.value).strip()


def _pairs(path: Path, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise FileInputError(path, "a key is not a plain word", line=line)
        if key.value in seen:
            raise FileInputError(path, f"{quoted(key.value)} is given twice", line=line)
        seen.add(key.value)
        yield key.value, value


class _RefusedError(Exception):
    """What the loader does not read, and its line."""


class _Loader(yaml.SafeLoader):
    """The safe loader without aliases, which could multiply a small file, and with bounds."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML leaves it untyped
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError("uses an alias (*name), which is not read here", line)
        self._nodes += 1
        self._depth += 1
        if self._nodes > _MOST_NODES or self._depth > _DEEPEST:
            raise _RefusedError("holds too many values, or too deep ones", line)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1
