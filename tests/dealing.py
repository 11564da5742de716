"""How the tests are dealt to the workers: small files by the test, large ones as a whole."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

# Where a file has so many tests, each is quick. Dealt one by one, as `--dist loadgroup` does, each would wait
# for the controller, which counts anew, for every test, all that the worker was ever given.
LARGE = 50


def large_files(nodeids: Sequence[str]) -> frozenset[str]:
    """Files with so many tests that one worker takes all of them."""
    counts = Counter(nodeid.partition("::")[0] for nodeid in nodeids)
    return frozenset(path for path, tests in counts.items() if tests >= LARGE)


class Dealing(LoadGroupScheduling):
    """A group, a large file, or a single test at a time."""

    @cached_property
    def _large(self) -> frozenset[str]:
        return large_files(self.collection or ())

    def _split_scope(self, nodeid: str) -> str:
        group = super()._split_scope(nodeid)
        path = nodeid.partition("::")[0]
        return path if group == nodeid and path in self._large else group


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Dealing | None:
    """Ours for `--dist loadgroup`; xdist's own for any other."""
    return Dealing(config, log) if config.getvalue("dist") == "loadgroup" else None
