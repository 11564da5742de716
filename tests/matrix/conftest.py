"""The routed twin of a module's tests, and the table of what was found."""

from collections.abc import Iterator

import pytest
from tests.matrix.closed import Loop
from tests.matrix.routed import Scene
from tests.matrix.table import pytest_terminal_summary

from arcferry.errors import BlockedError

__all__ = ["pytest_terminal_summary"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Loop() as loop:
        try:
            made = Scene(loop, tmp_path_factory.mktemp("routed") / "twin")
        except BlockedError as error:
            pytest.skip(f"no network of namespaces here: {error}")
        yield made
        made.stop()
