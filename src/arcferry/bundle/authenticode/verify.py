import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from arcferry import times
from arcferry.bundle.authenticode.digest import msi_digest, msi_signature
from arcferry.bundle.authenticode.oscrypto_version import load_oscrypto
from arcferry.bundle.authenticode.roots import MICROSOFT, Roots
from arcferry.bundle.packages.compound import Compound, CompoundError
from arcferry.errors import BundleRefusedError, FileInputError
from arcferry.text import one_line

if TYPE_CHECKING:
    from arcferry.bundle.authenticode.signers import Signer

PUBLISHER = "Microsoft Corporation"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a verified Authenticode signature tells.

    Attributes:
        subject: the signer's distinguished name.
        issuer: that of the authority that vouches for it.
        thumbprint: SHA-1 of the signer's certificate in capital hexadecimal, as Windows shows it.
        signed_at: when a trusted authority saw the signature; None where it has no timestamp.
        root: the name of the root certificate that it leads to.
        says: all this in a sentence.
    """

    subject: str
    issuer: str
    thumbprint: str
    signed_at: datetime | None
    root: str
    says: str


def verify_msi(
    path: Path,
    *,
    roots: Roots = MICROSOFT,
    publisher: str = PUBLISHER,
    at: datetime | None = None,
    called: Path | None = None,
) -> Signature:
    """Verify an MSI's Authenticode signature, without a network and in pieces of constant memory.

    The digest, the chain to one of `roots`, the use for signing code, the timestamp and the publisher must
    all hold, of every signature that the file carries. A signature whose certificate has expired holds by its
    timestamp. Revocation is not looked at: that needs a network.

    An MSI has places that no signature covers, so this tells who made it, and not that every byte is as it
    was: for that there is the manifest's SHA-256.

    Args:
        path: the MSI.
        roots: the roots it may lead to.
        publisher: the organisation that the signer's certificate must name, exactly.
        at: when to judge; now, where not given.
        called: the name to use in errors, where it is not `path`.

    Raises:
        FileInputError: the file cannot be read.
        BundleRefusedError: it is damaged or no MSI, not signed, changed, or signed by the wrong one.
        BlockedError: this computer lacks what verifies signatures.
    """
    name = called or path
    try:
        if path.exists() and not path.is_file():
            raise FileInputError(name, "is not a file")
        with path.open("rb") as stream:
            return _verified(name, stream, roots, publisher, at or times.now())
    except CompoundError as error:
        raise BundleRefusedError(f"{name}: {error}", hint="Download it again, or copy it again.") from error
    except OSError as error:
        raise FileInputError(name, error.strerror or "cannot be read") from error


def _verified(path: Path, stream: BinaryIO, roots: Roots, publisher: str, at: datetime) -> Signature:
    msi = Compound(stream)
    message = msi_signature(msi)
    if message is None:
        raise BundleRefusedError(
            f"{path}: it is not signed", hint="Microsoft signs its agent. Get the MSI from Microsoft again."
        )
    load_oscrypto()
    from arcferry.bundle.authenticode import signers  # noqa: PLC0415 - imports oscrypto, which had to be loaded first

    try:
        signer = signers.judge(message, partial(msi_digest, msi), roots, publisher, at)
    except signers.RefusedError as error:
        raise BundleRefusedError(
            f"{path}: its signature is refused: {error}",
            hint="Get the MSI from Microsoft again, and do not install this one.",
        ) from error
    return _told(signer)


def _told(signer: "Signer") -> Signature:
    when = f"at {times.to_text(signer.signed_at)}" if signer.signed_at else "without a timestamp"
    return Signature(
        subject=one_line(signer.certificate.subject.dn),
        issuer=one_line(signer.certificate.issuer.dn),
        thumbprint=hashlib.sha1(signer.certificate.asn1.dump(), usedforsecurity=False).hexdigest().upper(),
        signed_at=signer.signed_at,
        root=signer.root_name,
        says=f"signed by {signer.publisher} {when}, certified by {signer.root_name}",
    )
