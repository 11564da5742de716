"""Text in columns and lists, for pipes and files; apart from `console`, because it needs none of rich."""

from collections.abc import Collection, Iterable, Iterator, Sequence

MOST_NAMED = 8
UNDISCOVERED, UNDISCOVERED_CELL = "the regional his.arc endpoint", "<regional HIS>"
"""An endpoint whose name the service itself would have told: in a sentence, and in a narrow column."""


def columns(
    rows: Iterable[Sequence[str]], *, between: str = "  ", right: Collection[int] = ()
) -> Iterator[str]:
    """Each row on a line, its cells beneath each other; those of the columns in `right` end there."""
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    for row in listed:
        cells = zip(row, widths, strict=True)
        padded = (
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(cells)
        )
        yield between.join(padded).rstrip()


def named(names: Sequence[str], *, most: int = MOST_NAMED) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
