"""Where it listens, how it begins and how it ends."""

import asyncio
import signal
import socket
import ssl
import sys
from pathlib import Path

import aiohttp
import pytest
from tests.serve import made
from tests.serve.conftest import TOKEN, Served, tls

from arcferry.cli import serve as command
from arcferry.errors import ArcferryError
from arcferry.serve.server import listening
from arcferry_lab.pki import Authority

OWN = {"Sec-Fetch-Site": "same-origin"}


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
        taken = pytest.raises(ArcferryError, match=f"port {port} on 127.0.0.1 is taken")
        with taken as caught, listening("127.0.0.1", port, None):
            pass
    assert "--listen-port" in caught.value.hint


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


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o600)
    return path


async def test_ctrl_c_ends_it_although_a_page_is_open(tmp_path: Path, token: Path) -> None:
    made.story(tmp_path)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "arcferry", "serve", "--listen-port", "0", "--state", tmp_path,
        "--page-token", token,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            assert process.stderr
            url = (await process.stderr.readline()).decode().split()[-1]
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
                async with http.post(f"{url}sign-in", data={"token": TOKEN}, headers=OWN) as answer:
                    assert answer.status == 200
                async with http.get(f"{url}runs/{made.RUN}/events") as page:
                    assert (await page.content.readline()).startswith(b"event: counts")
                    process.send_signal(signal.SIGINT)
                    while await page.content.readline():
                        pass
            told = (await process.stderr.read()).decode()
            assert (await process.wait(), "Traceback" in told, TOKEN in told) == (130, False, False)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def test_a_token_that_can_be_guessed_is_refused(token: Path) -> None:
    token.write_text("short")
    with pytest.raises(ArcferryError, match="can be guessed"):
        command.serve(token_file=token, port=0)


def test_a_token_is_never_told_where_no_terminal_is() -> None:
    with pytest.raises(ArcferryError, match="a log is no place") as caught:
        command.serve(port=0)
    assert caught.value.hint == "Give --page-token."


def test_a_certificate_and_its_key_belong_together(token: Path) -> None:
    with pytest.raises(ArcferryError, match="belong together"):
        command.serve(token_file=token, tls_cert=token, port=0)


async def test_over_tls_the_cookie_goes_nowhere_else(authority: Authority, secured: Served) -> None:
    context = ssl.create_default_context(cadata=authority.pem.decode())
    given = {"data": {"token": TOKEN}, "headers": OWN, "ssl": context, "allow_redirects": False}
    async with secured.http.post(f"{secured.url}/sign-in", **given) as answer:
        cookie = answer.headers["Set-Cookie"]
        assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert cookie.startswith("__Host-arcferry=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
