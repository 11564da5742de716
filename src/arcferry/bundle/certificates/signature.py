from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509

from arcferry.bundle.authenticode.digest import msi_signature
from arcferry.bundle.authenticode.oscrypto_version import load_oscrypto
from arcferry.bundle.certificates.certificate import Certificate, common_name
from arcferry.bundle.packages.compound import Compound, CompoundError
from arcferry.errors import BundleRefusedError, FileInputError
from arcferry.text import one_line

_MOST = 16
_WHY = "Windows needs it between the agent's signature and its root, and cannot download it"


def certificates_of_signature(path: Path) -> tuple[Certificate, ...]:
    """The intermediate certificates that a signed MSI carries, its timestamp's too, each once.

    Microsoft's own installation script (agent 1.64 and later) takes them out of the MSI for servers that
    cannot download them. Call this for an MSI whose signature was verified: here nothing is.

    Raises:
        FileInputError: the file cannot be read.
        BundleRefusedError: it is no MSI, not signed, or its signature cannot be read.
        BlockedError: this computer lacks what reads signatures.
    """
    load_oscrypto()
    message = _signature(path)
    try:
        found = {der: x509.load_der_x509_certificate(der) for der in _carried(message)}
        between = [(der, read) for der, read in found.items() if _is_between(read)]
    # Four libraries read bytes here that anyone may have written; whatever they stumble over is no signature.
    except Exception as error:
        said = one_line(str(error), limit=200)
        raise BundleRefusedError(
            f"{path}: its signature cannot be read ({said})", hint="Get the MSI from Microsoft again."
        ) from error
    return tuple(Certificate(common_name(read), der, _WHY) for der, read in between[:_MOST])


def _signature(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            message = msi_signature(Compound(stream))
    except CompoundError as error:
        raise BundleRefusedError(f"{path}: {error}", hint="Download it again, or copy it again.") from error
    except OSError as error:
        raise FileInputError(path, error.strerror or "cannot be read") from error
    if message is None:
        raise BundleRefusedError(f"{path}: it is not signed", hint="Get the MSI from Microsoft again.")
    return message


def _carried(message: bytes) -> Iterator[bytes]:
    from signify.authenticode import AuthenticodeSignature  # noqa: PLC0415 - imports oscrypto, which had to be loaded first

    for signature in AuthenticodeSignature.from_envelope(message).iter_recursive_nested():
        timestamp: Any = signature.signer_info.countersigner
        for certificate in (*signature.certificates, *getattr(timestamp, "certificates", ())):
            yield certificate.asn1.dump()


def _is_between(certificate: x509.Certificate) -> bool:
    """Whether it issues others, and is issued by another."""
    try:
        limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    return limits.ca and certificate.issuer != certificate.subject
