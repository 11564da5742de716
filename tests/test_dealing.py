"""A large file goes to one worker, and the tests of a small one to any."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests.dealing import LARGE, large_files

ROOT = Path(__file__).parents[1]
SUITE = """
import os
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_it(number: int) -> None:
    with open({seen!r}, "a") as seen:
        print({name!r}, os.environ["PYTEST_XDIST_WORKER"], file=seen)
"""


def test_a_file_is_large_by_its_number_of_tests() -> None:
    large = [f"large.py::test[{number}::x]" for number in range(LARGE)]
    assert large_files([*large, *(f"small.py::{one}" for one in large[1:])]) == {"large.py"}


def test_workers_get_large_files_whole_and_small_ones_by_the_test(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.dealing import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]")
    seen = tmp_path / "seen"
    for name, tests in (("large", LARGE), ("small", 2)):
        text = SUITE.format(tests=tests, seen=str(seen), name=name)
        (tmp_path / f"test_{name}.py").write_text(text)
    # Loaded alone they are two tests for two workers; the large file keeps one worker to itself.
    for name in ("large", "small"):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", f"test_{name}.py"],
            cwd=tmp_path,
            env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
            | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    workers = defaultdict(set)
    for line in seen.read_text().splitlines():
        name, worker = line.split()
        workers[name].add(worker)
    assert {name: len(found) for name, found in workers.items()} == {"large": 1, "small": 2}
