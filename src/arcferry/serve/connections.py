"""Connections that cannot be used against the others: one whose other end keeps it waiting is cut."""

import asyncio
import ssl
from contextlib import suppress

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 256
"""Open connections of one server, those that do not speak TLS yet among them."""

PATIENCE = 10.0
"""Seconds for a request to come whole, TLS before it, and for what is sent to be taken."""


class Connection(H11Protocol):
    """Uvicorn's, which alone would wait for ever.

    TLS begins here and not in asyncio's server, which shows no connection before its handshake has ended and
    gives that a minute: so long anybody could hold as many as the system has file descriptors.
    """

    since = 0.0
    tls: ssl.SSLContext | None = None
    _of: object = None
    _early = b""
    _is_lost = False
    _securing: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it up; where there are too many, the one that has waited longest gives way."""
        self.since = self.loop.time()
        if self.tls is None:
            super().connection_made(transport)
        else:
            transport.pause_reading()
            self.transport = transport
            self.connections.add(self)
            self._securing = self.loop.create_task(self._secure(transport, self.tls))
        if len(self.connections) > MOST:
            waiting = [one for one in self.connections if isinstance(one, Connection) and one.waits]
            min(waiting, key=lambda one: one.since, default=self).transport.abort()

    async def _secure(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        secured = None
        with suppress(OSError):  # whatever spoke no TLS, or left
            secured = await self.loop.start_tls(transport, self, tls, server_side=True)
        if secured is None or self._is_lost:
            self.connections.discard(self)
            return
        super().connection_made(secured)
        if self._early:
            super().data_received(self._early)

    def data_received(self, data: bytes) -> None:
        """Take in what came; with the last of a handshake the first of a request may come."""
        if self._securing is not None and not self._securing.done():
            self._early += data
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take leave of it."""
        self._is_lost = True
        super().connection_lost(exc)

    @property
    def waits(self) -> bool:
        """Whether it waits for its other end, and for nothing here."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused

    def look(self) -> None:
        """Cut it where it has waited too long; to be called again and again."""
        now = self.loop.time()
        if not self.waits or self._of is not self.cycle:
            self.since, self._of = now, self.cycle
        elif now - self.since > PATIENCE:
            self.transport.abort()

    def shutdown(self) -> None:
        """End it, at once where it waits."""
        if self.waits:
            self.transport.abort()
        else:
            super().shutdown()


def speaking(tls: ssl.SSLContext | None) -> type[Connection]:
    """Connections over TLS, or without."""

    class Spoken(Connection):
        pass

    Spoken.tls = tls
    return Spoken
