"""Where it listens, how it begins and how it ends."""

import asyncio
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.serve import made
from tests.serve.conftest import TOKEN

from arcferry.errors import ArcferryError
from arcferry.serve.server import Tls, listening
from arcferry_lab.pki import Authority


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("a test's own CA")


def tls(authority: Authority, folder: Path, *names: str) -> Tls:
    leaf = authority.issue(list(names))
    (folder / "cert.pem").write_bytes(leaf.certificate_pem)
    (folder / "key.pem").write_bytes(leaf.key_pem)
    return Tls(folder / "cert.pem", folder / "key.pem")


@pytest.mark.parametrize(
    ("address", "says"),
    [("0.0.0.0", "listen in"), ("10.9.8.7", "listen in"), ("::", "listen in"), ("localhost", "no address")],
)
def test_where_others_could_listen_in_it_does_not_begin(address: str, says: str) -> None:
    with pytest.raises(ArcferryError, match=says) as caught, listening(address, 0, None):
        pass
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_a_port_that_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ArcferryError, match=f"port {port} on 127.0.0.1 is taken") as caught:
            with listening("127.0.0.1", port, None):
                pass
    assert "--port" in caught.value.hint


def test_names_are_those_of_the_certificate(authority: Authority, tmp_path: Path) -> None:
    with listening("0.0.0.0", 0, tls(authority, tmp_path, "arc.example.net", "10.0.0.1")) as where:
        assert where.site.names == {"arc.example.net", "10.0.0.1"}
        assert where.site.secure
        assert where.url.startswith("https://")


@pytest.mark.parametrize("broken", ["cert.pem", "key.pem"])
def test_a_certificate_that_cannot_be_used(authority: Authority, tmp_path: Path, broken: str) -> None:
    pair = tls(authority, tmp_path, "arc.example.net")
    (tmp_path / broken).write_text("hello")
    with pytest.raises(ArcferryError, match=r"\.pem") as caught, listening("0.0.0.0", 0, pair):
        pass
    assert caught.value.hint


@asynccontextmanager
async def command(state: Path, *more: str, token: str = TOKEN) -> AsyncIterator[asyncio.subprocess.Process]:
    file = state / "token"
    file.write_text(token)
    file.chmod(0o600)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "arcferry", "serve", "--port", "0", "--state", str(state),
        "--token-file", str(file), *more,
        env=os.environ, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_ctrl_c_ends_it_although_a_page_is_open(tmp_path: Path) -> None:
    made.story(tmp_path)
    async with command(tmp_path) as process, asyncio.timeout(60):
        assert process.stderr
        url = (await process.stderr.readline()).decode().split()[-1]
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            given = {"data": {"token": TOKEN}, "headers": {"Sec-Fetch-Site": "same-origin"}}
            async with http.post(f"{url}sign-in", **given) as answer:
                assert answer.status == 200
            async with http.get(f"{url}runs/{made.RUN}/events") as page:
                assert (await page.content.readline()).startswith(b"event: counts")
                process.send_signal(signal.SIGINT)
                while await page.content.readline():
                    pass
        told = (await process.stderr.read()).decode()
        assert (await process.wait(), "Traceback" in told, TOKEN in told) == (130, False, False)


@pytest.mark.parametrize(
    ("token", "more", "says"),
    [
        ("short", (), "can be guessed"),
        (TOKEN, ("--tls-cert", "x"), "belong together"),
        (TOKEN, ("--listen", "0.0.0.0"), "listen in"),
    ],
)
async def test_what_is_refused_at_the_command_line(
    tmp_path: Path, token: str, more: tuple[str, ...], says: str
) -> None:
    async with command(tmp_path, *more, token=token) as process, asyncio.timeout(60):
        _, told = await process.communicate()
    assert (process.returncode, says in told.decode(), "hint:" in told.decode()) == (2, True, True)


async def test_over_tls_the_cookie_goes_nowhere_else(authority: Authority, tmp_path: Path) -> None:
    pair = tls(authority, tmp_path, "127.0.0.1")
    more = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    context = ssl.create_default_context(cadata=authority.pem.decode())
    async with command(tmp_path, *more) as process, asyncio.timeout(60):
        assert process.stderr
        url = (await process.stderr.readline()).decode().split()[-1]
        async with aiohttp.ClientSession() as http:
            given = {"data": {"token": TOKEN}, "headers": {"Sec-Fetch-Site": "same-origin"}}
            async with http.post(f"{url}sign-in", ssl=context, allow_redirects=False, **given) as answer:
                cookie = answer.headers["Set-Cookie"]
                assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert cookie.startswith("__Host-arcferry=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
