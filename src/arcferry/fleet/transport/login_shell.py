"""What takes a command line on Windows: cmd.exe, by which WinRM and OpenSSH start commands, or PowerShell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from arcferry.fleet.system.windows import LONGEST_LINE
from arcferry.text import quoted

WHICH_SHELL = "echo %ComSpec% $PSHOME"
"""cmd.exe fills in the first word, PowerShell the second, and any other shell neither."""
_PLAIN = re.compile(r"[A-Za-z0-9_./\\:+=-]+")


@dataclass(frozen=True, slots=True)
class LoginShell:
    """How a host's login shell takes a command line.

    Attributes:
        seen: what it makes of `WHICH_SHELL`, amid whatever a profile prints.
        powershell: Windows PowerShell by its full path, so that no other of its name is found first.
        ending: hands on the exit code.
    """

    seen: re.Pattern[bytes]
    powershell: str
    ending: str

    def line(self, argv: Sequence[str]) -> str:
        """The line for a command of words that mean nothing to either shell.

        Raises:
            ValueError: a word might, or all of them are too long.
        """
        for word in argv:
            if not _PLAIN.fullmatch(word):
                raise ValueError(f"a login shell of Windows would not hand on {quoted(word)} as it is")
        program, *words = argv
        line = " ".join((self.powershell if program == "powershell.exe" else program, *words)) + self.ending
        if len(line) > LONGEST_LINE:
            raise ValueError(f"{len(line):,} characters, and cmd.exe takes {LONGEST_LINE:,}")
        return line


_PROGRAM = r"System32\WindowsPowerShell\v1.0\powershell.exe"
CMD, POWERSHELL = SHELLS = (
    LoginShell(re.compile(rb"[A-Za-z]:\\[^\r\n]*\.exe \$PSHOME"), rf'"%SystemRoot%\{_PROGRAM}"', ""),
    LoginShell(
        re.compile(rb"%ComSpec%\s+[A-Za-z]:\\"), rf'& "$env:SystemRoot\{_PROGRAM}"', "; exit $LASTEXITCODE"
    ),
)


def shell_in(output: bytes) -> LoginShell | None:
    """The shell that gave this for `WHICH_SHELL`; None for one that Windows does not come with."""
    return next((shell for shell in SHELLS if shell.seen.search(output)), None)
