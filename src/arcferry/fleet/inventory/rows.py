"""What every form of inventory comes down to: rows of columns, each with the line it stands on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from arcferry.errors import FileInputError
from arcferry.text import quoted

LIMIT = 16 * 1024 * 1024
MOST_ROWS = 100_000
_MOST_NAMED = 5
Cells = dict[str, str | dict[str, str]]


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One entry as written: column names to text, or for YAML `tags` to a mapping of text."""

    line: int
    cells: Cells


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file holds.

    Attributes:
        sites: what it says of each site, by its name.
        notes: what of it is left out or not read, for whoever runs this.
    """

    rows: Sequence[InventoryRow]
    sites: Mapping[str, InventoryRow] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()


def bounded(path: Path, rows: Sequence[InventoryRow]) -> Sequence[InventoryRow]:
    """The same rows.

    Raises:
        FileInputError: there are too many.
    """
    if len(rows) > MOST_ROWS:
        raise FileInputError(path, f"more than {MOST_ROWS:,} rows", line=rows[MOST_ROWS].line)
    return rows


def check_column(path: Path, line: int, name: str, columns: Sequence[str]) -> None:
    """Refuse a column that is none of these.

    Raises:
        FileInputError: it is none; near names are offered.
    """
    if name in columns:
        return
    near = get_close_matches(name, columns, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Columns are {', '.join(columns)}."
    raise FileInputError(path, f"unknown column {quoted(name, limit=60)}", line=line, hint=hint)


def listed(names: Sequence[str]) -> str:
    """A few of the names, and how many more there are."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(quoted(name, limit=60)[1:-1] for name in names[:_MOST_NAMED]) + more
