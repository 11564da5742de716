"""Runs once more, with nothing beside it, what the last run of pytest said failed."""

import json
import sys
from pathlib import Path

import pytest

FAILED = Path(__file__).parents[1] / ".pytest_cache" / "v" / "cache" / "lastfailed"


def ungrouped(nodeid: str) -> str:
    """The test's name without xdist's `@group`, with which `--last-failed` does not find it again."""
    head, bracket, rest = nodeid.rpartition("]")
    return head + bracket + rest.partition("@")[0]


def main() -> int:
    """pytest's exit code; 1 if no test is known to have failed."""
    failed = [ungrouped(nodeid) for nodeid in json.loads(FAILED.read_text())] if FAILED.exists() else []
    if not failed:
        print("test: which tests failed is not known")  # noqa: T201
        return 1
    return pytest.main(["-n", "1", "--dist", "loadgroup", *failed])


if __name__ == "__main__":
    sys.exit(main())
