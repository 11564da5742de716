"""Windows: its own PowerShell, 3.0 to 5.1. Its commands travel encoded, so no shell between reads them."""

import base64
import re
from collections.abc import Sequence

from arcferry.fleet.system.system import Room, System, text_of

LONGEST_LINE = 8191
"""Characters of a command line that cmd.exe takes (learn.microsoft.com, “Command prompt line string
limitation”, 2025-01); OpenSSH's default shell and WinRM's command shell are cmd.exe."""

# No input is read as objects and no error written as CLIXML: standard input is the programs' own.
_ENGINE = (
    "powershell.exe", "-NoProfile", "-NonInteractive", "-InputFormat", "None", "-OutputFormat", "Text",
    "-ExecutionPolicy", "Bypass", "-EncodedCommand",
)  # fmt: skip
_QUOTES = re.compile("['\u2018-\u201b]")


def _program(text: str, words: Sequence[str]) -> list[str]:
    # PowerShell takes typographic quotation marks for the plain one.
    given = " ".join("'" + _QUOTES.sub(r"\g<0>\g<0>", word) + "'" for word in words)
    text = f"{text_of('frame.ps1').rstrip()} {given}".replace("$PROGRAM", text, 1)
    return [*_ENGINE, base64.b64encode(text.encode("utf-16-le")).decode()]


def _script(path: str | None, words: Sequence[str]) -> list[str]:
    if path is None:
        return _program(text_of("script.ps1"), words)
    return _program(text_of("staged.ps1"), [path, *words])


WINDOWS = System(
    name="windows",
    suffix=".ps1",
    program=_program,
    script=_script,
    staging=r"C:\Program Files\arcferry",
    run_folder=r"C:\Program Files\arcferry",
    token_files=r"%SystemRoot%\Temp\arcferry-*\config.json",  # noqa: S106  # where they lie
    formats={"msi": "Windows Installer"},
    architectures=frozenset(("amd64",)),
    processors="x86_64",
    # One drive: the staged package and the copy of it that is hashed and then installed, and, unpacked, some
    # three times its size.
    rooms=(Room(r"C:\Windows", "disk_free", 5), Room("Program Files", "opt_free", 3)),
    needs="The host needs Windows PowerShell 3.0 or later, found as powershell.exe.",
    lock_hint=r"Look at what holds C:\Program Files\arcferry\lock: a powershell.exe, or its msiexec.exe.",
    agent_log=r"%ProgramData%\AzureConnectedMachineAgent\Log\himds.log",
    dotnet="4.5",
    at_once=("-WaitSeconds", "0"),
    for_proxy=("-AgentProxy", "{}"),
    for_scope=("-PrivateLinkScope", "{}"),
    blind=True,
)
