"""One WinRM session with one Windows host: commands with bounds, and nothing foreign let out.

pypsrp blocks, so each request has a thread; there are as many threads as requests under way, up to a bound.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any, ParamSpec, TypeVar

import spnego
from pypsrp.exceptions import WSManFaultError

from arcferry.errors import HostCommandError, HostError, HostSignInError, HostUnreachableError
from arcferry.fleet.inventory import Host
from arcferry.fleet.inventory.cells import Auth
from arcferry.fleet.transport import winrm_shell as shells
from arcferry.fleet.transport.login_shell import CMD
from arcferry.fleet.transport.session import (
    COMMAND_DEADLINE,
    CONNECT_DEADLINE,
    OUTPUT_LIMIT,
    Result,
    place_of,
)
from arcferry.fleet.transport.winrm_faults import NoKerberosError, Subject, translated
from arcferry.fleet.transport.winrm_line import Access, Answered, Line
from arcferry.fleet.transport.winrm_shell import SHELL_IS_GONE, Received
from arcferry.fleet.transport.winrm_trust import (
    HTTP_PORT,
    HTTPS_PORT,
    NO_NTLM_OVER_HTTP,
    WinrmTrust,
    is_plain,
    refuse_unasked,
    refuse_unusable,
    service_name,
    ways,
)

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
_THREADS = 256
_GRACE = 5.0


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="winrm")


def _begun(function: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs) -> Future[Answer]:
    return _threads().submit(function, *given, **named)


class WinrmSession:
    """A session with one Windows host: one shell, in which commands run one after another.

    Made by `open_winrm`.

    Attributes:
        place: the host's name, address and port, for messages.
        system: whose commands it takes.
    """

    system = "windows"

    def __init__(self, host: Host, subject: Subject, access: Access, line: Line, shell: str) -> None:
        self.host = host
        self.place = subject.place
        self._access = access
        self._shell = shell
        self._closed = False
        # What waits for output keeps its connection busy; a second one feeds what is long, and ends commands.
        self._main = line
        self._side: Line | None = None
        self._about = {line: subject}

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""
        return self._closed

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | AsyncIterator[bytes] = b"",
        deadline: float = COMMAND_DEADLINE,
        limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """Run one command and collect its output up to `limit` bytes of each kind.

        Raises:
            HostCommandError: it printed more than `limit`, or did not end within `deadline` seconds; it was
                ended. Or a quota of the server's was reached.
            HostUnreachableError: the session was cut.
            ValueError: a word of `argv` would be read by `cmd.exe`, or all of it is too long for that.
        """
        line = CMD.line(argv)
        command = ""
        ended = False
        try:
            async with asyncio.timeout(deadline):
                command = await self._start(line)
                result = await self._collect(command, stdin, limit)
                ended = True
        except TimeoutError:
            raise HostCommandError(f"{self.place}: a command did not end within {deadline:.0f} s") from None
        finally:
            await self._let_go(command, ended=ended)
        return result

    async def _start(self, line: str) -> str:
        try:
            return await self._ask(self._main, shells.start, self._shell, line)
        except _ShellIsGoneError:
            # The server removed it because it was idle, and nothing has begun.
            self._shell = await self._ask(self._main, shells.create)
            return await self._ask(self._main, shells.start, self._shell, line)

    async def _collect(self, command: str, stdin: bytes | AsyncIterator[bytes], limit: int) -> Result:
        out, err = bytearray(), bytearray()
        feeding: asyncio.Task[None] = asyncio.create_task(self._feed(command, stdin))
        receiving: asyncio.Task[Received] | None = None
        refused: HostError | None = None
        try:
            if isinstance(stdin, bytes) and len(stdin) <= self._main.payload:
                refused = await _refusal(feeding)
            while True:
                asked = self._ask(self._main, shells.receive, self._shell, command)
                receiving = asyncio.create_task(asked)
                if not feeding.done():
                    await asyncio.wait({receiving, feeding}, return_when=asyncio.FIRST_COMPLETED)
                    if feeding.done():
                        refused = await _refusal(feeding)
                got = await receiving
                out += got.stdout
                err += got.stderr
                if max(len(out), len(err)) > limit:
                    raise HostCommandError(
                        f"{self.place}: a command printed more than {limit:,} bytes and was ended",
                        hint="Look at what the machine's start-up scripts print, and at the host itself.",
                    )
                if got.done:
                    return Result(got.exit_code, bytes(out), bytes(err))
                if refused and not got.stdout and not got.stderr:
                    raise refused
        finally:
            for task in (feeding, receiving):
                if task is not None and not task.done():
                    task.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await task

    async def _feed(self, command: str, stdin: bytes | AsyncIterator[bytes]) -> None:
        """Send all of `stdin` in messages as large as may be, reading on while one is on its way."""
        short = isinstance(stdin, bytes) and len(stdin) <= self._main.payload
        line = self._main if short else self._beside()
        blocks = _blocks(stdin, line)
        upcoming = asyncio.ensure_future(anext(blocks))
        try:
            end = False
            while not end:
                data, end = await upcoming
                if not end:
                    upcoming = asyncio.ensure_future(anext(blocks))
                await self._ask(line, shells.send, self._shell, command, data, end=end)
        finally:
            upcoming.cancel()

    def _beside(self) -> Line:
        if self._side is None:
            self._side = Line(self._access)
            self._about[self._side] = replace(self._about[self._main], answered=_answered(self._side))
        return self._side

    async def _ask(
        self,
        line: Line,
        function: Callable[..., Answer],
        *given: Any,  # noqa: ANN401  # as it takes
        **named: Any,  # noqa: ANN401  # as above
    ) -> Answer:
        return await asyncio.wrap_future(
            _begun(_translating, self._about[line], function, line, *given, **named)
        )

    async def _let_go(self, command: str, *, ended: bool) -> None:
        """End the command, or tell the server that its end was heard; not at the price of the result."""
        line = self._main if ended and not self._main.busy else self._beside()
        if not command or not await self._heard(line, shells.terminate, self._shell, command):
            # Whatever runs there, nothing more is heard of it in this session.
            self._closed = True

    async def _heard(self, line: Line, function: Callable[..., None], *given: str) -> bool:
        """Whether the server does what a session needs at its end, without waiting long for it."""
        try:
            async with asyncio.timeout(_GRACE):
                await self._ask(line, function, *given)
        except (HostError, TimeoutError, _ShellIsGoneError):
            return False
        return True

    async def close(self) -> None:
        """Remove the shell and what still runs in it, and end the connections."""
        if self._shell:
            shell, self._shell = self._shell, ""
            line = self._beside() if self._main.busy or self._closed else self._main
            await self._heard(line, shells.delete, shell)
        self._closed = True
        for one in (self._main, self._side):
            if one is not None:
                await asyncio.to_thread(one.close)


class _ShellIsGoneError(Exception):
    """The server knows no such shell any more."""


def _translating(
    subject: Subject,
    function: Callable[..., Answer],
    line: Line,
    *given: Any,  # noqa: ANN401  # as it takes
    **named: Any,  # noqa: ANN401  # as above
) -> Answer:
    """Call `function`, and let only arcferry's errors and `_ShellIsGoneError` out."""
    with translated(subject):
        try:
            return function(line, *given, **named)
        except WSManFaultError as fault:
            if fault.code != SHELL_IS_GONE:
                raise
    raise _ShellIsGoneError


async def open_winrm(host: Host, trust: WinrmTrust, *, deadline: float = CONNECT_DEADLINE) -> WinrmSession:
    """A session with the host, for the caller to close.

    Raises:
        HostUnreachableError: no route, refused, no answer in time, or WinRM is off.
        HostKeyError: the certificate is not for this host, or by nobody who is known.
        HostSignInError: the user was refused, has no rights there, or a setting of ours is missing.
        HostCommandError: something else answers there, or a quota of the server's is used up.
    """
    user = host.user or trust.user
    first, *others = ways(trust, host.auth, user, host.address)
    if not host.port:
        host = replace(host, port=await _port_of(host.address, first))
    try:
        return await _opened(host, trust, first, user, deadline)
    except NoKerberosError as error:
        if not others:
            raise
        if is_plain(host.port):
            raise HostSignInError(error.message, hint=f"{error.hint} {NO_NTLM_OVER_HTTP}") from None
    return await _opened(host, trust, others[0], user, deadline)


async def _port_of(address: str, auth: Auth) -> int:
    """5986, or 5985 where that one alone answers and the way to sign in encrypts messages."""
    if auth in {"kerberos", "ntlm"}:
        answers = await asyncio.gather(*(_answers(address, port) for port in (HTTPS_PORT, HTTP_PORT)))
        if answers == [False, True]:
            return HTTP_PORT
    return HTTPS_PORT


async def _answers(address: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_GRACE):
            _, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


async def _opened(host: Host, trust: WinrmTrust, auth: Auth, user: str, deadline: float) -> WinrmSession:
    place = place_of(host)
    subject = Subject(place, host.address, host.port, user, auth, str(trust.ca_file or ""))
    with translated(subject):
        refuse_unasked(host.auth, auth, host.port)
        refuse_unusable(trust, auth, user, host.port)
        line = Line(access := _access(host, trust, auth, user))
    subject = replace(subject, answered=_answered(line))
    opening = _begun(_translating, subject, shells.create, line)
    try:
        async with asyncio.timeout(deadline):
            shell = await asyncio.shield(asyncio.wrap_future(opening))
    except TimeoutError:
        opening.add_done_callback(lambda done: _remove(line, done))
        raise HostUnreachableError(f"{place}: no answer in time") from None
    except asyncio.CancelledError:
        opening.add_done_callback(lambda done: _remove(line, done))
        raise
    except BaseException:
        line.close()
        raise
    return WinrmSession(host, subject, access, line, shell)


def _answered(line: Line) -> Callable[[], Answered]:
    return lambda: line.answered


def _remove(line: Line, opening: Future[str]) -> None:
    """Remove a shell that came after nobody waited for it any more."""
    if not opening.cancelled() and opening.exception() is None:
        with suppress(Exception):  # the host's idle time-out removes what this does not
            shells.delete(line, opening.result())
    line.close()


def _access(host: Host, trust: WinrmTrust, auth: Auth, user: str) -> Access:
    context = None
    if not is_plain(host.port):
        context = trust.client_context() if auth == "certificate" else trust.context()
    who: Any = user or None
    if auth == "kerberos" and trust.keytab is not None:
        who = spnego.KerberosKeytab(keytab=str(trust.keytab.absolute()), principal=user or None)
    password = trust.password if user else None
    return Access(
        host.address, host.port, auth, who, password, context, service_name(host.name, host.address)
    )


async def _refusal(feeding: "asyncio.Task[None]") -> HostError | None:
    """What the host refused input by: a command may end before it reads all, and its exit status counts."""
    try:
        await feeding
    except HostCommandError as error:
        return error
    return None


async def _blocks(data: bytes | AsyncIterator[bytes], line: Line) -> AsyncIterator[tuple[bytes, bool]]:
    """The input in blocks that fill a message each, and whether it is the last."""
    held = bytearray()
    async for part in _whole(data) if isinstance(data, bytes) else data:
        held += part
        while len(held) > (size := line.payload):
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
