"""A gate: one address of the twin, where a service answers while a route to it exists."""

import asyncio
import errno
import socket
import ssl
from contextlib import suppress
from weakref import WeakSet

from aiohttp import web

from arcferry_lab.errors import LabError
from arcferry_lab.network.tls_faults import FaultyServer

_BACKLOG = 256
# How long a request under way may go on when its connection is cut; aiohttp takes 0 for ever.
_CUT_SECONDS = 0.01


class Gate:
    """An address that is open, closed or refusing, and changes between these while clients knock.

    Open, connections are served: by the service, or by a faulty server in its place. Closed, the address
    behaves as one without a route: a client's connection attempts are dropped, and time out. Linux drops a
    SYN while the queue of connections that wait to be accepted is full; so the gate's queue is made as short
    as it can be, and filled with one connection of its own. Refusing, nothing listens, and attempts are
    reset.

    Connections that are open while a gate changes are cut, since no packet would reach them any more; so are
    those whose TLS handshake is under way.
    """

    def __init__(
        self,
        address: str,
        port: int,
        app: web.Application,
        context: ssl.SSLContext,
        listener: socket.socket | None = None,
    ) -> None:
        """A gate at an address of this process's own, or at a `listener` that listens in a namespace.

        There the routers decide who gets to it, so that such a gate is open from its start on.
        """
        self.address = address
        self.port = port
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CUT_SECONDS)
        self._context = context
        self._socket = listener
        self._stopper: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._entering: dict[asyncio.Task[None], socket.socket] = {}
        self._faulty: type[FaultyServer] | None = None
        self._faulty_protocols: WeakSet[FaultyServer] = WeakSet()

    @property
    def is_open(self) -> bool:
        """Whether a client that connects now is served, by whomever."""
        return self._accepting is not None

    async def start(self) -> None:
        """Take the address, closed; serve at a listener that was given.

        Raises:
            LabError: the address and port are in use, or not allowed.
        """
        await self._runner.setup()
        if self._socket is None:
            self._block(self._listener())
        else:
            await self.open()

    async def open(self, faulty: type[FaultyServer] | None = None) -> None:
        """Serve; a client whose attempts were dropped until now gets through with its next one.

        Args:
            faulty: what answers instead of the service.
        """
        if self._accepting is not None:
            if self._faulty is faulty:
                return
            await self._stop_serving()
        listener = self._listener()
        self._unblock(listener)
        self._faulty = faulty
        listener.listen(_BACKLOG)
        self._accepting = asyncio.create_task(self._accept(listener))

    def admit(self, connection: socket.socket) -> None:
        """Serve a connection, also one that came another way than through the address, open or not."""
        entering = asyncio.create_task(self._enter(connection))
        self._entering[entering] = connection
        entering.add_done_callback(self._entering.pop)

    async def close(self) -> None:
        """Stop serving and drop every connection and every further attempt."""
        if self._stopper is None:
            await self._stop_serving()
            self._block(self._listener())

    async def refuse(self) -> None:
        """Stop serving and reset every connection and every further attempt."""
        await self._stop_serving()
        for one in (self._stopper, self._socket):
            if one is not None:
                one.close()
        self._stopper = self._socket = None

    async def stop(self) -> None:
        """Give the address back."""
        await self.refuse()
        await self._runner.cleanup()

    def _listener(self) -> socket.socket:
        if self._socket is None:
            listener = socket.socket()
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((self.address, self.port))
            except OSError as error:
                listener.close()
                raise LabError(f"cannot listen on {self.address}:{self.port}: {error.strerror}") from error
            listener.setblocking(False)
            self._socket = listener
        return self._socket

    # Not asyncio's server: it tells of no connection before its handshake is done, so that none could be cut.
    async def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            self.admit(connection)

    async def _enter(self, connection: socket.socket) -> None:
        with suppress(OSError):  # of a client that goes, or whose TLS goes no further
            await asyncio.get_running_loop().connect_accepted_socket(
                self._faulty_protocol if self._faulty else self._handler,
                connection,
                ssl=None if self._faulty else self._context,
            )

    def _handler(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None:
            raise LabError(f"{self.address} is being stopped")
        return server()

    def _faulty_protocol(self) -> asyncio.Protocol:
        if self._faulty is None:
            raise LabError(f"{self.address} is being changed")
        made = self._faulty()
        self._faulty_protocols.add(made)
        return made

    async def _stop_serving(self) -> None:
        accepting, self._accepting = self._accepting, None
        if accepting:
            accepting.cancel()
            await asyncio.wait([accepting])
        for entering in self._entering.values():
            with suppress(OSError):
                entering.shutdown(socket.SHUT_RDWR)
        await asyncio.gather(*self._entering)
        self._faulty = None
        for faulty in list(self._faulty_protocols):
            faulty.cut()
        if self._runner.server:
            for connection in self._runner.server.connections:
                if connection.transport:
                    connection.transport.abort()
            await self._runner.server.shutdown(timeout=_CUT_SECONDS)

    def _block(self, listener: socket.socket) -> None:
        listener.listen(0)
        self._stopper = socket.socket()
        self._stopper.setblocking(False)
        if self._stopper.connect_ex((self.address, self.port)) not in {0, errno.EINPROGRESS}:
            raise LabError(f"cannot close {self.address}:{self.port}")

    def _unblock(self, listener: socket.socket) -> None:
        if self._stopper is not None:
            self._stopper.close()
            self._stopper = None
        with suppress(OSError):
            while True:
                listener.accept()[0].close()
