"""The fleet's programs for Windows keep the rules of the host script, and to what cmd.exe takes."""

from importlib import resources

import pytest
from tests.bundle.hostscript.windows.test_rules import faults

from arcferry.fleet.system import WINDOWS
from arcferry.fleet.system.system import text_of
from arcferry.fleet.system.windows import LONGEST_LINE

PROGRAMS = sorted(
    path.name
    for path in (resources.files("arcferry.fleet.system") / "scripts").iterdir()
    if path.name.endswith(".ps1")
)
CALLS = dict.fromkeys(("frame.ps1", "script.ps1", "staged.ps1", "to-end.ps1"), 1)
LONG = [WINDOWS.staged("0123456789ab", f"AzureConnectedMachineAgent-{number}.msi") for number in range(8)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_host_scripts_rules_hold(name: str) -> None:
    text = (resources.files("arcferry.fleet.system") / "scripts" / name).read_text(encoding="ascii")
    # Every program has the strictness of the frame; it and the host script are called as blocks.
    strict = text if name == "frame.ps1" else f"Set-StrictMode -Version 3.0\n{text}"
    found = [fault for fault in faults(strict) if not fault.startswith("computed command")]
    assert found == []
    assert sum("computed" in fault for fault in faults(strict)) == CALLS.get(name, 0)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_command_line_is_one_that_cmd_takes(name: str) -> None:
    line = " ".join(WINDOWS.program(text_of(name), LONG))
    assert len(line) < LONGEST_LINE
    assert '"' not in line
