"""The twin's certificate authority: elliptic-curve keys, so that a certificate costs a millisecond."""

import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

_CA_LIFE = timedelta(days=30)
_LEAF_LIFE = timedelta(days=7)
_FULL = 256 - 8
"""Bits; each of a signature's two numbers has more, unless its first byte of 32 is empty."""
_USER_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_ISSUER_URL = "http://pki.twin.example/issuing-ca.crt"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate and its key, both PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)


class Authority:
    """A private CA. Everything it issues verifies against its root's `pem`, also under strict X.509 rules.

    Attributes:
        pem: its own certificate.
        url: where its leaves say that this certificate is to be had; empty where they say nothing.
    """

    def __init__(self, name: str = "arcferry twin CA", *, above: "Authority | None" = None) -> None:
        """A root, or a CA that the one above issues."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._signed_by(above or self, path_length=0 if above else 1)
        self.url = _ISSUER_URL if above else ""
        self.pem = self._certificate.public_bytes(Encoding.PEM)

    def issue(
        self,
        names: Sequence[str],
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        client: bool = False,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    ) -> Leaf:
        """A certificate for DNS names (wildcards allowed) and IP addresses; the first name is its CN.

        Args:
            names: at least one name; a client's names may be any text, such as a machine id; one with an @ is
                a user principal name, as Windows maps certificates to accounts by.
            not_before: the beginning of its life, also in the future; a day before now where None.
            not_after: the end of its life, also in the past; seven days from now where None.
            client: for a TLS client instead of a server.
            key: its own, where a client signs with RSA alone; a new one on a curve where None.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        end = not_after or datetime.now(UTC) + _LEAF_LIFE
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        start = not_before or min(datetime.now(UTC), end) - timedelta(days=1)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        builder = (
            self._builder(subject, key.public_key(), start, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
            )
        )
        if self.url:
            place = x509.UniformResourceIdentifier(self.url)
            issuer = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
            builder = builder.add_extension(x509.AuthorityInformationAccess([issuer]), critical=False)
        certificate = self._sign(builder)
        return Leaf(certificate.public_bytes(Encoding.PEM), private_key_pem(key))

    def server_context(
        self,
        names: Sequence[str],
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        send: bytes = b"",
    ) -> ssl.SSLContext:
        """A TLS 1.2+ server context with a fresh certificate for `names`, sent with those of `send` (PEM)."""
        context = bare_server_context()
        leaf = self.issue(names, not_before=not_before, not_after=not_after)
        load_leaf(context, Leaf(leaf.certificate_pem + send, leaf.key_pem))
        return context

    def client_context(self, leaf: Leaf | None = None) -> ssl.SSLContext:
        """A verifying TLS client context that trusts this CA alone, with `leaf` as its own certificate."""
        context = ssl.create_default_context(cadata=self.pem.decode())
        if leaf:
            load_leaf(context, leaf)
        return context

    def _signed_by(self, above: "Authority", *, path_length: int) -> x509.Certificate:
        # older than any leaf, so that an expired one is refused for its own dates and not for its issuer's
        start = datetime.now(UTC) - timedelta(days=8)
        end = datetime.now(UTC) + _CA_LIFE
        builder = above._builder(self._subject, self._key.public_key(), start, end)  # noqa: SLF001 - of this class
        return above._sign(  # noqa: SLF001 - of this class
            builder.add_extension(
                x509.BasicConstraints(ca=True, path_length=path_length), critical=True
            ).add_extension(_key_usage(digital_signature=True, signs_certificates=True), critical=True)
        )

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Signed so that Wine's crypt32 too can check it: 8.0's refuses a number that leaves a byte empty."""
        while True:
            certificate = builder.sign(self._key, hashes.SHA256())
            if min(number.bit_length() for number in decode_dss_signature(certificate.signature)) > _FULL:
                return certificate

    def _builder(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        start: datetime,
        end: datetime,
    ) -> x509.CertificateBuilder:
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(issuer_id, critical=False)
        )


def bare_server_context() -> ssl.SSLContext:
    """A TLS 1.2+ server context that has no certificate yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def load_leaf(context: ssl.SSLContext, leaf: Leaf) -> None:
    """Give a context its certificate; OpenSSL reads it from a private folder that is gone on return."""
    with tempfile.TemporaryDirectory(prefix="arcferry-") as folder:
        path = Path(folder) / "leaf.pem"
        path.write_bytes(leaf.certificate_pem + leaf.key_pem)
        context.load_cert_chain(path)


def new_rsa_key() -> rsa.RSAPrivateKey:
    """Costs as long as thirty certificates."""
    return rsa.generate_private_key(65537, 2048)


def private_key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """The key as unencrypted PKCS #8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _general_name(name: str) -> x509.GeneralName:
    if "@" in name:
        text = name.encode()
        # DER's UTF8String of less than 128 bytes: its tag, its length and itself
        return x509.OtherName(_USER_PRINCIPAL_NAME, bytes([0x0C, len(text)]) + text)
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, digital_signature: bool, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
