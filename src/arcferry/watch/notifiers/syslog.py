"""Syslog: this machine's own daemon in the form of syslog(3), another's in that of RFC 5424 over UDP.

Python's SysLogHandler sends neither time nor host nor name, which RFC 5424 wants. On the local socket that
form would not be understood: journald (systemd issue 19251, open) and rsyslog (UseSpecialParser, on by
default) read there what the C library writes (both looked up 2026-11-29).
"""

import asyncio
import os
import re
import socket
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from arcferry import times
from arcferry.errors import InputError, NotifyError
from arcferry.text import whole
from arcferry.watch.changes import Level
from arcferry.watch.notifiers.message import Message

LOCAL = Path("/dev/log")
PORT = 514
_DAEMON = 3
_SEVERITY = {Level.FAIL: 3, Level.WARN: 4, Level.OK: 5}
_MOST_BYTES = 2048
"""What every receiver should take of one datagram (RFC 5426, 3.2)."""
_NOT_IN_HEADER = re.compile(r"[^\x21-\x7e]")
_UDP = re.compile(r"udp://(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?/?")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class LocalSyslog:
    """The daemon behind a socket of this machine's."""

    path: Path = LOCAL
    wants_state: bool = False

    @property
    def name(self) -> str:
        """As it is given."""
        return f"syslog:{self.path}"

    async def send(self, message: Message) -> None:
        """Hand it one line, without waiting for a daemon that does not read.

        Raises:
            OSError: there is none, or its queue is full.
        """
        now = times.now().astimezone()
        when = f"{_MONTHS[now.month - 1]} {now.day:2} {now:%H:%M:%S}"
        head = f"<{_priority(message)}>{when} arcferry[{os.getpid()}]: "
        if sys.platform == "win32":
            raise NotifyError("Windows has no such socket")
        else:  # noqa: RET506  # mypy leaves out what is another system's by this
            with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as line:
                line.setblocking(False)
                line.connect(str(self.path))
                line.send(_bounded(head.encode(), _said(message).encode()))


@dataclass(frozen=True, slots=True)
class UdpSyslog:
    """A log server; whether it listens, UDP does not say."""

    host: str
    port: int = PORT
    wants_state: bool = False

    @property
    def name(self) -> str:
        """As it is given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"syslog:udp://{host}:{self.port}"

    async def send(self, message: Message) -> None:
        """Send one datagram.

        Raises:
            OSError: the name is not known, or no route leads there.
        """
        when = times.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        host = _NOT_IN_HEADER.sub("", socket.gethostname())[:255] or "-"
        head = f"<{_priority(message)}>1 {when} {host} arcferry {os.getpid()} watch - "
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(self.host, self.port)
        )
        said = _said(message)
        # RFC 5424, 6.4: a text in UTF-8 says so by its first three bytes.
        mark = b"" if said.isascii() else b"\xef\xbb\xbf"
        with closing(transport):
            transport.sendto(_bounded(head.encode() + mark, said.encode()))


def syslog(text: str) -> LocalSyslog | UdpSyslog:
    """The daemon of `udp://HOST[:PORT]`, of a socket's path, or the machine's own where nothing is named.

    Raises:
        InputError: it is none of these, or there is no such socket.
    """
    if found := _UDP.fullmatch(text):
        port = whole(found[2] or str(PORT), most=65535)
        if port:
            return UdpSyslog(found[1].strip("[]"), port)
    elif not text or text.startswith("/"):
        local = LocalSyslog(Path(text) if text else LOCAL)
        if os.access(local.path, os.W_OK) and local.path.is_socket():
            return local
        raise InputError(
            f"--notify {local.name}: there is no such socket to write to",
            hint="Name a log server: syslog:udp://log.example:514.",
        )
    raise InputError(
        "--notify syslog: neither a socket nor a log server",
        hint="Give syslog:/dev/log or syslog:udp://log.example:514.",
    )


def _priority(message: Message) -> int:
    return _DAEMON * 8 + _SEVERITY[message.level]


def _said(message: Message) -> str:
    """The subject, then what the document says more, as name=value."""
    told = message.document
    more = (f"{name}={told[name]}" for name in ("location", "cause", "owner") if told.get(name))
    return "; ".join((message.subject, *more))


def _bounded(head: bytes, said: bytes) -> bytes:
    """Head and text, cut between two letters where it is too long."""
    return head + said[: _MOST_BYTES - len(head)].decode(errors="ignore").encode()
