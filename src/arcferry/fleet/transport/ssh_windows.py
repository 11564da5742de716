"""SSH to Windows: OpenSSH for Windows gives a command line to cmd.exe, or to PowerShell where that is set."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from arcferry.errors import HostCommandError, HostSignInError
from arcferry.fleet.transport.session import COMMAND_DEADLINE, OUTPUT_LIMIT, Result
from arcferry.fleet.transport.ssh import SshSession
from arcferry.fleet.transport.windows_text import as_utf8, page_in
from arcferry.text import quoted

WHICH_SHELL = "echo %ComSpec% $PSHOME"
"""cmd.exe fills in the first word, PowerShell the second, and any other shell neither."""

_FULL_RIGHTS = 0x3000  # the high mandatory level, S-1-16-12288, which an administrator's full token has
_LEVEL = re.compile(rb"\bS-1-16-(\d{1,6})\b")
_PLAIN = re.compile(r"[A-Za-z0-9_./\\:+=-]+")
_PROBE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Shell:
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
            ValueError: a word might.
        """
        for word in argv:
            if not _PLAIN.fullmatch(word):
                raise ValueError(f"a login shell of Windows would not hand on {quoted(word)} as it is")
        program, *words = argv
        return " ".join((self.powershell if program == "powershell.exe" else program, *words)) + self.ending


_PROGRAM = r"System32\WindowsPowerShell\v1.0\powershell.exe"
SHELLS = (
    Shell(re.compile(rb"[A-Za-z]:\\[^\r\n]*\.exe \$PSHOME"), rf'"%SystemRoot%\{_PROGRAM}"', ""),
    Shell(
        re.compile(rb"%ComSpec%\s+[A-Za-z]:\\"), rf'& "$env:SystemRoot\{_PROGRAM}"', "; exit $LASTEXITCODE"
    ),
)


def shell_in(output: bytes) -> Shell | None:
    """The shell that gave this for `WHICH_SHELL`; None for one that Windows does not come with."""
    return next((shell for shell in SHELLS if shell.seen.search(output)), None)


class WindowsSession(SshSession):
    """A session with a Windows host."""

    system = "windows"

    _shell: Shell | None = None
    _page: int = 0

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | AsyncIterator[bytes] = b"",
        deadline: float = COMMAND_DEADLINE,
        limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """Run one command, as every session does; what it prints is UTF-8 in the result.

        Raises:
            HostCommandError: the login shell is neither cmd.exe nor PowerShell.
            HostSignInError: the user is no administrator.
        """
        shell = self._shell or await self._introduced()
        result = await self.execute(shell.line(argv), stdin, deadline, limit)
        return Result(
            result.exit_status, as_utf8(result.stdout, self._page), as_utf8(result.stderr, self._page)
        )

    async def _introduced(self) -> Shell:
        """Learn what the session is like, in one round trip.

        Groups and code page are looked for by number, since their words are in the system's language. Where
        a tool is missing, or may not be run, nothing is held against the user: the host script tells then.
        """
        lines = (WHICH_SHELL, "chcp", "whoami /groups")
        which, page, groups = await asyncio.gather(
            *(self.execute(line, b"", COMMAND_DEADLINE, _PROBE_LIMIT) for line in lines)
        )
        self._page = page_in(page.stdout)
        shell = shell_in(which.stdout)
        if shell is None:
            said = Result(
                which.exit_status, as_utf8(which.stdout, self._page), as_utf8(which.stderr, self._page)
            )
            raise HostCommandError(
                f"{self.place}: its SSH server calls itself OpenSSH for Windows, and its login shell is "
                f"neither cmd.exe nor PowerShell: {said.says}",
                hint=r"On Windows, remove DefaultShell under HKLM\SOFTWARE\OpenSSH, or set it to one of "
                "them, or reach the server by WinRM. If it is no Windows server, look what answers there.",
            )
        levels = [int(level) for level in _LEVEL.findall(groups.stdout)]
        if levels and max(levels) < _FULL_RIGHTS:
            raise HostSignInError(
                f"{self.place}: the user is no administrator of the server",
                hint="Sign in as a member of its Administrators: --user, or column user of the inventory.",
            )
        self._shell = shell
        return shell
