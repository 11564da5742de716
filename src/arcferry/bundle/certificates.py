"""The certificates that a bundle offers to servers; nothing in arcferry installs one."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcferry.bundle import manifest
from arcferry.bundle.authenticode import MICROSOFT, Signature
from arcferry.bundle.authenticode.roots import common_name, pinned

FOLDER = "certificates"
_LONGEST_STEM = 80
_SIGNING = "Microsoft signs the agent with certificates that lead to it"
_TIMESTAMPING = "Microsoft dates its signatures with certificates that lead to it"
_BETWEEN = "Windows needs it between the agent's signature and its root, and cannot download it"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that a bundle offers to a server.

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
    def is_root(self) -> bool:
        """Whether it is issued by itself; otherwise it is an intermediate one."""
        read = x509.load_der_x509_certificate(self.der)
        return read.issuer == read.subject

    @property
    def pem(self) -> bytes:
        """The certificate in PEM, as Linux's trust stores take it."""
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM)

    def files(self, stem: str) -> Iterator[tuple[str, bytes]]:
        """The files that offer it, by name.

        For Windows a `.cer` in DER. One for TLS is also there as `.crt` in PEM, because Debian's
        update-ca-certificates takes nothing else, and a closed server may have nobody who can convert it.
        """
        yield f"{stem}.cer", self.der
        if self.for_tls:
            yield f"{stem}.crt", self.pem


@cache
def server_certificates() -> tuple[Certificate, ...]:
    """The root certificates that servers need and that one without updates may lack.

    Those of Azure's services, then those of Microsoft's signatures; always the same, in the same order.

    Raises:
        InputError: the certificates in this installation are not the ones it was released with.
    """
    package = files(__package__)
    data = tomllib.loads(package.joinpath("server-certificates.toml").read_text(encoding="utf-8"))
    azure = pinned(package.joinpath("tls-roots.pem").read_bytes(), data["roots"])
    return (
        *(Certificate(name, der, data["why"], for_tls=True) for name, der in azure.items()),
        *(
            Certificate(common_name(der), der, _SIGNING if der in MICROSOFT.signing else _TIMESTAMPING)
            for der in MICROSOFT.timestamping
        ),
    )


def of_signature(signature: Signature) -> tuple[Certificate, ...]:
    """The intermediate certificates that a signed MSI carries.

    Microsoft's own installation script (agent 1.64 and later) takes them out of the MSI for servers that
    cannot download them.
    """
    return tuple(Certificate(name, der, _BETWEEN) for name, der in signature.intermediates)


def by_stem(certificates: Iterable[Certificate]) -> dict[str, Certificate]:
    """The certificates, each once, by the names of their files in the bundle without the suffix."""
    found: dict[str, Certificate] = {}
    for one in dict.fromkeys(certificates):
        plain = re.sub(r"[^A-Za-z0-9]+", "_", one.name).strip("_")[:_LONGEST_STEM] or "certificate"
        stem = f"{FOLDER}/{plain}"
        # Another certificate of this name is told apart by its fingerprint.
        if stem.casefold() in map(str.casefold, found) or manifest.name_fault(f"{stem}.cer"):
            stem = f"{stem}_{one.sha256[:12]}"
        found[stem] = one
    return dict(sorted(found.items()))
