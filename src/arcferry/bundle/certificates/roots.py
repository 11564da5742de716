import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcferry.bundle.authenticode import MICROSOFT
from arcferry.bundle.certificates.certificate import Certificate, common_name
from arcferry.errors import InputError

_SIGNING = "Microsoft signs the agent with certificates that lead to it"
_TIMESTAMPING = "Microsoft dates its signatures with certificates that lead to it"


@cache
def server_certificates() -> tuple[Certificate, ...]:
    """The root certificates that servers need and that one without updates may lack.

    Those of Azure's services, then those of Microsoft's signatures; always the same, in the same order.

    Raises:
        InputError: the certificates in this installation are not the ones it was released with.
    """
    package = files(__package__)
    data = tomllib.loads(package.joinpath("certificates.toml").read_text(encoding="utf-8"))
    azure = pinned(package.joinpath("tls-roots.pem").read_bytes(), data["roots"], data["why"])
    return azure + tuple(_microsoft(der) for der in MICROSOFT.timestamping)


def pinned(pem: bytes, pins: Mapping[str, str], why: str) -> tuple[Certificate, ...]:
    """The certificates of a PEM text, which must be exactly those whose SHA-256 is given, by name.

    Raises:
        InputError: they are not; only a damaged installation, or a developer, meets this.
    """
    found = {
        hashlib.sha256(der).hexdigest(): der
        for der in (read.public_bytes(Encoding.DER) for read in x509.load_pem_x509_certificates(pem))
    }
    odd = sorted(name for name, pin in pins.items() if pin not in found) or sorted(
        common_name(x509.load_der_x509_certificate(found[pin])) for pin in found.keys() - set(pins.values())
    )
    if odd:
        raise InputError(
            f"the certificates in this installation are not the ones it was released with: {odd[0]}",
            hint="Install arcferry again.",
        )
    return tuple(Certificate(name, found[pin], why, for_tls=True) for name, pin in pins.items())


def _microsoft(der: bytes) -> Certificate:
    why = _SIGNING if der in MICROSOFT.signing else _TIMESTAMPING
    return Certificate(common_name(x509.load_der_x509_certificate(der)), der, why)
