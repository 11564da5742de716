import base64
import hashlib
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography import x509

from arcferry.bundle import names

FOLDER = "certificates"
_WIDTH = 64
_LONGEST_STEM = 80


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that a bundle offers to a server; nothing in arcferry installs it.

    Attributes:
        name: its common name.
        der: the certificate itself.
        why: what the server needs it for, in a sentence without its end.
        for_tls: whether Linux servers need it too: the others are for Windows' check of an MSI.
    """

    name: str
    der: bytes = field(repr=False)
    why: str
    for_tls: bool = False

    @property
    def sha1(self) -> str:
        """The thumbprint that Windows shows, in capital hexadecimal."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def sha256(self) -> str:
        """The fingerprint that OpenSSL shows, in lower-case hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> bytes:
        """The certificate in PEM, as Linux's trust stores take it."""
        body = "\n".join(textwrap.wrap(base64.b64encode(self.der).decode("ascii"), _WIDTH))
        return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode("ascii")


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name, or the whole subject where it has none."""
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else certificate.subject.rfc4514_string()


def certificate_files(certificates: Iterable[Certificate]) -> Mapping[str, bytes]:
    """The bundle's files that offer these certificates, each once, by their names in the bundle.

    For Windows each is a `.cer` in DER. Those for TLS are also there as `.crt` in PEM, because Debian's
    update-ca-certificates takes nothing else, and a closed server may have nobody who knows how to convert.
    """
    files: dict[str, bytes] = {}
    for certificate in dict.fromkeys(certificates):
        stem = _stem(certificate, files)
        files[f"{stem}.cer"] = certificate.der
        if certificate.for_tls:
            files[f"{stem}.crt"] = certificate.pem
    return files


def _stem(certificate: Certificate, taken: Mapping[str, bytes]) -> str:
    """A file's name from the certificate's, with its fingerprint where another has that name."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", certificate.name).strip("_")[:_LONGEST_STEM] or "certificate"
    stem = f"{FOLDER}/{plain}"
    folded = {names.fold(name) for name in taken}
    clashes = names.fold(f"{stem}.cer") in folded or names.fault(f"{stem}.cer")
    return f"{stem}_{certificate.sha256[:12]}" if clashes else stem
