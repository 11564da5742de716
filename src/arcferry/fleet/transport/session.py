"""What every transport gives: a session with one host that runs commands with bounds."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from arcferry.fleet.inventory import Host
from arcferry.redaction import mask
from arcferry.text import clean, one_line

CONNECT_DEADLINE = 20.0
COMMAND_DEADLINE = 60.0
OUTPUT_LIMIT = 512 * 1024


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did. Output is as the host sent it: clean it before showing it."""

    exit_status: int
    stdout: bytes
    stderr: bytes

    @property
    def says(self) -> str:
        """The last line of the error output, or of the output, cleaned and masked."""
        text = clean(self.stderr).strip() or clean(self.stdout).strip()
        return one_line(mask(text).splitlines()[-1]) if text else f"exit {self.exit_status}"


class Session(Protocol):
    """A session with one host. Sessions differ only in how bytes and processes get there.

    Every command runs with all rights on the host. Where the session is not allowed that, the first command
    says so.
    """

    @property
    def host(self) -> Host:
        """The host."""

    @property
    def place(self) -> str:
        """The host's name, address and port, for messages."""

    @property
    def system(self) -> str:
        """Whose commands it takes: the name of a row of `fleet.system.SYSTEMS`."""

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | AsyncIterator[bytes] = b"",
        deadline: float = COMMAND_DEADLINE,
        limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """Run one command and collect its output up to `limit` bytes of each kind.

        Each word of `argv` reaches the command as it is: nothing in it is read by a shell.

        Raises:
            HostCommandError: it printed more than `limit`, or did not end within `deadline` seconds; it
                was ended.
            HostUnreachableError: the session was cut.
            HostSignInError: the user may not do everything on the host.
        """

    async def close(self) -> None:
        """End the session."""


def place_of(host: Host) -> str:
    """How messages name a host."""
    return f"{host.name} ({host.address}{f':{host.port}' if host.port else ''})"
