"""A session with a Windows host of the twin that starts programs there itself, as no transport could."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence

from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.session import Result
from arcferry_lab.hosts.windows import WindowsHost
from arcferry_lab.hosts.windows.host import RunningProgram


class DirectSession:
    system = "windows"
    closed = False

    def __init__(self, windows: WindowsHost) -> None:
        self.windows = windows
        self.host = Host(windows.name, windows.address)
        self.place = windows.name
        self.running: RunningProgram | None = None
        self.longest = self.started = 0

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | AsyncIterator[bytes] = b"",
        deadline: float = 60,
        limit: int = 1 << 20,
    ) -> Result:
        line = subprocess.list2cmdline(argv)
        self.started += 1
        self.longest = max(self.longest, len(line))
        program = self.running = await self.windows.start(line)
        try:
            async with asyncio.timeout(deadline):
                _, out, err, status = await asyncio.gather(
                    _feed(program, stdin), program.stdout.read(), program.stderr.read(), program.wait()
                )
        finally:
            await program.end()
        assert len(out) <= limit
        return Result(status, out, err)

    async def cut(self) -> None:
        """End what runs, as OpenSSH for Windows does where a session is cut."""
        assert self.running
        await self.running.end()

    async def close(self) -> None:
        """Nothing is open."""


async def _feed(program: RunningProgram, data: bytes | AsyncIterator[bytes]) -> None:
    try:
        if isinstance(data, bytes):
            program.stdin.write(data)
        else:
            async for chunk in data:
                program.stdin.write(chunk)
                await program.stdin.drain()
        await program.stdin.drain()
    except ConnectionError:
        return
    finally:
        program.stdin.close()
