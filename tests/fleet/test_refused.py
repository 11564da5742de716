"""What keeps a program from running on a server at all is told by how it ended, and with the way out."""

import pytest

from arcferry.fleet.system.system import refused


@pytest.mark.parametrize(
    ("status", "says", "hint"),
    [
        (77, "its execution policy, set by Group Policy", "Turn on Script Execution"),
        (78, "the constrained language", "Let the policy allow"),
        (79, "older than 3.0", "Windows Management Framework 5.1"),
        (9009, "it has no Windows PowerShell", "WindowsPowerShell\\v1.0"),
    ],
)
def test_it_is_said(status: int, says: str, hint: str) -> None:
    error = refused("web01 (192.0.2.1:5986)", status)
    assert error is not None
    assert error.message.startswith("web01 (192.0.2.1:5986): ")
    assert says in error.message
    assert hint in error.hint


@pytest.mark.parametrize("status", [0, 1, 73, 75])
def test_what_ran_is_not_refused(status: int) -> None:
    assert refused("web01", status) is None
