"""SSH to Windows: OpenSSH for Windows gives a command line to cmd.exe, or to PowerShell where that is set."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

from arcferry.errors import HostCommandError, HostSignInError
from arcferry.fleet.transport.login_shell import WHICH_SHELL, LoginShell, shell_in
from arcferry.fleet.transport.session import COMMAND_DEADLINE, OUTPUT_LIMIT, Result
from arcferry.fleet.transport.ssh import SshSession
from arcferry.fleet.transport.windows_text import as_utf8, page_in

_FULL_RIGHTS = 0x3000  # the high mandatory level, S-1-16-12288, which an administrator's full token has
_LEVEL = re.compile(rb"\bS-1-16-(\d{1,6})\b")
_PROBE_LIMIT = 64 * 1024


class WindowsSession(SshSession):
    """A session with a Windows host."""

    system = "windows"

    _shell: LoginShell | None = None
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

    async def _introduced(self) -> LoginShell:
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
