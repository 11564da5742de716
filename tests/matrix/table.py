"""The table of faults and causes, printed when the run ends."""

from collections.abc import Iterator

import pytest

PROPERTY = "matrix"
_PRINTED = pytest.StashKey[bool]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print one row a fault. Rows come with the reports, so that it works with workers as well."""
    rows = sorted(_rows(terminalreporter))
    if not rows or config.stash.get(_PRINTED, False):
        return
    config.stash[_PRINTED] = True
    right = sum(1 for row in rows if row[3] == "right")
    terminalreporter.section(f"faults and causes: {right} of {len(rows)} right")
    header = ("NETWORK", "FAULT", "CAUSES FOUND", "VERDICT")
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        terminalreporter.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _rows(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[str, str, str, str]]:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY and report.when == "call":
                    network, fault, found = value
                    yield network, fault, found, "right" if outcome == "passed" else "WRONG"
