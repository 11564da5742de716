"""A WinRM service over real sockets: HTTP and HTTPS, a sign-in for each connection."""

import asyncio
import ssl
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape

from aiohttp import web

from arcferry_lab.hosts.windows.winrm import soap
from arcferry_lab.hosts.windows.winrm.encryption import NotDecryptedError, decrypt, encrypt, protocol_of
from arcferry_lab.hosts.windows.winrm.faultwords import (
    ACCESS_DENIED,
    INVALID_RESOURCE,
    NOT_SUPPORTED,
    WsManFault,
)
from arcferry_lab.hosts.windows.winrm.programs import Computer
from arcferry_lab.hosts.windows.winrm.settings import WinRmSettings
from arcferry_lab.hosts.windows.winrm.shells import ACTIONS, Shells
from arcferry_lab.hosts.windows.winrm.sign_in import Connection, Directory, RefusedError, schemes
from arcferry_lab.pki import Authority

HTTP_PORT = 5985
HTTPS_PORT = 5986
_SERVER = "Microsoft-HTTPAPI/2.0"
_WRAPPING = 4096
_VERSION = "10.0.20348"


class WinRmServer:
    """One server's service.

    Attributes:
        settings: what it is set to; `change` sets it anew.
        directory: who may sign in.
        shells: those that are open.
        issuer: the CA that its certificate is of; taken at the next start.
        ports: where it listens, by whether it is TLS.
    """

    def __init__(
        self,
        computer: Computer,
        directory: Directory,
        settings: WinRmSettings,
        authority: Authority,
        ports: tuple[int, int] = (HTTP_PORT, HTTPS_PORT),
    ) -> None:
        """A service that does not run yet.

        Args:
            computer: where programs run.
            directory: who may sign in.
            settings: what it is set to.
            authority: the CA of its certificate, and of the client certificates that it takes.
            ports: for HTTP and HTTPS; 0 for any.
        """
        self.settings = settings
        self.directory = directory
        self.shells = Shells(computer, lambda: self.settings)
        self.issuer = authority
        self.ports: dict[bool, int] = {False: ports[0], True: ports[1]}
        self._authority = authority
        self._computer = computer
        self._connections: WeakKeyDictionary[asyncio.Transport, Connection] = WeakKeyDictionary()
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Listen where the settings say."""
        # who hangs up waits for no answer: the output that it asked for is the next one's
        server = web.Server(self._answer, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0)
        await self._runner.setup()
        for secure in (False, True):
            if secure and not self.settings.https:
                continue
            context = self._tls() if secure else None
            site = web.TCPSite(
                self._runner,
                self._computer.address,
                self.ports[secure],
                ssl_context=context,
                reuse_address=True,
            )
            await site.start()
            listening: Any = site._server  # noqa: SLF001 - aiohttp tells the port of no site of several
            self.ports[secure] = listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every port, connection and shell."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None
            for transport in list(self._connections):
                transport.abort()  # TLS would wait for the client's goodbye
            await asyncio.sleep(0)  # sockets are closed at the loop's next turn
        await self.shells.close()

    def change(self, **settings: object) -> None:
        """Set something anew."""
        self.settings = replace(self.settings, **settings)  # type: ignore[arg-type] # as dataclasses check it

    async def restart(self) -> None:
        """Start again on the same ports; connections and shells are gone."""
        await self.stop()
        await self.start()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.settings.silent:
            await asyncio.Event().wait()
        if request.path.rstrip("/") != "/wsman" or request.method != "POST":
            return _plain(404 if request.method == "POST" else 405)
        try:
            body = await self._read(request)
        except web.HTTPRequestEntityTooLarge:
            return _plain(413)
        if request.headers.get("WSMANIDENTIFY", "").lower() == "unauthenticated":
            return _soap(200, soap.identity(version="0.0.0"))
        connection = self._connection(request)
        try:
            back = self._signed_in(request, connection)
        except RefusedError:
            return self._refused(connection)
        if connection.account is None:
            response = _plain(401)
        else:
            response = await self._message(request, connection, body) if body else _plain(200)
        if back:
            response.headers["WWW-Authenticate"] = back
        return response

    async def _read(self, request: web.BaseRequest) -> bytes:
        most = self.settings.max_envelope_kb * 1024 + _WRAPPING
        if (request.content_length or 0) > most:
            raise web.HTTPRequestEntityTooLarge(most, request.content_length or 0)
        return await request.read()

    def _tls(self) -> ssl.SSLContext:
        name = self._computer.name
        context = self.issuer.server_context(
            [f"{name}.{self._computer.domain}", name, self._computer.address]
        )
        context.load_verify_locations(cadata=self._authority.pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _connection(self, request: web.BaseRequest) -> Connection:
        transport = request.transport
        if transport is None:
            raise web.HTTPBadRequest
        if transport not in self._connections:
            tls = transport.get_extra_info("ssl_object")
            self._connections[transport] = Connection(
                address=request.remote or "",
                certificate=(tls.getpeercert(binary_form=True) or b"") if tls else b"",
                tls=tls is not None,
            )
        return self._connections[transport]

    def _signed_in(self, request: web.BaseRequest, connection: Connection) -> str:
        header = request.headers.get("Authorization", "")
        if header:
            return connection.sign_in(header, self.directory, self.settings)
        if connection.account is None:
            raise RefusedError
        return ""

    def _refused(self, connection: Connection) -> web.Response:
        connection.account = None
        response = _plain(401)
        for scheme in schemes(self.settings, tls=connection.tls):
            response.headers.add("WWW-Authenticate", scheme)
        return response

    async def _message(self, request: web.BaseRequest, connection: Connection, body: bytes) -> web.Response:
        """Answer what a client that signed in sent, encrypted as it was."""
        context = connection.context
        protocol = protocol_of(request.headers.get("Content-Type", ""))
        if protocol:
            if context is None:
                return _plain(400)
            try:
                body = decrypt(body, context)
            except NotDecryptedError:
                return _plain(400)
        elif not connection.tls and not self.settings.allow_unencrypted:
            return _plain(500)
        if len(body) > self.settings.max_envelope_kb * 1024:
            return _plain(413)
        status, document = await self._envelope(body, connection, f"{request.scheme}://{request.host}/wsman")
        if not protocol or context is None:
            return _soap(status, document)
        kind, sealed = encrypt(document, context, protocol)
        return _plain(status, sealed, kind)

    async def _envelope(self, body: bytes, connection: Connection, place: str) -> tuple[int, bytes]:
        message_id = ""
        language = self.settings.language
        try:
            request = soap.read(body)
            message_id = request.message_id
            if request.body is not None and request.body.tag == f"{{{soap.IDENTITY}}}Identify":
                return 200, soap.identity(version=_VERSION)
            return 200, soap.answer(request, await self._act(request, connection, place), language)
        except WsManFault as error:
            return 500, soap.fault(message_id, error, language, self._computer.name.upper())

    async def _act(self, request: soap.Request, connection: Connection, place: str) -> str:
        account = connection.account
        if account is None or not self.settings.may_manage(account):
            raise WsManFault(ACCESS_DENIED)
        if request.resource == soap.CONFIG and request.action == f"{soap.TRANSFER}/Get":
            return self._config()
        if request.resource not in {soap.COMMAND_SHELL, soap.SHELL}:
            raise WsManFault(INVALID_RESOURCE)
        longest = self.settings.max_timeout_ms / 1000
        limit = min(longest if request.timeout is None else request.timeout, longest)
        name = request.action.removeprefix(f"{soap.TRANSFER}/").removeprefix(f"{soap.SHELL}/")
        if name == "Create":
            return await self.shells.create(request, account, connection.address, place)
        if name not in ACTIONS:
            raise WsManFault(NOT_SUPPORTED)
        return await ACTIONS[name](self.shells, request, account, limit)

    def _config(self) -> str:
        settings = self.settings
        return (
            f'<cfg:Config xmlns:cfg="{soap.CONFIG}" xml:lang="{escape(settings.language)}">'
            f"<cfg:MaxEnvelopeSizekb>{settings.max_envelope_kb}</cfg:MaxEnvelopeSizekb>"
            f"<cfg:MaxTimeoutms>{settings.max_timeout_ms}</cfg:MaxTimeoutms>"
            "<cfg:MaxBatchItems>32000</cfg:MaxBatchItems>"
            "<cfg:MaxProviderRequests>4294967295</cfg:MaxProviderRequests></cfg:Config>"
        )


def _plain(status: int, body: bytes = b"", kind: str = "") -> web.Response:
    headers = {"Server": _SERVER} | ({"Content-Type": kind} if kind else {})
    return web.Response(status=status, body=body, headers=headers)


def _soap(status: int, document: bytes) -> web.Response:
    return _plain(status, document, "application/soap+xml;charset=UTF-8")
