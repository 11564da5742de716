"""SSH to Windows: OpenSSH for Windows gives the command line to cmd.exe."""

import subprocess
from collections.abc import AsyncIterator, Sequence

from arcferry.fleet.transport.session import COMMAND_DEADLINE, OUTPUT_LIMIT, Result
from arcferry.fleet.transport.ssh import SshSession


class WindowsSession(SshSession):
    """A session with a Windows host."""

    system = "windows"

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | AsyncIterator[bytes] = b"",
        deadline: float = COMMAND_DEADLINE,
        limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """Run one command, as every session does."""
        return await self.execute(subprocess.list2cmdline(argv), stdin, deadline, limit)
