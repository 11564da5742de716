"""Connections that cannot be used against the others: one whose other end keeps it waiting is cut."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 256
"""Open connections of one server."""

PATIENCE = 10.0
"""Seconds for a request to come whole, and for what is sent to be taken."""


class Connection(H11Protocol):
    """Uvicorn's, which alone would wait for ever."""

    since = 0.0
    _of: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it up; where there are too many, the one that has waited longest gives way."""
        self.since = self.loop.time()
        super().connection_made(transport)
        if len(self.connections) > MOST:
            waiting = [one for one in self.connections if isinstance(one, Connection) and one.waits]
            min(waiting, key=lambda one: one.since, default=self).transport.abort()

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
