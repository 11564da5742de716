"""The live page over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from arcferry.serve.retrying import Command
from arcferry.serve.server import Tls, listening, serve
from arcferry.serve.sessions import Sessions
from arcferry_lab.pki import Authority

TOKEN = "a-token-of-a-test-0123456789"


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority("a test's own CA")


def tls(authority: Authority, folder: Path, *names: str) -> Tls:
    leaf = authority.issue(list(names))
    (folder / "cert.pem").write_bytes(leaf.certificate_pem)
    (folder / "key.pem").touch(0o600)
    (folder / "key.pem").write_bytes(leaf.key_pem)
    return Tls(folder / "cert.pem", folder / "key.pem")


@dataclass
class Served:
    """A server, and a browser's cookies."""

    url: str
    sessions: Sessions
    http: aiohttp.ClientSession
    state: Path
    headers: dict[str, str] = field(default_factory=lambda: {"Sec-Fetch-Site": "same-origin"})

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.http.get(self.url + path, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, data: dict[str, str] | bytes, **headers: str) -> tuple[int, str]:
        async with self.http.post(
            self.url + path, data=data, headers=self.headers | headers, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text()

    async def sign_in(self) -> None:
        assert (await self.post("/sign-in", {"token": TOKEN}))[0] == 303

    async def csrf(self, path: str = "/") -> str:
        return (await self.get(path))[1].partition('name="csrf" value="')[2].partition('"')[0]


@asynccontextmanager
async def serving(
    state: Path,
    *,
    allow_actions: bool = False,
    tls: Tls | None = None,
    retry: Command | None = None,
    address: str = "127.0.0.1",
) -> AsyncIterator[Served]:
    sessions = Sessions(TOKEN)
    async with AsyncExitStack() as stack:
        where = stack.enter_context(listening(address, 0, tls))
        begun = asyncio.Event()
        task = asyncio.create_task(
            serve(where, state, sessions, allow_actions=allow_actions, retry=retry, ready=begun.set)
        )
        await begun.wait()
        jar = aiohttp.CookieJar(unsafe=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        try:
            yield Served(where.url.removesuffix("/"), sessions, http, state)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server that only shows, signed in to."""
    async with serving(tmp_path) as one:
        await one.sign_in()
        yield one


@pytest.fixture
async def acting(tmp_path: Path) -> AsyncIterator[Served]:
    """One that may act."""
    async with serving(tmp_path, allow_actions=True) as one:
        await one.sign_in()
        yield one


@pytest.fixture
async def secured(authority: Authority, tmp_path: Path) -> AsyncIterator[Served]:
    """One over TLS."""
    async with serving(tmp_path, tls=tls(authority, tmp_path, "127.0.0.1")) as one:
        yield one
