"""Command shells (WinRS) and the commands in them: [MS-WSMV] 3.1.4, as Windows' own plug-in does it."""

import asyncio
import base64
import binascii
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.accounts import Account
from arcferry_lab.hosts.windows.winrm.commands import STREAMS, Command
from arcferry_lab.hosts.windows.winrm.faultwords import (
    CODE_PAGE,
    FILE_NOT_FOUND,
    INVALID_PARAMETER,
    MAX_OPERATIONS,
    MAX_SHELLS,
    NO_SUCH_SHELL,
    OTHER_USER,
    PAGING_FILE,
    SCHEMA,
    WsManFault,
    in_words,
)
from arcferry_lab.hosts.windows.winrm.programs import Computer
from arcferry_lab.hosts.windows.winrm.settings import WinRmSettings
from arcferry_lab.hosts.windows.winrm.soap import (
    COMMAND_SHELL,
    SHELL,
    Request,
    child_text,
    seconds,
)

_ENVELOPE_ROOM = 2048
_LONGEST_FOR_CMD = 8191
_LEAST_MEMORY_MB = 50
_CODE_PAGES = frozenset({437, 850, 852, 866, 932, 936, 949, 950, 1250, 1251, 1252, 65000, 65001})


@dataclass(slots=True)
class Shell:
    """One shell.

    Attributes:
        operations: commands it had; Windows counts those that ended, too.
        closing: closes it once nobody used it for so long.
    """

    name: str
    owner: Account
    client: str
    idle: float
    folder: str
    variables: Mapping[str, str]
    commands: dict[str, Command] = field(default_factory=dict)
    operations: int = 0
    closing: asyncio.TimerHandle | None = None

    def described(self) -> str:
        """As Create and Get answer."""
        owner = f"{self.owner.domain}\\{self.owner.name}" if self.owner.domain else self.owner.name
        values = {
            "ShellId": self.name,
            "ResourceUri": COMMAND_SHELL,
            "Owner": owner,
            "ClientIP": self.client,
            "ProcessId": "0",
            "IdleTimeOut": f"PT{self.idle:.3f}S",
            "InputStreams": "stdin",
            "OutputStreams": "stdout stderr",
            "MaxIdleTimeOut": "PT2147483.647S",
            "Locale": "en-US",
            "DataLocale": "en-US",
            "CompressionMode": "NoCompression",
            "ProfileLoaded": "Yes",
            "Encoding": "UTF8",
            "BufferMode": "Block",
            "State": "Connected",
            "ShellRunTime": "P0DT0H0M0S",
            "ShellInactivity": "P0DT0H0M0S",
        }
        inner = "".join(f"<rsp:{name}>{escape(value)}</rsp:{name}>" for name, value in values.items())
        return f"<rsp:Shell>{inner}</rsp:Shell>"


class Shells:
    """The shells of one server.

    Each method but `close` is an action: it takes a request, and seconds that it may wait, and gives what the
    answer's body holds.
    """

    def __init__(self, computer: Computer, settings: Callable[[], WinRmSettings]) -> None:
        self._computer = computer
        self._settings = settings
        self._shells: dict[str, Shell] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._shells)

    def leave_open(self, account: Account, count: int) -> None:
        """Open shells that nobody uses, as a client leaves them that was killed."""
        for _ in range(count):
            idle = self._settings().idle_timeout_ms / 1000
            shell = Shell(_identifier(None), account, "192.0.2.1", idle, "", {})
            self._shells[shell.name] = shell
            self._touch(shell)

    async def create(self, request: Request, account: Account, client: str, place: str) -> str:
        """Open a shell."""
        wanted = request.content("Shell")
        settings = self._settings()
        if sum(shell.owner == account for shell in self._shells.values()) >= settings.max_shells_per_user:
            raise WsManFault(MAX_SHELLS, settings.max_shells_per_user)
        page = request.options.get("WINRS_CODEPAGE", "437")
        if not page.isdecimal() or int(page[:6]) not in _CODE_PAGES:
            raise WsManFault(CODE_PAGE, page[:6])
        idle = child_text(wanted, "IdleTimeOut")
        environment = wanted.findall(f"{{{SHELL}}}Environment/{{{SHELL}}}Variable")
        shell = Shell(
            name=_identifier(wanted.get("ShellId")),
            owner=account,
            client=client,
            idle=min(seconds(idle) if idle else float("inf"), settings.idle_timeout_ms / 1000),
            folder=child_text(wanted, "WorkingDirectory"),
            variables={one.get("Name", ""): one.text or "" for one in environment},
        )
        self._shells[shell.name] = shell
        self._touch(shell)
        return (
            f"<x:ResourceCreated><a:Address>{escape(place)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{COMMAND_SHELL}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{shell.name}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated>{shell.described()}"
        )

    async def get(self, request: Request, account: Account, limit: float) -> str:  # noqa: ARG002 - as `Action` has it
        """Describe a shell."""
        return self._of(request, account).described()

    async def command(self, request: Request, account: Account, limit: float) -> str:  # noqa: ARG002 - as `Action` has it
        """Start a program in a shell."""
        shell = self._of(request, account)
        wanted = request.content("CommandLine")
        settings = self._settings()
        shell.operations += 1
        if shell.operations > settings.max_operations_per_user:
            raise WsManFault(MAX_OPERATIONS, settings.max_operations_per_user)
        words = [child_text(wanted, "Command")]
        words += [one.text or "" for one in wanted.findall(f"{{{SHELL}}}Arguments")]
        name = _identifier(wanted.get("CommandId"))
        shell.commands[name] = await self._started(request, shell, name, " ".join(words).strip(), settings)
        return f"<rsp:CommandResponse><rsp:CommandId>{name}</rsp:CommandId></rsp:CommandResponse>"

    async def send(self, request: Request, account: Account, limit: float) -> str:
        """Give a program input."""
        shell = self._of(request, account)
        for stream in request.content("Send"):
            command = _command(shell, stream.get("CommandId"))
            if stream.get("Name") != "stdin":
                raise WsManFault(INVALID_PARAMETER)
            try:
                data = base64.b64decode(stream.text or "")
            except binascii.Error as error:
                raise WsManFault(SCHEMA) from error
            await command.send(data, end=stream.get("End", "").lower() in {"true", "1"}, limit=limit)
        return "<rsp:SendResponse/>"

    async def receive(self, request: Request, account: Account, limit: float) -> str:
        """Wait for output of a program."""
        shell = self._of(request, account)
        wanted = request.content("Receive").find(f"{{{SHELL}}}DesiredStream")
        if wanted is None or not set((wanted.text or "").split()) <= set(STREAMS):
            raise WsManFault(INVALID_PARAMETER)
        settings = self._settings()
        envelope = min(request.max_envelope, settings.max_envelope_kb * 1024)
        room = max(envelope - _ENVELOPE_ROOM, 1024) // 4 * 3
        command = _command(shell, wanted.get("CommandId"))
        if shell.closing:
            shell.closing.cancel()
        try:
            output = await command.receive(limit, room, settings.huge)
        finally:
            self._touch(shell)
        return f"<rsp:ReceiveResponse>{output}</rsp:ReceiveResponse>"

    async def signal(self, request: Request, account: Account, limit: float) -> str:  # noqa: ARG002 - as `Action` has it
        """Interrupt a program, or have done with it."""
        shell = self._of(request, account)
        wanted = request.content("Signal")
        command = _command(shell, wanted.get("CommandId"))
        code = child_text(wanted, "Code").lower()
        if code.endswith("/signal/terminate"):
            await command.end()
            shell.commands.pop(command.name, None)
        elif code.endswith(("/signal/ctrl_c", "/signal/ctrl_break")):
            await command.interrupt()
        else:
            raise WsManFault(INVALID_PARAMETER)
        return "<rsp:SignalResponse/>"

    async def delete(self, request: Request, account: Account, limit: float) -> str:  # noqa: ARG002 - as `Action` has it
        """Close a shell and end its programs."""
        await self._close(self._of(request, account))
        return ""

    async def close(self) -> None:
        """Close every shell."""
        await asyncio.gather(*(self._close(shell) for shell in list(self._shells.values())), *self._closing)

    async def _started(
        self, request: Request, shell: Shell, name: str, line: str, settings: WinRmSettings
    ) -> Command:
        if request.options.get("WINRS_SKIP_CMD_SHELL", "").lower() not in {"true", "1"}:
            line = f"cmd.exe /c {line}"
            if len(line) > _LONGEST_FOR_CMD:
                return Command(name, None, {"stderr": b"The command line is too long.\r\n"})
        if settings.max_memory_per_shell_mb < _LEAST_MEMORY_MB:
            said = in_words(PAGING_FILE, settings.language).strip()
            return Command(name, None, {"stderr": f"{said}\r\n".encode()})
        try:
            program = await self._computer.start(
                line, folder=shell.folder, variables=shell.variables, user=shell.owner.name
            )
        except (LabError, OSError) as error:
            raise WsManFault(FILE_NOT_FOUND) from error
        return Command(name, program, {"stdout": b"." * settings.chatter})

    def _of(self, request: Request, account: Account) -> Shell:
        name = next((value for key, value in request.selectors.items() if key.lower() == "shellid"), "")
        shell = self._shells.get(name.upper())
        if shell is None:
            raise WsManFault(NO_SUCH_SHELL, name[:40])
        if (shell.owner.domain, shell.owner.name) != (account.domain, account.name):
            raise WsManFault(OTHER_USER)
        self._touch(shell)
        return shell

    def _touch(self, shell: Shell) -> None:
        if shell.closing:
            shell.closing.cancel()
        if shell.name in self._shells:
            shell.closing = asyncio.get_running_loop().call_later(shell.idle, self._expire, shell)

    def _expire(self, shell: Shell) -> None:
        task = asyncio.create_task(self._close(shell))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, shell: Shell) -> None:
        self._shells.pop(shell.name, None)
        if shell.closing:
            shell.closing.cancel()
        await asyncio.gather(*(command.end() for command in shell.commands.values()))


Action = Callable[[Shells, Request, Account, float], Awaitable[str]]
ACTIONS: dict[str, Action] = {
    "Get": Shells.get,
    "Command": Shells.command,
    "Send": Shells.send,
    "Receive": Shells.receive,
    "Signal": Shells.signal,
    "Delete": Shells.delete,
}


def _identifier(wanted: str | None) -> str:
    """The client's own, where it gave one that is a UUID, as Windows 8 and newer take it."""
    try:
        return str(uuid.UUID(wanted)).upper() if wanted else str(uuid.uuid4()).upper()
    except ValueError as error:
        raise WsManFault(INVALID_PARAMETER) from error


def _command(shell: Shell, name: str | None) -> Command:
    command = shell.commands.get((name or "").upper())
    if command is None:
        raise WsManFault(INVALID_PARAMETER)
    return command
