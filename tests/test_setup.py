"""`make test` brings every program that a test is skipped without, where Debian has it."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TOOLS = (TESTS.parent / "scripts/tools.sh").read_text(encoding="utf-8")
ALWAYS_THERE = {"bash", "dash", "dpkg-deb", "localedef", "unshare"}  # essential packages of Debian
NOT_OF_DEBIAN = {"bicep", "powershell", "pwsh", "terraform"}
WITH_ANOTHER = {"rpmbuild": "rpm", "google-chrome": "chromium", "chromium-browser": "chromium"}


def asked_for() -> Iterator[str]:
    """Every program that a test looks for by a name in its source."""
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="which") | ast.Name(id="which"),
                    args=[ast.Constant(value=str(name))],
                ):
                    yield name
                case ast.For(target=ast.Name(id="tool"), iter=ast.Tuple(elts=names)):
                    yield from (name.value for name in names if isinstance(name, ast.Constant))
                case ast.Assign(targets=[ast.Name(id="PROGRAMS")], value=ast.Tuple(elts=names)):
                    yield from (name.value for name in names if isinstance(name, ast.Constant))


def test_no_program_is_missed_that_debian_has() -> None:
    brought = set(re.findall(r"([\w-]+):[\w-]+", TOOLS.partition("test ] || tests=")[2]))
    wanted = {WITH_ANOTHER.get(name, name) for name in asked_for()} - ALWAYS_THERE - NOT_OF_DEBIAN
    assert {"chromium", "wget", "openssl", "shellcheck"} <= wanted
    assert wanted <= brought


@pytest.mark.xdist_group("of-one-worker")
def test_tests_of_one_group_run_on_one_worker(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("one process runs all tests")
    assert request.node.nodeid.endswith("@of-one-worker"), (
        "pytest-xdist does not see the groups of this pytest"
    )
