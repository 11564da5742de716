"""A closed network in a namespace of its own: `unshare -n python closed_network.py SPEC -- COMMAND`.

Brings up the loopback, serves names (DNS on 127.0.0.53) and TLS (port 443, an address a host), runs the
command, and ends with its status. A proxy listens on 127.0.0.80:3128; 198.51.100.0/24 never answers.

SPEC is JSON: "ca" is where the root's certificate goes, "seen" where every request goes, "hosts" says by
name what each "does", its "chain", "address" with those "also" answered, and "rcode"; "proxy" is what the
proxy does, and "ports" are taken on the loopback.
"""

import asyncio
import json
import ssl
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from arcferry_lab.network.dns import DnsResponse, DnsServer
from arcferry_lab.pki import Authority

RESOLVER, PROXY = "127.0.0.53", "127.0.0.80"
ROOT = Authority("Closed Network Root")
ISSUING = Authority("Closed Network Issuing", above=ROOT)
STRANGER = Authority("Contoso Inspection")
# Instead of a ServerHello: the alerts protocol_version and handshake_failure (RFC 8446, 6), and no TLS.
RECORDS = {"old": b"\x15\3\1\0\2\2F", "ciphers": b"\x15\3\3\0\2\2(", "banner": b"SSH-2.0-banner\r\n"}
DAY = timedelta(days=1)


class Network:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.hosts: dict[str, dict[str, Any]] = spec["hosts"]
        self.proxy: str = spec["proxy"]
        self.ports: list[int] = spec["ports"]
        self.seen = Path(spec["seen"])

    async def start(self) -> None:
        await DnsServer(self.name).start(RESOLVER, 53)
        for name, host in self.hosts.items():
            if address := host.get("address"):
                await self.serve(name, host.get("does", "answer"), address)
        if self.proxy:
            await asyncio.start_server(self.tunnel, PROXY, 3128)
        for port in self.ports:
            await asyncio.start_server(self.tunnel, "127.0.0.1", port)

    def name(self, name: str) -> DnsResponse | None:
        host = self.hosts.get(name, {"rcode": "NXDOMAIN"})
        if host.get("does") == "no-name-server":
            return None
        addresses = ((host["address"],) if "address" in host else ()) + tuple(host.get("also", ()))
        return DnsResponse(tuple(host.get("chain", ())), addresses, host.get("rcode", "NOERROR"))

    async def serve(self, name: str, does: str, address: str) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self.answer(does, reader, writer)
            writer.transport.abort()

        if does != "refuse":
            await asyncio.start_server(talk, address, 443, ssl=context(name, does))

    async def answer(self, does: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if does == "silent":
            await reader.read()
        if does in {"silent", "cut"}:
            return
        if does in RECORDS:
            await reader.read(4096)
            writer.write(RECORDS[does])
            await writer.drain()
            return
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0
        )
        body = await reader.readexactly(length)
        with self.seen.open("ab") as stream:
            stream.write(head + body + b"\n")
        if does == "mute":
            await reader.read()
        if does == "babble":
            writer.write(b"220 hello\r\n")
        elif does == "flood":
            writer.write(b"x" * 10_000_000)
        else:
            writer.write(reply(head, does))
        await writer.drain()

    async def tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        with self.seen.open("a") as stream:
            stream.write(head)
        does = self.proxy
        if does == "mute":
            await reader.read()
        host = self.hosts.get(head.split()[1].partition(":")[0], {})
        if does != "pass" or "address" not in host:
            writer.write(
                b"SSH-2.0-OpenSSH_9.2\r\n" if does == "ssh" else f"HTTP/1.1 {does} Sorry\r\n\r\n".encode()
            )
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection(host["address"], 443)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def context(name: str, does: str) -> ssl.SSLContext | None:
    now = datetime.now(UTC)
    if does in {"silent", "cut", *RECORDS}:
        return None
    if does == "inspected":
        return STRANGER.server_context([name], send=STRANGER.pem)
    names = ["another.example"] if does == "another" else [name, "*.example.net"]
    start, end = {"expired": (-2, -1), "early": (1, 2)}.get(does, (-1, 5))
    return ISSUING.server_context(
        names,
        not_before=now + start * DAY,
        not_after=now + end * DAY,
        send=b"" if does == "alone" else ISSUING.pem,
    )


def reply(head: bytes, does: str) -> bytes:
    body = b"{}"
    if b"/discovery?" in head:
        body = does.encode() if does != "answer" else b'"https://ea.his.arc.azure.com"'
    date = (datetime.now(UTC) - timedelta(seconds=300)).strftime("%a, %d %b %Y %H:%M:%S GMT").encode()
    status = b"404 Not Found" if b"GET / " in head else b"200 OK"
    return b"HTTP/1.1 %s\r\nDate: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, date, len(body), body)


async def main(spec: dict[str, Any], command: list[str]) -> int:
    await Network(spec).start()
    running = await asyncio.create_subprocess_exec(*command)
    return await running.wait()


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # The C library asks for no address of a family of which this system has none but the loopback's.
    subprocess.run(["ip", "address", "add", "10.20.30.40/32", "dev", "lo"], check=True)
    subprocess.run(["ip", "route", "add", "198.51.100.0/24", "dev", "lo"], check=True)
    settings = json.loads(Path(sys.argv[1]).read_text())
    if any(":" in address for host in settings["hosts"].values() for address in host.get("also", ())):
        subprocess.run(["ip", "address", "add", "2001:db8::40/128", "dev", "lo"], check=True)
    Path(settings["ca"]).write_bytes(ROOT.pem)
    subprocess.run(["openssl", "rehash", Path(settings["ca"]).parent], check=True, capture_output=True)
    sys.exit(asyncio.run(main(settings, sys.argv[3:])))
