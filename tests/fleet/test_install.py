"""What a failed installation is called."""

import pytest

from arcferry.fleet.script import ScriptAnswer
from arcferry.fleet.steps.install import failed
from arcferry.fleet.system import LINUX, WINDOWS, System

ENDED = "msiexec ended with {}; its log is C:\\Windows\\Logs\\arcferry\\msi.log"


@pytest.mark.parametrize(
    ("system", "number", "output", "says", "hint"),
    [
        (WINDOWS, 1618, "", "another installation is running: " + ENDED, "Wait until it has ended"),
        (WINDOWS, 1603, "", "a fatal error; the log says which: " + ENDED, "Return value 3"),
        (WINDOWS, 1625, "", "a policy of the system forbids the installation: " + ENDED, "AppLocker"),
        (WINDOWS, 4711, "", ENDED, ""),
        (LINUX, 112, "", ENDED, ""),
        (LINUX, 100, "dpkg: No space left on device", "the host's disk is full", "Free space under"),
    ],
)
def test_a_failed_installation_says_what_it_is(
    system: System, number: int, output: str, says: str, hint: str
) -> None:
    message = ENDED.format(number)
    fields = {"code": "install-failed", "exit": number, "message": message, "output": output}
    result = failed(ScriptAnswer("install", ok=False, fields=fields), system)
    assert result.says == says.format(number)
    assert hint in result.hint
    assert bool(hint) == bool(result.hint)
