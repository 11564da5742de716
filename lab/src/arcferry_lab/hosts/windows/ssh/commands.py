"""The command line that an SSH server of Windows gives CreateProcess for what a client asks it to run.

As sshd builds it: `do_exec_windows` in w32-doexec.c, `build_exec_command` and `build_commandline_string` in
misc.c (github.com/PowerShell/openssh-portable 165f082 and 004d5b7, read 2026-11-28).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_OWN_PROGRAMS = {"internal-sftp": "sftp-server", "sftp-server": "sftp-server", "scp": "scp"}
_BEFORE_QUOTE = re.compile(r'(\\*)"')


@dataclass(frozen=True, slots=True)
class Shell:
    r"""What runs a client's commands, the registry's `HKLM\SOFTWARE\OpenSSH\DefaultShell`.

    Attributes:
        program: its full path.
        option: goes before a command.
        quote: how a command is put behind it.
    """

    program: str
    option: str
    quote: Callable[[str], str]

    def command_line(self, command: str | None) -> str:
        """The line for one command, or for the shell alone, which then reads standard input."""
        quoted_program = f'"{self.program}"'
        if command is None:
            return quoted_program
        return f"{quoted_program} {self.option} {self.quote(_own_program(command))}"


def _own_program(command: str) -> str:
    """`scp` and `sftp-server`, however written, are the ones beside sshd.exe."""
    for name, program in _OWN_PROGRAMS.items():
        if command.lower().startswith(name):
            rest = command[len(name) :]
            return f"{program}.exe" + (rest[4:] if rest.lower().startswith(".exe") else rest)
    return command


def _whole(command: str) -> str:
    """For cmd.exe, which takes the outer quotes off and reads the rest as it stands."""
    return f'"{command}"'


def _as_argument(command: str) -> str:
    """For PowerShell: one argument, unless the client put it into single quotes."""
    escaped = _BEFORE_QUOTE.sub(lambda found: found[1] * 2 + r"\"", command)
    return f'"{escaped}"' if " " in command and not command.startswith("'") else escaped


CMD = Shell(r"c:\windows\system32\cmd.exe", "/c", _whole)
POWERSHELL = Shell(r"c:\windows\system32\windowspowershell\v1.0\powershell.exe", "-c", _as_argument)
