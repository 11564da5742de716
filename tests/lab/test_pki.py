import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import load_pem_x509_certificate

from arcferry_lab.pki import Authority, Leaf

NAMES = ["management.azure.com", "*.his.arc.azure.com", "127.0.0.1"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> dict[str, object]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server)
    port = listener.sockets[0].getsockname()[1]
    async with listener:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        certificate = writer.get_extra_info("peercert")
        writer.write(b"x")
        writer.close()
        await writer.wait_closed()
    return dict(certificate)


@pytest.mark.parametrize("name", ["management.azure.com", "ea.his.arc.azure.com", "127.0.0.1"])
async def test_a_strict_client_accepts_each_of_the_names(authority: Authority, name: str) -> None:
    client = authority.client_context()
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    certificate = await handshake(authority.server_context(NAMES), client, name)
    assert certificate["issuer"] == ((("commonName", "arcferry twin CA"),),)


@pytest.mark.parametrize("name", ["example.com", "a.b.his.arc.azure.com", "127.0.0.2"])
async def test_another_name_is_refused(authority: Authority, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"doesn't match|is not valid for"):
        await handshake(authority.server_context(NAMES), authority.client_context(), name)


async def test_an_expired_certificate_is_refused_as_expired(authority: Authority) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    server = authority.server_context(["localhost"], not_after=past)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        await handshake(server, authority.client_context(), "localhost")


async def test_another_authority_is_not_trusted(authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(authority.server_context(["localhost"]), Authority().client_context(), "localhost")


async def test_a_client_certificate_carries_its_name_and_is_for_clients_alone(authority: Authority) -> None:
    leaf = authority.issue(["0b5c-vm"], client=True)
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    assert certificate.subject.rfc4514_string() == "CN=0b5c-vm"
    server = authority.server_context(["localhost"])
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(cadata=authority.pem.decode())
    assert await handshake(server, authority.client_context(leaf), "localhost")


def test_a_key_is_not_shown(authority: Authority) -> None:
    leaf = authority.issue(["localhost"])
    assert "PRIVATE" not in repr(leaf)
    assert isinstance(leaf, Leaf)


async def test_a_chain_holds_with_the_ca_between_and_not_without(authority: Authority) -> None:
    issuing = Authority("issuing CA", above=authority)
    client = authority.client_context()
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    whole = issuing.server_context(["localhost"], send=issuing.pem)
    certificate = await handshake(whole, client, "localhost")
    assert certificate["issuer"] == ((("commonName", "issuing CA"),),)
    assert "caIssuers" in certificate
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        await handshake(issuing.server_context(["localhost"]), client, "localhost")


def test_both_numbers_of_a_signature_fill_their_bytes(authority: Authority) -> None:
    for _ in range(600):  # by chance, one of 64 would not
        signed = load_pem_x509_certificate(authority.issue(["a.example"]).certificate_pem)
        assert min(number.bit_length() for number in decode_dss_signature(signed.signature)) > 248
