"""A mail server as small as RFC 5321 lets it be, with STARTTLS or TLS from the first byte."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """What it was given, and how it behaves.

    Attributes:
        tls: by which it answers STARTTLS; not offered where None.
        refuses: recipients that it does not take.
        login: user and password that it wants before a mail.
    """

    tls: ssl.SSLContext | None = None
    refuses: frozenset[str] = frozenset()
    login: tuple[str, str] | None = None
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self, context: ssl.SSLContext | None = None) -> AsyncIterator["MailServer"]:
        server = await asyncio.start_server(self._careful, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _careful(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._session(reader, writer)
        writer.transport.abort()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def answer(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())

        answer("220 mail.example ready")
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            verb = line.upper().partition(" ")[0]
            secure = writer.get_extra_info("ssl_object") is not None
            if verb == "EHLO":
                offered = ["STARTTLS"] if self.tls and not secure else []
                offered += ["AUTH PLAIN"] if self.login else []
                lines = ["mail.example", *offered, "8BITMIME"]
                answer(*(f"250-{one}" for one in lines[:-1]), f"250 {lines[-1]}")
            elif verb == "STARTTLS" and self.tls:
                answer("220 go ahead")
                await writer.drain()
                await writer.start_tls(self.tls)
            elif verb == "AUTH":
                given = base64.b64decode(line.split()[2]).decode().split("\0")[1:]
                answer("235 welcome" if tuple(given) == self.login else "535 not with that password")
            elif verb == "RCPT" and any(one in line for one in self.refuses):
                answer("550 nobody here by that name")
            elif verb == "DATA":
                answer("354 go on")
                raw = await reader.readuntil(b"\r\n.\r\n")
                mail = message_from_bytes(raw[:-5] + b"\r\n", policy=policy.default)
                assert isinstance(mail, EmailMessage)
                self.mails.append(mail)
                self.encrypted.append(secure)
                answer("250 taken")
            else:
                answer("221 bye" if verb == "QUIT" else "250 fine")
            await writer.drain()
