"""Where it listens, how it begins and how it ends."""

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from tests.serve import made
from tests.serve.conftest import TOKEN, Served, serving, tls

from arcferry.cli import serve as command
from arcferry.errors import ArcferryError
from arcferry.serve.server import Tls, listening
from arcferry_lab.pki import Authority

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("0.0.0.0", "listen in"),
        ("10.9.8.7", "listen in"),
        ("::", "listen in"),
        ("[fe80::1]", "listen in"),
        ("localhost", "no address"),
        ("", "no address"),
        ("[127.0.0.1", "no address"),
        ("[::1]:8443", "holds a port too"),
        ("127.0.0.1:8443", "holds a port too"),
    ],
)
def test_where_others_could_listen_in_it_does_not_begin(address: str, says: str) -> None:
    with pytest.raises(ArcferryError, match=says) as caught, listening(address, 0, None):
        pass
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("address", "host"),
    [("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("::1", "[::1]"), ("[::1]", "[::1]")],
)
def test_its_address_is_the_one_that_it_listens_on(address: str, host: str) -> None:
    with listening(address, 0, None) as where:
        assert where.url == f"http://{host}:{where.site.port}/"
        assert where.site.is_called(f"{host}:{where.site.port}")


async def test_it_serves_over_ipv6(tmp_path: Path) -> None:
    async with serving(tmp_path, address="[::1]") as served:
        assert served.url.startswith("http://[::1]:")
        await served.sign_in()
        assert (await served.get("/"))[0] == 200


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


def locked(pem: bytes, form: PrivateFormat) -> bytes:
    return load_pem_private_key(pem, None).private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"word"))


def of_an_unknown_kind(pem: bytes) -> str:
    """The certificate with a key of a kind that nobody knows."""
    ecc = bytes.fromhex("2a8648ce3d0201")
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    return ssl.DER_cert_to_PEM_cert(der.replace(ecc, ecc[:-1] + b"\x7f"))


Damage = Callable[[Authority, Tls], object]
UNUSABLE: list[tuple[Damage, str, str, str]] = [
    (lambda _, pair: pair.certificate.write_text("hello"), "cert.pem", "holds no certificate", "both as PEM"),
    (lambda _, pair: pair.key.write_text("hello"), "key.pem", "holds no private key in PEM", "both as PEM"),
    (lambda _, pair: pair.key.unlink(), "key.pem", "No such file", ""),
    (lambda _, pair: pair.certificate.unlink(), "cert.pem", "no such file", ""),
    (
        lambda ca, pair: pair.key.write_bytes(ca.issue(["arc.example.net"]).key_pem),
        "key.pem", "is not the key of the certificate in", "asked for",
    ),
    (
        lambda _, pair: pair.key.write_bytes(locked(pair.key.read_bytes(), PrivateFormat.PKCS8)),
        "key.pem", "locked with a password", "openssl pkey -in",
    ),
    (
        lambda _, pair: pair.key.write_bytes(locked(pair.key.read_bytes(), PrivateFormat.TraditionalOpenSSL)),
        "key.pem", "locked with a password", "openssl pkey -in",
    ),
    (
        lambda _, pair: pair.certificate.write_text(of_an_unknown_kind(pair.certificate.read_bytes())),
        "key.pem", "cannot be used with .*cert.pem: ", "both as PEM",
    ),
    (lambda _, pair: pair.key.chmod(0o640), "key.pem", "can be read by others", "chmod 600"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "file", "says", "way_out"), UNUSABLE)
def test_a_certificate_and_a_key_that_cannot_be_used(  # noqa: PLR0917  # one row of the table
    authority: Authority, tmp_path: Path, damage: Damage, file: str, says: str, way_out: str
) -> None:
    pair = tls(authority, tmp_path, "arc.example.net")
    damage(authority, pair)
    refused = pytest.raises(ArcferryError, match=rf"{file}: .*{says}")
    with refused as caught, listening("0.0.0.0", 0, pair):
        pass
    assert way_out in caught.value.hint
    assert caught.value.exit_code == 2


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
