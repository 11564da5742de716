"""A program of the operator's own: one message on its standard input."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from arcferry.errors import InputError, NotifyError
from arcferry.redaction import mask
from arcferry.text import one_line
from arcferry.watch.notifiers.message import Message

_MOST_SAID = 4096
_LAST_WORDS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Program:
    """Run for each message, without a shell and without arguments; 0 says that it was taken."""

    path: Path
    wants_state: bool = False

    @classmethod
    def at(cls, text: str) -> "Program":
        """The program of this path.

        Raises:
            InputError: the path is not absolute, or there is no program.
        """
        path = Path(text)
        hint = "Give the absolute path of a program, such as command:/usr/local/bin/page-network."
        if not path.is_absolute():
            raise InputError("--notify command: wants an absolute path", hint=hint)
        if not os.access(path, os.X_OK) or not path.is_file():
            raise InputError(f"--notify command:{path}: no program that can be run", hint=hint)
        return cls(path)

    @property
    def name(self) -> str:
        """As it was given."""
        return f"command:{self.path}"

    async def send(self, message: Message) -> None:
        """Run it, and wait until it ends. Where that is cut short, it is killed with all that it began.

        Raises:
            NotifyError: it did not end with 0.
            OSError: it cannot be run.
        """
        process = await asyncio.create_subprocess_exec(
            self.path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        said = bytearray()
        listening = asyncio.create_task(_listen(process.stderr, said))
        try:
            await _feed(process.stdin, json.dumps(dict(message.document)).encode() + b"\n")
            code = await process.wait()
            # Something that it left behind may hold its standard error open.
            await asyncio.wait({listening}, timeout=_LAST_WORDS_SECONDS)
        except BaseException:
            _kill(process)
            await process.wait()
            raise
        finally:
            listening.cancel()
        if code:
            words = one_line(mask(bytes(said).decode(errors="replace")), limit=200)
            raise NotifyError(f"ended with {code}{f': {words}' if words else ''}")


async def _feed(stdin: asyncio.StreamWriter | None, data: bytes) -> None:
    # A program that does not care what changed may end without reading.
    with suppress(ConnectionError):
        if stdin is not None:
            stdin.write(data)
            await stdin.drain()
            stdin.close()


async def _listen(stream: asyncio.StreamReader | None, said: bytearray) -> None:
    """Take what comes to the end, so that a talkative program is not held up; keep its beginning."""
    while stream is not None and (block := await stream.read(_MOST_SAID)):
        said += block[: _MOST_SAID - len(said)]


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
