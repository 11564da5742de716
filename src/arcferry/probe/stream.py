import asyncio
import socket
import sys
from contextlib import suppress
from typing import Self

_CHUNK = 16 * 1024
_INFO_LENGTH = 232
_OUT_OF_ORDER = slice(224, 228)
"""`tcpi_rcv_ooopack` of struct tcp_info in linux/tcp.h, there since Linux 5.4."""


class Stream:
    """An open TCP connection's two directions. Whoever has it closes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Self:
        """Take over a connected socket."""
        return cls(*await asyncio.open_connection(sock=sock, limit=_CHUNK))

    @property
    def has_gap(self) -> bool:
        """Whether later bytes arrived and earlier ones did not, as where large packets are lost.

        Linux alone tells; elsewhere this is False.
        """
        sock = self._writer.get_extra_info("socket")
        if sys.platform != "linux" or sock is None:
            return False
        with suppress(OSError):
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_LENGTH)
            return int.from_bytes(info[_OUT_OF_ORDER], sys.byteorder) > 0
        return False

    def write(self, data: bytes) -> None:
        """Queue bytes without waiting."""
        self._writer.write(data)

    async def send(self, data: bytes) -> None:
        """Send, waiting while the peer does not read."""
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> bytes:
        """The next bytes, at most 16 KiB; empty where the peer closed."""
        return await self._reader.read(_CHUNK)

    async def close(self) -> None:
        """Close now; what the peer has not taken is dropped."""
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()
