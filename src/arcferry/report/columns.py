"""Cells in aligned columns, as plain text."""

from collections.abc import Iterable, Iterator


def aligned(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """One line a row, each column as wide as its widest cell; nothing where there are no rows."""
    listed = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    for row in listed:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
