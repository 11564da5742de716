"""SSH: a session with a host, nothing foreign let out; commands on Linux run as root."""

import asyncio
import errno
import shlex
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

import asyncssh

from arcferry.errors import (
    HostCommandError,
    HostError,
    HostKeyError,
    HostSignInError,
    HostUnreachableError,
)
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.session import (
    COMMAND_DEADLINE,
    CONNECT_DEADLINE,
    OUTPUT_LIMIT,
    Result,
    Session,
    place_of,
)
from arcferry.fleet.transport.trust import HostKeyRecorder, SshTrust, refused_key
from arcferry.redaction import mask
from arcferry.text import one_line, said

_CHUNK = 64 * 1024
_FOR_WINDOWS = "OpenSSH_for_Windows"
_MARK = "arcferry-user: "
# The first command of a session also tells who it runs as, since every round trip counts with many hosts.
# So does every program that a host has to start: the shell reads the effective user from /proc by itself.
_FIRST = f"""
user=
while read -r key _ uid _; do
  if [ "$key" = Uid: ]; then user=$uid; break; fi
done </proc/self/status 2>/dev/null
[ -n "$user" ] || user=$(id -u)
if [ "$user" = 0 ]; then echo '{_MARK}root' >&2; exec "$@"; fi
if ! command -v sudo >/dev/null 2>&1; then echo '{_MARK}is missing' >&2; exit 1; fi
if ! sudo -n true </dev/null >/dev/null 2>&1; then echo '{_MARK}asks for a password' >&2; exit 1; fi
echo '{_MARK}sudo' >&2
exec sudo -n -- "$@"
"""
# AES-GCM first: it is in hardware nearly everywhere, and a third of the work for us here.
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)


class SshSession:
    """What sessions over SSH have in common, whatever the host's system: a command line and its bounds."""

    def __init__(self, host: Host, connection: asyncssh.SSHClientConnection) -> None:
        self.host = host
        self.place = place_of(host)
        self._connection = connection

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""
        return self._connection.is_closed()

    async def execute(
        self, line: str, stdin: bytes | AsyncIterator[bytes], deadline: float, limit: int
    ) -> Result:
        """Give the host's login shell a command line, and collect its output.

        Raises:
            HostError: as for `Session.run`.
        """
        with translated(self.place):
            process: asyncssh.SSHClientProcess[bytes] = await self._connection.create_process(
                line, encoding=None, window=_CHUNK * 4
            )
        try:
            async with asyncio.timeout(deadline):
                with translated(self.place):
                    result = await self._collect(process, stdin, limit)
        except TimeoutError:
            raise HostCommandError(f"{self.place}: a command did not end within {deadline:.0f} s") from None
        finally:
            # Closing the channel ends a command that still prints; there is no wait for its consent.
            process.close()
        return result

    async def _collect(
        self, process: asyncssh.SSHClientProcess[bytes], stdin: bytes | AsyncIterator[bytes], limit: int
    ) -> Result:
        out_reader = asyncio.ensure_future(_read(process.stdout, limit))
        err_reader = asyncio.ensure_future(_read(process.stderr, limit))
        feeding = asyncio.ensure_future(_feed(process, stdin))
        try:
            for reader in asyncio.as_completed((out_reader, err_reader)):
                if (await reader)[1]:
                    # Aborting discards what is still on its way, so that nothing waits for it to be read.
                    process.channel.abort()
                    raise HostCommandError(
                        f"{self.place}: a command printed more than {limit:,} bytes and was ended",
                        hint="Look at what the user's shell start-up files print, and at the host itself.",
                    )
            (out, _), (err, _) = await out_reader, await err_reader
            await feeding
        finally:
            for task in (feeding, out_reader, err_reader):
                task.cancel()
        await process.wait_closed()
        status = process.exit_status
        return Result(-1 if status is None else status, out, err)

    async def close(self) -> None:
        """End the session."""
        self._connection.close()
        try:
            async with asyncio.timeout(5):
                await self._connection.wait_closed()
        except (TimeoutError, OSError, asyncssh.Error):
            self._connection.abort()


class LinuxSession(SshSession):
    """A session with a Linux host.

    Attributes:
        root: whether commands run as root without sudo; None before the first one.
    """

    system = "linux"
    root: bool | None = None

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | AsyncIterator[bytes] = b"",
        deadline: float = COMMAND_DEADLINE,
        limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """Run one command as root, as every session does.

        Raises:
            HostSignInError: the user is not root, and sudo is missing or asks for a password.
        """
        first = ["sh", "-c", _FIRST, "sh"]
        as_root = first if self.root is None else [] if self.root else ["sudo", "-n", "--"]
        result = await self.execute(shlex.join([*as_root, *argv]), stdin, deadline, limit)
        if self.root is not None:
            return result
        if _MARK.encode() not in result.stderr:
            raise await self._no_shell(result)
        return self._introduced(result)

    async def _no_shell(self, result: Result) -> HostCommandError:
        """Why the first command told nothing: Windows, behind a server that does not say so, or no shell."""
        from arcferry.fleet.transport.login_shell import WHICH_SHELL, shell_in  # noqa: PLC0415  # rarely

        which = await self.execute(WHICH_SHELL, b"", COMMAND_DEADLINE, OUTPUT_LIMIT)
        if shell_in(which.stdout):
            return HostCommandError(
                f"{self.place}: it is a Windows server, and its SSH server is not OpenSSH for Windows",
                hint="Install OpenSSH Server, which comes with Windows, or reach it by WinRM: transport "
                "winrm in the inventory.",
            )
        return HostCommandError(f"{self.place}: the login shell does not run commands: {result.says}")

    def _introduced(self, result: Result) -> Result:
        """The first command's result, once it is known who it ran as."""
        before, _, rest = result.stderr.partition(_MARK.encode())
        who, _, stderr = rest.partition(b"\n")
        if who not in {b"root", b"sudo"}:
            raise HostSignInError(
                f"{self.place}: the user is not root and sudo {mask(one_line(who, limit=40))}",
                hint="Sign in as root, or allow this user sudo without a password (NOPASSWD) for the run.",
            )
        self.root = who == b"root"
        return Result(result.exit_status, result.stdout, before + stderr)


async def open_ssh(host: Host, trust: SshTrust, *, deadline: float = CONNECT_DEADLINE) -> Session:
    """A session with the host, for the caller to close; the server's own words tell its system.

    Raises:
        HostUnreachableError: no route, refused, or no answer in time.
        HostKeyError: the host's key is not the one on record, or none is.
        HostSignInError: the user or the key was refused.
    """
    place = place_of(host)
    recorder = HostKeyRecorder()
    try:
        with translated(place):
            async with asyncio.timeout(deadline):
                connection = await asyncssh.connect(
                    host.address,
                    host.port,
                    username=host.user or trust.user,
                    known_hosts=trust.known_hosts,
                    client_keys=[trust.key] if trust.key else (),
                    agent_path=trust.agent_path,
                    client_factory=lambda: recorder,
                    config=None,
                    server_host_key_algs=trust.host_key_algorithms(host),
                    encryption_algs=_CIPHERS,
                    preferred_auth="publickey",
                    gss_host=None,
                    connect_timeout=deadline,
                    login_timeout=deadline,
                    keepalive_interval=20,
                    keepalive_count_max=3,
                    x509_trusted_certs=None,
                )
    except HostError:
        if recorder.presented is not None:
            raise refused_key(host, place, trust, recorder.presented) from None
        raise
    version = str(connection.get_extra_info("server_version", ""))
    if _FOR_WINDOWS not in version:
        return LinuxSession(host, connection)
    from arcferry.fleet.transport.ssh_windows import WindowsSession  # noqa: PLC0415  # of such hosts alone

    return WindowsSession(host, connection)


async def _feed(process: asyncssh.SSHClientProcess[bytes], data: bytes | AsyncIterator[bytes]) -> None:
    if process.stdin.is_closing():
        return
    try:
        async for chunk in _chunks(data) if isinstance(data, bytes) else data:
            process.stdin.write(chunk)
            await process.stdin.drain()
        process.stdin.write_eof()
    except (BrokenPipeError, ConnectionError):
        return  # the command ended without reading it all; its exit status says whether that matters
    except BaseException:
        # The command would wait for the rest of its input, and its output be waited for.
        process.close()
        raise


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]


async def _read(stream: asyncssh.SSHReader[bytes], limit: int) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    size = 0
    while chunk := await stream.read(_CHUNK):
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            return b"".join(parts)[:limit], True
    return b"".join(parts), False


_SAYS = {
    errno.ECONNREFUSED: "refused: nothing listens on that port, or a firewall rejects",
    errno.ETIMEDOUT: "no answer: no route, or a firewall drops",
    errno.EHOSTUNREACH: "no route to it",
    errno.ENETUNREACH: "no route to its network",
    errno.ECONNRESET: "cut by the other side",
    errno.EPIPE: "cut by the other side",
}


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Let only arcferry's errors out of the block; `place` names the host, its address and port."""
    try:
        yield
    except HostError:
        raise
    except TimeoutError:
        raise HostUnreachableError(f"{place}: no answer in time") from None
    except asyncssh.PermissionDenied:
        raise HostSignInError(
            f"{place}: the server refused the user or the key",
            hint="Put the public key into the user's authorized_keys (on Windows an administrator's into "
            r"C:\ProgramData\ssh\administrators_authorized_keys), or name another user (--user, or the "
            "inventory's user column).",
        ) from None
    except asyncssh.HostKeyNotVerifiable as error:
        raise HostKeyError(f"{place}: {one_line(mask(str(error)))}") from None
    except OSError as error:
        raise HostUnreachableError(f"{place}: {_socket_says(error)}") from None
    except (asyncssh.Error, asyncssh.ProcessError) as error:
        raise HostUnreachableError(f"{place}: {mask(said(error))}") from None


def _socket_says(error: OSError) -> str:
    number = error.errno or 0
    if number in _SAYS:
        return _SAYS[number]
    if number < 0 or "getaddrinfo" in str(error) or "Name or service" in str(error):
        return f"its name is not known here: {one_line(mask(str(error.strerror or error)))}"
    return mask(said(error))
