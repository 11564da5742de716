"""Whom a TLS client of ours believes, and one session that proves who answers.

Where somebody else answers, the evidence is kept.

pyOpenSSL over memory buffers, because the standard library's `ssl` gives neither the certificate of a chain
that it refuses nor the verified chain's root; its issuer is what shows who inspects the traffic. The callback
lets the handshake end, and `problem` then tells what is wrong: nothing is sent before it was asked.
"""

import base64
import hashlib
import re
import ssl
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID
from OpenSSL import SSL, crypto

from arcferry import times, typed
from arcferry.errors import FileInputError
from arcferry.files import read_bounded
from arcferry.probe.observation import Failure, Stage, TlsSession
from arcferry.probe.step import StepError, failed, is_address
from arcferry.probe.tcp import Stream
from arcferry.text import one_line, quoted

_CA_FILE_LIMIT = 4 * 1024 * 1024
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Trust:
    """A context shared by all connections, and the fingerprints of the public web's roots."""

    context: SSL.Context
    public_roots: frozenset[bytes]

    def is_public(self, root: crypto.X509) -> bool:
        """Whether a chain's last certificate is one that the public web trusts."""
        der = crypto.dump_certificate(crypto.FILETYPE_ASN1, root)
        return hashlib.sha256(der).digest() in self.public_roots


def load_trust(more: Sequence[crypto.X509] = ()) -> Trust:
    """The trust of one run, `more` being CAs to believe too. Nothing here can turn verification off."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    public = Path(certifi.where())
    context.load_verify_locations(str(public))
    if sys.platform == "win32":
        for store in ("ROOT", "CA"):
            for data, encoding, trusted in ssl.enum_certificates(store):
                uses = {} if isinstance(trusted, bool) else trusted
                if encoding == "x509_asn" and (trusted is True or ssl.Purpose.SERVER_AUTH.oid in uses):
                    with suppress(crypto.Error):  # Windows keeps some that OpenSSL cannot read
                        _add(context, crypto.load_certificate(crypto.FILETYPE_ASN1, data))
    else:
        context.set_default_verify_paths()
    for certificate in more:
        _add(context, certificate)
    # Each root's fingerprint without parsing it: there are some 140, and a run needs at most a few.
    roots = _pem_blocks(public.read_text("ascii", errors="replace"))
    return Trust(context, frozenset(hashlib.sha256(der).digest() for der in roots))


def _add(context: SSL.Context, certificate: crypto.X509) -> None:
    if store := context.get_cert_store():
        store.add_cert(certificate)


def read_certificates(path: Path) -> list[crypto.X509]:
    """The certificates of a PEM or DER file.

    Read by OpenSSL alone: a CA that it accepts is good enough here, whatever its serial number.

    Raises:
        FileInputError: the file cannot be read or holds no certificate.
    """
    data = read_bounded(path, limit=_CA_FILE_LIMIT)
    try:
        encoded = list(_pem_blocks(data.decode("ascii", errors="replace"))) or [data]
        return [crypto.load_certificate(crypto.FILETYPE_ASN1, der) for der in encoded]
    except (crypto.Error, ValueError):
        raise FileInputError(
            path,
            "holds no certificate, neither PEM nor DER",
            hint="Export the CA as Base-64 X.509 (.cer, .pem).",
        ) from None


def _pem_blocks(text: str) -> Iterator[bytes]:
    return (base64.b64decode(block) for block in _PEM.findall(text))


_CHUNK = 16 * 1024
_MOST_RECEIVED = 1024 * 1024
_PREVIEW = 48
_TLS_RECORDS = range(20, 25)

_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_OUTSIDE_VALIDITY = {_NOT_YET_VALID: "is not valid yet", _EXPIRED: "has expired"}
_ISSUER_NOT_FOUND = (2, 20, 21)
_UNTRUSTED = {
    2: "its issuer is unknown here",
    7: "its signature is wrong",
    _SELF_SIGNED: "it is self-signed",
    19: "its root is unknown here",
    20: "its issuer is unknown here",
    21: "its issuer was not sent and is unknown here",
    23: "it was revoked",
    24: "its issuer is no CA",
    26: "it is not meant for servers",
    66: "its key is too weak",
    67: "its CA's key is too weak",
    68: "its signature algorithm is too weak",
}
"""X509_V_ERR numbers, from OpenSSL's x509_vfy.h."""

_NO_COMMON_VERSION = ("protocol version", "unsupported protocol", "version too low", "inappropriate fallback")
_NO_COMMON_CIPHER = ("alert handshake failure", "insufficient security", "no shared cipher", "wrong cipher")
"""OpenSSL's words for its own refusals and for the alerts 70, 71, 40 and 86 (RFC 8446, section 6.2)."""


@dataclass(slots=True)
class _Refusals:
    """What OpenSSL held against the chain, in its order: error number and depth (0 is the server's own)."""

    found: list[tuple[int, int]] = field(default_factory=list)

    def note(
        self, _connection: SSL.Connection, _certificate: crypto.X509, number: int, depth: int, ok: int
    ) -> bool:
        if not ok:
            self.found.append((number, depth))
        return True


class TlsClient:
    """A TLS client over an open stream. Its owner closes it.

    Guarantees: the host name, the validity and the chain are always checked; received bytes are bounded.
    """

    def __init__(self, stream: Stream, host: str, trust: Trust) -> None:
        self._stream = stream
        self._host = host
        self._trust = trust
        self._refusals = _Refusals()
        self._received = 0
        self._first = b""
        self._ssl = SSL.Connection(trust.context, None)
        self._ssl.set_verify(SSL.VERIFY_PEER, self._refusals.note)
        if not is_address(host):
            self._ssl.set_tlsext_host_name(host.encode("ascii"))
        self._ssl.set_connect_state()

    async def handshake(self) -> TlsSession:
        """Complete the handshake, whatever the certificate, and say what the server showed.

        Raises:
            StepError: no session; the peer reset, closed, or does not speak our TLS.
        """
        while True:
            try:
                self._ssl.do_handshake()
            except SSL.WantReadError:
                if not await self._exchange():
                    raise self._ended() from None
            except SSL.Error as error:
                self._flush()
                raise self._broken(error) from error
            else:
                self._flush()
                return self._describe()

    def problem(self, session: TlsSession) -> Failure | None:
        """Why this session must not be used: untrusted chain, outside its validity, or another host's."""
        outside = [item for item in self._refusals.found if item[0] in _OUTSIDE_VALIDITY]
        untrusted = [item for item in self._refusals.found if item[0] not in _OUTSIDE_VALIDITY]
        if untrusted:
            return self._untrusted(session, *untrusted[0])
        if outside:
            early = outside[0][0] == _NOT_YET_VALID
            kind = "certificate-not-yet-valid" if early else "certificate-expired"
            return Failure(Stage.TLS, kind, self._validity(session, *outside[0]))
        if not is_for(self._host, session.names):
            shown = ", ".join(session.names[:5]) or "no name"
            says = f"the certificate is for {shown}, not for {self._host}; it comes from {session.issuer}"
            return Failure(Stage.TLS, "name-mismatch", says)
        return None

    @property
    def answered(self) -> bool:
        """Whether the server sent anything at all."""
        return bool(self._first)

    def _untrusted(self, session: TlsSession, number: int, depth: int) -> Failure:
        alone = len(self._ssl.get_peer_cert_chain() or ()) == 1
        # Public CAs write into a certificate where its issuer's is to be had; what an inspecting box makes on
        # the fly names no such place, so that its issuer is unknown and not left out.
        if depth == 0 and number in _ISSUER_NOT_FOUND and alone and names_its_issuer(self._leaf()):
            says = (
                f"the server sent its own certificate alone: {session.issuer}, which issued it, was not sent "
                "and is unknown here"
            )
            return Failure(Stage.TLS, "incomplete-chain", says)
        reason = _UNTRUSTED.get(number, f"OpenSSL's verification error {number}")
        kind = "self-signed" if (number, depth) == (_SELF_SIGNED, 0) else "certificate-untrusted"
        says = f"the certificate shown for {self._host} is not trusted: {reason}"
        return Failure(Stage.TLS, kind, f"{says}; it comes from {session.issuer}")

    def _validity(self, session: TlsSession, number: int, depth: int) -> str:
        whose = "the server's certificate" if depth == 0 else "a CA certificate in the chain"
        now = times.to_text(times.now())
        says = f"{whose} {_OUTSIDE_VALIDITY[number]} by this machine's clock ({now})"
        if depth:
            return f"{says}; it comes from {session.issuer}"
        leaf = self._leaf()
        early = number == _NOT_YET_VALID
        bound = leaf.not_valid_before_utc if early else leaf.not_valid_after_utc
        edge = "begins" if early else "ends"
        return f"{says}; its validity {edge} at {times.to_text(bound)}; it comes from {session.issuer}"

    async def send(self, data: bytes) -> None:
        """Encrypt and send."""
        self._ssl.sendall(data)
        self._flush()
        await self._stream.send(b"")

    async def receive(self) -> bytes:
        """The next decrypted bytes; empty where the server closed."""
        while True:
            try:
                return self._ssl.recv(_CHUNK)
            except SSL.WantReadError:
                if not await self._exchange():
                    return b""
            except (SSL.ZeroReturnError, SSL.SysCallError):
                return b""
            except SSL.Error as error:
                raise self._broken(error) from error

    async def _exchange(self) -> bool:
        self._flush()
        data = await self._stream.receive()
        self._received += len(data)
        if self._received > _MOST_RECEIVED:
            says = f"the server sent more than {_MOST_RECEIVED:,} bytes without an answer"
            raise failed(Stage.TLS, "handshake-failed", says)
        self._first = self._first or data[:_PREVIEW]
        if data:
            self._ssl.bio_write(data)
        return bool(data)

    def _flush(self) -> None:
        while True:
            try:
                self._stream.write(self._ssl.bio_read(_CHUNK))
            except SSL.WantReadError:
                return

    def _leaf(self) -> x509.Certificate:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cryptography's opinion of a stranger's certificate
            leaf = self._ssl.get_peer_certificate(as_cryptography=True)
        if leaf is None:
            raise failed(Stage.TLS, "handshake-failed", "the server showed no certificate")
        return leaf

    def _describe(self) -> TlsSession:
        try:
            leaf = self._leaf()
            return TlsSession(
                version=self._ssl.get_protocol_version_name().replace("TLSv", "TLS "),
                cipher=self._ssl.get_cipher_name() or "",
                issuer=name_text(leaf.issuer),
                subject=name_text(leaf.subject),
                names=subject_names(leaf),
                not_after=leaf.not_valid_after_utc,
                public_root=self._ends_in_public_root(),
            )
        except (ValueError, x509.InvalidVersion) as error:
            says = f"the server's certificate cannot be read: {one_line(str(error))}"
            raise failed(Stage.TLS, "handshake-failed", says) from error

    def _ends_in_public_root(self) -> bool:
        if any(number not in _OUTSIDE_VALIDITY for number, _ in self._refusals.found):
            return False
        chain = self._ssl.get_verified_chain() or []
        return any(map(self._trust.is_public, chain[-1:]))

    def _ended(self) -> StepError:
        return failed(Stage.TLS, "tls-cut", "the server closed the connection during the TLS handshake")

    def _broken(self, error: SSL.Error) -> StepError:
        if isinstance(error, SSL.SysCallError):
            return self._ended()
        if self._first and self._first[0] not in _TLS_RECORDS:
            says = f"it answered {quoted(self._first)} instead of TLS"
            return failed(Stage.TLS, "handshake-failed", says)
        # OpenSSL's own words, such as `tlsv1 alert protocol version`.
        details = error.args[0] if error.args and isinstance(error.args[0], list) else []
        reason = one_line("; ".join(str(one[-1]) for one in details if one and one[-1])) or "no reason given"
        kind = "handshake-failed"
        if any(words in reason for words in _NO_COMMON_VERSION):
            kind = "tls-protocol-version"
        elif any(words in reason for words in _NO_COMMON_CIPHER):
            kind = "tls-cipher-mismatch"
        return failed(Stage.TLS, kind, f"the TLS handshake failed: {reason}")


_MOST_NAMES = 200
_LONGEST_NAME = 255
_NO_EXTENSION = (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError)


def name_text(name: x509.Name) -> str:
    """A subject or issuer in RFC 4514 order, such as `CN=Contoso Inspection CA,O=Contoso`.

    Whoever answers has chosen it: what no name holds is not shown.
    """
    return typed.name(one_line(name.rfc4514_string()))


def subject_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and addresses it was issued for; empty where it has none or they cannot be read."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = names.get_values_for_type(x509.DNSName)
        addresses = names.get_values_for_type(x509.IPAddress)
    except _NO_EXTENSION:
        return ()
    shown = [typed.name(one_line(name, limit=_LONGEST_NAME)) for name in dns[:_MOST_NAMES]]
    return (*shown, *map(str, addresses))[:_MOST_NAMES]


def names_its_issuer(certificate: x509.Certificate) -> bool:
    """Whether it says where its issuer's certificate is to be had (caIssuers, RFC 5280, 4.2.2.1)."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except _NO_EXTENSION:
        return False
    return any(one.access_method == AuthorityInformationAccessOID.CA_ISSUERS for one in access)


def is_for(host: str, names: Sequence[str]) -> bool:
    """Whether one of the names covers the host (RFC 9525: a star stands for the whole first label)."""
    if is_address(host):
        return any(is_address(name) and ip_address(name) == ip_address(host) for name in names)
    host = host.lower().rstrip(".")
    _, _, parent = host.partition(".")
    wanted = {host} | ({f"*.{parent}"} if "." in parent else set())
    return any(name.lower().rstrip(".") in wanted for name in names)
