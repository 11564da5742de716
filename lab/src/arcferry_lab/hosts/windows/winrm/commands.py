"""A command in a shell: its program, what that wrote and nobody took yet, and how it ended."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Final

from arcferry_lab.hosts.windows.winrm.faultwords import ABORTED, RECEIVE_IN_PROGRESS, TIMED_OUT, WsManFault
from arcferry_lab.hosts.windows.winrm.programs import RunningProgram
from arcferry_lab.hosts.windows.winrm.soap import SHELL

STREAMS: Final = ("stdout", "stderr")
_DONE: Final = f"{SHELL}/CommandState/Done"
_RUNNING: Final = f"{SHELL}/CommandState/Running"
_BLOCK = 1 << 16
_KEPT = 1 << 20
_CONTROL_C = 0xC000013A


class Command:
    """A program in a shell, what it wrote and nobody took yet, and how it ended."""

    def __init__(self, name: str, program: RunningProgram | None, first: Mapping[str, bytes]) -> None:
        """Take a program over; without one the command has ended with 1, after it wrote `first`."""
        self.name = name
        self.exit_code: int | None = None if program else 1
        self._program = program
        self._out = {stream: bytearray(first.get(stream, b"")) for stream in STREAMS}
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._stdin = asyncio.Lock()
        self._receiving = False
        self._ended = False
        self._work = asyncio.create_task(self._follow(program)) if program else None
        if program:
            program.stdin.transport.set_write_buffer_limits(_KEPT)

    @property
    def running(self) -> bool:
        """Whether its program is."""
        return self.exit_code is None

    async def send(self, data: bytes, *, end: bool, limit: float) -> None:
        """Give it input; returns once what waits to be read is little enough.

        Raises:
            WsManFault: the program did not read in time; the input is its own all the same.
        """
        if self._program is None:
            return
        stdin = self._program.stdin
        try:
            async with asyncio.timeout(limit), self._stdin:
                stdin.write(data)
                if end:
                    stdin.close()
                else:
                    await stdin.drain()
        except TimeoutError as error:
            raise WsManFault(TIMED_OUT) from error
        except ConnectionError:
            pass  # it has ended

    async def receive(self, limit: float, room: int, huge: int) -> str:
        """The next output, and how the program ended if it did.

        Raises:
            WsManFault: another asks already, nothing came in time, or the command was ended.
        """
        if self._receiving:
            raise WsManFault(RECEIVE_IN_PROGRESS)
        self._receiving = True
        try:
            async with asyncio.timeout(limit):
                await self._output()
        except TimeoutError as error:
            raise WsManFault(TIMED_OUT) from error
        finally:
            self._receiving = False
        return self._take(room, huge)

    async def interrupt(self) -> None:
        """As Ctrl-C in its console does."""
        if self._program and self.running:
            await self._program.end()
            self.exit_code = _CONTROL_C
            self._changed.set()

    async def end(self) -> None:
        """End its program; whoever waits for output is told so."""
        self._ended = True
        self._changed.set()
        if self._program:
            self._program.stdin.close()
            if self.running:
                await self._program.end()
        if self._work:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _output(self) -> None:
        while not self._ended and self.running and not any(self._out.values()):
            self._changed.clear()
            await self._changed.wait()
        if self._ended:
            raise WsManFault(ABORTED)

    def _take(self, room: int, huge: int) -> str:
        parts: list[str] = []
        for stream, waiting in self._out.items():
            data = bytes(waiting[:room])
            del waiting[: len(data)]
            room -= len(data)
            if data:
                parts.append(self._stream(stream, data + b"." * huge))
        self._taken.set()
        if self.running or any(self._out.values()):
            return f'{"".join(parts)}<rsp:CommandState CommandId="{self.name}" State="{_RUNNING}"/>'
        ends = (f'<rsp:Stream Name="{stream}" CommandId="{self.name}" End="true"/>' for stream in STREAMS)
        state = f"<rsp:ExitCode>{self.exit_code}</rsp:ExitCode></rsp:CommandState>"
        return f'{"".join((*parts, *ends))}<rsp:CommandState CommandId="{self.name}" State="{_DONE}">{state}'

    def _stream(self, stream: str, data: bytes) -> str:
        text = base64.b64encode(data).decode("ascii")
        return f'<rsp:Stream Name="{stream}" CommandId="{self.name}">{text}</rsp:Stream>'

    async def _follow(self, program: RunningProgram) -> None:
        await asyncio.gather(self._read("stdout", program.stdout), self._read("stderr", program.stderr))
        code = await program.wait()
        if self.running:
            self.exit_code = code
        self._changed.set()

    async def _read(self, stream: str, reader: asyncio.StreamReader) -> None:
        waiting = self._out[stream]
        while data := await reader.read(_BLOCK):
            waiting += data
            self._changed.set()
            while len(waiting) > _KEPT:
                # as a pipe does: who writes waits for who reads
                self._taken.clear()
                await self._taken.wait()
