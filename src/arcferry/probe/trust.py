"""Whom a TLS client of ours believes: the public roots, this system's, and the CA that was given."""

import base64
import hashlib
import re
import ssl
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import certifi
from OpenSSL import SSL, crypto

from arcferry.errors import FileInputError
from arcferry.files import read_bounded

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
    _load_system(context)
    for certificate in more:
        _add(context, certificate)
    return Trust(context, _fingerprints(public))


def _load_system(context: SSL.Context) -> None:
    if sys.platform == "win32":
        for store in ("ROOT", "CA"):
            for data, encoding, _ in ssl.enum_certificates(store):
                if encoding == "x509_asn":
                    _add(context, crypto.load_certificate(crypto.FILETYPE_ASN1, data))
    else:
        context.set_default_verify_paths()


def _add(context: SSL.Context, certificate: crypto.X509) -> None:
    store = context.get_cert_store()
    if store:
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


def _fingerprints(bundle: Path) -> frozenset[bytes]:
    """SHA-256 of each certificate, without parsing any: there are some 140 and a run needs at most a few."""
    return frozenset(
        hashlib.sha256(der).digest() for der in _pem_blocks(bundle.read_text("ascii", errors="replace"))
    )
