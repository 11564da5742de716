import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests import again


@pytest.mark.parametrize(
    ("nodeid", "name"),
    [
        ("tests/a.py::test_one", "tests/a.py::test_one"),
        ("tests/a.py::test_one@story", "tests/a.py::test_one"),
        ("tests/a.py::test_one[a@b]", "tests/a.py::test_one[a@b]"),
        ("tests/a.py::test_one[a@b]@story", "tests/a.py::test_one[a@b]"),
        ("tests/a.py", "tests/a.py"),
    ],
)
def test_a_name_without_its_group(nodeid: str, name: str) -> None:
    assert again.ungrouped(nodeid) == name


def test_a_test_of_a_group_that_failed_fails_again(tmp_path: Path) -> None:
    """Beside one without a group: `--last-failed` would run that alone, and call the whole green."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "again.py").write_text(Path(again.__file__).read_text())
    (tests / "test_two.py").write_text(
        "from pathlib import Path\n"
        "import pytest\n"
        "@pytest.mark.xdist_group('two')\n"
        "def test_wrong(): assert 0\n"
        "def test_once():\n"
        "    seen = Path('seen')\n"
        "    known = seen.exists()\n"
        "    seen.touch()\n"
        "    assert known\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = xdist_group\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (first.returncode, "2 failed" in first.stdout) == (1, True), first.stdout
    failed = json.loads((tmp_path / ".pytest_cache/v/cache/lastfailed").read_text())
    assert set(failed) == {"tests/test_two.py::test_wrong@two", "tests/test_two.py::test_once"}
    command = [sys.executable, "-m", "tests.again"]
    second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (second.returncode, "1 failed, 1 passed" in second.stdout) == (1, True), second.stdout
