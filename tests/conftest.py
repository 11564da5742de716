"""Fixtures for every package: the twin, over real sockets, in this process."""

import gc
import os
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from tests.browser import browser, tab
from tests.dealing import pytest_xdist_make_scheduler
from tests.matrix.table import pytest_terminal_summary
from tests.powershell import powershell
from tests.windows_site import windows_site

from arcferry_lab import hosts
from arcferry_lab.twin import Twin, TwinSettings

# Here, because the process that collects the workers' reports reads this file alone.
__all__ = [
    "browser", "powershell", "pytest_terminal_summary", "pytest_xdist_make_scheduler", "tab", "windows_site",
]  # fmt: skip

_numbers = count()


# What a whole module shares takes its environment before any test does. What tests start keeps what it
# compiled: a command takes a third less time then.
for _name in ("COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(_name, None)

# Where CI is set, Hypothesis takes the same examples every time: more of them find nothing new there.
if os.environ.get("CI"):
    hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("ci"), max_examples=40)
    hypothesis.settings.load_profile("ci")


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through 17,000 tests again and again, in the time of one."""
    gc.collect()
    gc.freeze()


def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ANN401  # xdist's controller has no public type
    """Say how a lost worker ended: below 0 by that signal, else by itself. xdist keeps this to itself."""
    if error:
        print(f"\n{node.gateway.id} ended with {node.gateway._io.wait()}", flush=True)  # noqa: T201


@pytest.fixture(autouse=True)
def _no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test's output is laid out for a window that readline found where pytest itself runs."""
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _data_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads, or changes, what the user of this machine holds or remembers."""
    # Not `tmp_path`: that makes a folder, and reads the names of all before it, for tests that need none.
    own = tmp_path_factory.getbasetemp() / "of-each-test" / str(next(_numbers))
    monkeypatch.setenv("ARCFERRY_DATA", str(own / "held-data"))
    monkeypatch.setenv("ARCFERRY_STATE", str(own / "own-state"))


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Twin]:
    """The story's twin without hosts: japaneast is what the route filter lacks."""
    async with Twin.start(TwinSettings(tmp_path / "twin")) as running:
        yield running


@pytest.fixture
async def twin_with_hosts(tmp_path: Path) -> AsyncIterator[Twin]:
    """The same with two Linux hosts; skipped by name where this machine cannot run hosts."""
    reason = hosts.unavailable()
    if reason:
        pytest.skip(f"no hosts here: {reason}")
    async with Twin.start(TwinSettings(tmp_path / "twin", hosts=2)) as running:
        yield running
