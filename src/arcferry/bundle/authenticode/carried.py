"""The signature that an MSI carries, and what of the file it covers."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from arcferry.bundle.authenticode.oscrypto_version import load_oscrypto
from arcferry.bundle.packages.compound import Compound, DirectoryEntry
from arcferry.bundle.packages.facts import UnusablePackageError
from arcferry.errors import BundleRefusedError, FileInputError

SIGNATURE = "\x05DigitalSignature"
EXTENDED = "\x05MsiDigitalSignatureEx"
_LARGEST_EXTENDED = 64
# Microsoft's are of 10 to 40 KB.
_LARGEST_SIGNATURE = 512 * 1024


@dataclass(frozen=True, slots=True)
class Signature:
    """What a verified Authenticode signature tells.

    Attributes:
        subject: the signer's distinguished name.
        issuer: that of the authority that vouches for it.
        thumbprint: SHA-1 of the signer's certificate in capital hexadecimal, as Windows shows it.
        signed_at: when a trusted authority saw the signature; None if it has no timestamp.
        root: the name of the root certificate that it leads to.
        says: all this in a sentence.
    """

    subject: str
    issuer: str
    thumbprint: str
    signed_at: datetime | None
    root: str
    says: str


@contextmanager
def signed_msi(path: Path, *, called: Path) -> Iterator[tuple[Compound, bytes]]:
    """Open an MSI, and read the PKCS #7 message that it carries; what reads such messages is loaded.

    Raises:
        FileInputError: the file cannot be read; here and in the body.
        BundleRefusedError: it is damaged or no MSI, likewise, or not signed.
        BlockedError: this computer lacks what reads signatures.
    """
    try:
        if path.exists() and not path.is_file():
            raise FileInputError(called, "is not a file")
        with path.open("rb") as stream:
            msi = Compound(stream)
            entry = msi.child(SIGNATURE)
            if entry is None:
                raise BundleRefusedError(
                    f"{called}: it is not signed",
                    hint="Microsoft signs its agent. Get the MSI from Microsoft again.",
                )
            message = msi.read(entry, limit=_LARGEST_SIGNATURE)
            load_oscrypto()
            yield msi, message
    except UnusablePackageError as error:
        raise BundleRefusedError(f"{called}: {error}", hint="Download it again, or copy it again.") from error
    except OSError as error:
        raise FileInputError(called, error.strerror or "cannot be read") from error


def msi_digest(msi: Compound, algorithm: str) -> bytes | None:
    """The digest that Authenticode signs of an MSI; None if its own extended digest does not fit it.

    Every stream's content in the order of the names, and every storage's CLSID after its content, except
    the two streams at the root that hold the signature. An extended digest comes first where there is one:
    it covers names, sizes and times as well.

    Source: `SignedMsiFile` in signify 0.9.3, read 2026-11-23. This one reads in pieces, leaves out the two
    streams at the root only, and knows a storage without a CLSID.
    """
    digest = hashlib.new(algorithm)
    stated = msi.child(EXTENDED)
    if stated:
        extended = hashlib.new(algorithm)
        _add_directory(msi.root, extended)
        if msi.read(stated, limit=_LARGEST_EXTENDED) != extended.digest():
            return None
        digest.update(extended.digest())
    _add_content(msi, msi.root, digest)
    return digest.digest()


def _signed(storage: DirectoryEntry) -> list[DirectoryEntry]:
    apart = {name.encode("utf-16-le") for name in (SIGNATURE, EXTENDED)} if storage.is_root else set()
    return [entry for entry in storage.children if entry.name not in apart]


def _add_content(msi: Compound, storage: DirectoryEntry, digest: "hashlib._Hash") -> None:
    for entry in _signed(storage):
        if entry.is_stream:
            for block in msi.blocks(entry):
                digest.update(block)
        else:
            _add_content(msi, entry, digest)
    digest.update(storage.clsid)


def _add_directory(entry: DirectoryEntry, digest: "hashlib._Hash") -> None:
    if not entry.is_root:
        digest.update(entry.name)
    digest.update((entry.size & 0xFFFFFFFF).to_bytes(4, "little") if entry.is_stream else entry.clsid)
    digest.update(entry.state)
    if not entry.is_root:
        digest.update(entry.times)
    for child in _signed(entry):
        _add_directory(child, digest)
