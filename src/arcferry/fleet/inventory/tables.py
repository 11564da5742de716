"""Rows of a table: cells with commas, semicolons or tabs between, and a first row that names the columns."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.fleet.inventory.rows import MOST_ROWS, InventoryRow, Rows, bounded, check_column
from arcferry.text import quoted

_DECLARES = re.compile(r"\"?sep=(?P<mark>[^\"]*)\"? *", re.IGNORECASE)
_RULE = re.compile(r"-+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table's first row, and what stands below it.

    Attributes:
        header: the columns' names in lower case; empty where the file has no row.
        line: where they stand.
        rows: the other rows, each with its line. Read while they are asked for; they raise FileInputError.
    """

    path: Path
    header: tuple[str, ...]
    line: int
    rows: Iterator[tuple[int, list[str]]]
    delimiter: str

    def cells(self, line: int, cells: Sequence[str]) -> dict[str, str]:
        """A row's cells by their columns.

        Raises:
            FileInputError: there are more cells than columns.
        """
        if len(cells) > len(self.header):
            extra = f"{len(cells)} cells under {len(self.header)} columns"
            hint = f"Put a cell with a {_NAMES.get(self.delimiter, self.delimiter)} in quotes."
            raise FileInputError(self.path, extra, line=line, hint=hint)
        return {name: cell.strip() for name, cell in zip(self.header, cells, strict=False)}


def open_table(path: Path, text: str) -> Table:
    """The table in a text, as far as its first row.

    Raises:
        FileInputError: naming the line: not a table, or a column is given twice.
    """
    delimiter, declared = _delimiter(path, text)
    rows = _rows(path, text, delimiter, declared)
    line, cells = next(rows, (0, []))
    header = tuple(cell.strip().lower() for cell in cells)
    for name in header:
        if name and header.count(name) > 1:
            raise FileInputError(path, f"column {quoted(name)} is given twice", line=line)
    return Table(path, header, line, rows, delimiter)


def read_table(table: Table, columns: Sequence[str]) -> Rows:
    """The rows of a table with no other columns than these.

    Raises:
        FileInputError: naming the line: empty, an unknown column, a row with too many cells.
    """
    if not table.line:
        hint = "The first line names the columns: name,address,user"
        raise FileInputError(table.path, "is empty", hint=hint)
    for name in table.header:
        check_column(table.path, table.line, name, columns)
    found = [
        InventoryRow(line, {**table.cells(line, cells)})
        for line, cells in islice(table.rows, MOST_ROWS + 1)
        # A list that PowerShell has shown as a table has a line of hyphens under its head.
        if not (len(cells) == 1 and line == table.line + 1 and _RULE.fullmatch(cells[0].strip()))
    ]
    return Rows(bounded(table.path, found))


def _rows(path: Path, text: str, delimiter: str, declared: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True, delimiter=delimiter)
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if line == declared or not any(cell.strip() for cell in cells) or is_comment(cells[0]):
                continue
            yield line, cells
    except csv.Error as error:
        raise FileInputError(path, f"is not CSV: {error}", line=reader.line_num) from None


def _delimiter(path: Path, text: str) -> tuple[str, int]:
    """What stands between cells, and the line that declares it, 0 where none does.

    Spreadsheet programs take a first line `sep=;` as a declaration, not as a row.
    """
    line, content = first_line(text)
    declared = _DECLARES.fullmatch(content)
    if declared is None:
        return next((mark for mark in ",;\t" if mark in content), ","), 0
    mark = declared["mark"]
    if len(mark) != 1 or mark in "\"' " or mark.isalnum():
        says = f"{quoted(content)} declares no separator of cells"
        raise FileInputError(path, says, line=line, hint="Write sep=; or sep=, or leave the line out.")
    return mark, line


def first_line(text: str) -> tuple[int, str]:
    """The first line that says something, and its number; the number is 0 where none does."""
    number, place = 1, 0
    while place < len(text):
        end = _LINE_END.search(text, place)
        content = text[place : end.start() if end else len(text)]
        if content.strip() and not is_comment(content):
            return number, content
        place = end.end() if end else len(text)
        number += 1
    return 0, ""


def is_comment(content: str) -> bool:
    """Whether a line, or a row by its first cell, is there for people alone."""
    return content.lstrip().startswith("#")
