"""A service, and the company's proxy, behind sockets that were opened inside a namespace."""

import asyncio
import socket
import ssl

from aiohttp import web

from arcferry_lab.network.gate import Gate
from arcferry_lab.network.proxy import ConnectProxy


class Stand(Gate):
    """A service at an address inside a namespace; the routers decide who reaches it, so it is always open."""

    def __init__(self, listener: socket.socket, app: web.Application, context: ssl.SSLContext) -> None:
        address, port = listener.getsockname()
        super().__init__(address, port, app, context)
        self._socket = listener

    async def start(self) -> None:
        """Serve."""
        await self._runner.setup()
        await self.open()


class InnerProxy(ConnectProxy):
    """A proxy that listens inside a namespace."""

    async def serve(self, listener: socket.socket) -> None:
        """Serve on a socket, which goes with the proxy."""
        self._server = await asyncio.start_server(self._serve, sock=listener)
