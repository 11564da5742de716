"""A host that does not answer as the inventory says: which way does, and what is to be written there."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from ipaddress import ip_address
from itertools import count

import pytest

from arcferry.errors import HostUnreachableError
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport import SignIn, open_session
from arcferry.fleet.transport.ways import with_other_ways

from .conftest import Sshd, free_port

Listen = Callable[..., Awaitable[str]]
_ADDRESSES = count(int(ip_address("127.61.0.1")) + os.getpid() % 50_000 * 16)


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Listens on ports of an address of its own, and says a line to who comes."""
    if os.getuid() != 0:
        pytest.skip("needs root: ports below 1024")
    async with AsyncExitStack() as stack:

        async def start(**greetings: bytes) -> str:
            address = str(ip_address(next(_ADDRESSES)))
            for port, greeting in greetings.items():

                def greet(_: object, writer: asyncio.StreamWriter, line: bytes = greeting) -> None:
                    writer.write(line)
                    writer.close()

                server = await asyncio.start_server(greet, address, int(port.removeprefix("p")))
                await stack.enter_async_context(server)
            return address

        yield start


FAILED = HostUnreachableError("web01: refused", hint="Own hint.")
SSH = b"SSH-2.0-OpenSSH_for_Windows_9.5\r\n"


@pytest.mark.parametrize(
    ("listening", "at", "says", "write"),
    [
        (
            {"p5985": b""},
            ("ssh", 22),
            "WinRM answers at its address, on port 5985",
            "transport winrm and port 5985",
        ),
        ({"p5985": b"", "p5986": b""}, ("ssh", 22), "on port 5986", "transport winrm and port 5986"),
        (
            {"p22": SSH},
            ("winrm", 5986),
            "SSH answers at its address, on port 22",
            "transport ssh and port 22",
        ),
        ({"p5985": b""}, ("winrm", 5986), "WinRM answers at its address, on port 5985", "port 5985"),
        ({"p22": SSH, "p5985": b""}, ("ssh", 2222), "SSH answers at its address, on port 22", "port 22"),
        ({"p22": b"HTTP/1.1 400 no\r\n"}, ("winrm", 5986), "neither SSH nor WinRM", "Configuration Manager"),
        ({"p22": b"no SSH here"}, ("ssh", 22), "neither SSH nor WinRM answers", "START-HERE"),
        ({"p22": b""}, ("ssh", 22), "neither SSH nor WinRM answers", "START-HERE"),
        ({}, ("ssh", 22), "(ports 22, 5985 and 5986)", "Group Policy, Configuration Manager or Intune"),
        ({}, ("ssh", 2222), "(ports 22, 2222, 5985 and 5986)", "Intune"),
        ({}, ("winrm", 5985), "(ports 22, 5985 and 5986)", "by hand"),
        ({}, ("winrm", 0), "(ports 22, 5985 and 5986)", "by hand"),
        ({"p22": SSH}, ("winrm", 22), "SSH answers at its address, on port 22", "transport ssh and port 22"),
        ({"p22": SSH, "p5986": b""}, ("ssh", 5986), "WinRM answers", "transport winrm and port 5986"),
        ({"p2222": SSH}, ("winrm", 2222), "SSH answers at its address, on port 2222", "to stay with WinRM:"),
        ({"p22": SSH}, ("winrm", 0), "SSH answers at its address, on port 22", "transport ssh and port 22"),
    ],
)
async def test_what_answers_instead(
    listen: Listen, listening: dict[str, bytes], at: tuple[str, int], says: str, write: str
) -> None:
    host = Host("web01", await listen(**listening), at[1], transport=at[0])
    error = await with_other_ways(host, FAILED)
    assert error.message.startswith("web01: refused; ")
    assert says in error.message
    assert write in error.hint
    assert error.hint.endswith("Own hint.")


@pytest.mark.parametrize(
    ("listening", "transport", "port"),
    [({"p22": SSH}, "ssh", 22), ({"p5985": SSH}, "ssh", 5985), ({"p77": b""}, "winrm", 77), ({}, "winrm", 0)],
)
async def test_a_host_that_answers_where_it_should(
    listen: Listen, listening: dict[str, bytes], transport: str, port: int
) -> None:
    host = Host("web01", await listen(**listening, p5986=b""), port, transport=transport)
    assert await with_other_ways(host, FAILED) is FAILED


@pytest.mark.parametrize("address", ["no-such-host.invalid", "a" * 64 + ".example", "x..y", "\u00ad.example"])
async def test_what_is_no_host(address: str) -> None:
    assert await with_other_ways(Host("web01", address), FAILED) is FAILED


async def test_an_address_that_swallows_everything_takes_three_seconds() -> None:
    """A queue that is full answers no more, as a firewall that drops does not."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        host = Host("web01", "127.0.0.1", full.getsockname()[1])
        started = time.monotonic()
        error = await with_other_ways(host, FAILED)
        assert "neither SSH nor WinRM" in error.message
        assert time.monotonic() - started < 5


async def test_a_session_that_cannot_be_opened_looks(sshd: Sshd) -> None:
    port = free_port()
    with pytest.raises(HostUnreachableError, match=r"refused.*; neither SSH nor WinRM answers") as caught:
        await open_session(Host("web01", "127.0.0.1", port), SignIn(ssh=sshd.trust()))
    assert "START-HERE.html" in caught.value.hint
