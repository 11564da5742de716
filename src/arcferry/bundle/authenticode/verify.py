"""The signature that an MSI carries, what of the file it covers, and whether it holds."""

import hashlib
import importlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from arcferry import times
from arcferry.bundle.authenticode.roots import MICROSOFT, Roots
from arcferry.bundle.packages import UnusablePackageError
from arcferry.bundle.packages.msi import Compound, DirectoryEntry
from arcferry.errors import BlockedError, BundleRefusedError, FileInputError

SIGNATURE = "\x05DigitalSignature"
EXTENDED = "\x05MsiDigitalSignatureEx"
_ONE_DIGIT = r"\b(\d\.\d\.\d[a-z]*)\b"
_ANY_DIGITS = r"\b(\d+\.\d+\.\d+[a-z]*)\b"
_lock = threading.Lock()
_LARGEST_EXTENDED = 64
# Microsoft's are of 10 to 40 KB.
_LARGEST_SIGNATURE = 512 * 1024


@dataclass(frozen=True, slots=True)
class Signature:
    """What a verified Authenticode signature tells.

    Attributes:
        thumbprint: SHA-1 of the signer's certificate in capital hexadecimal, as Windows shows it.
        says: in a sentence who signed, when a trusted authority saw the signature, and the root it leads to.
        intermediates: names and content (DER) of the certificates between signer and root that the file
            carries, its timestamp's too, each once.
    """

    thumbprint: str
    says: str
    intermediates: tuple[tuple[str, bytes], ...] = ()


def verify_msi(
    path: Path,
    *,
    roots: Roots = MICROSOFT,
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
        at: when to judge; now, if not given.
        called: the name to use in errors, if it is not `path`.

    Raises:
        FileInputError: the file cannot be read.
        BundleRefusedError: it is damaged or no MSI, not signed, changed, or signed by the wrong one.
        BlockedError: this computer lacks what verifies signatures.
    """
    called = called or path
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
            from arcferry.bundle.authenticode import signers  # noqa: PLC0415 - imports oscrypto, which had to be loaded first

            return signers.judge(message, partial(msi_digest, msi), roots, at or times.now(), called=called)
    except UnusablePackageError as error:
        raise BundleRefusedError(f"{called}: {error}", hint="Download it again, or copy it again.") from error
    except OSError as error:
        raise FileInputError(called, error.strerror or "cannot be read") from error


def msi_digest(msi: Compound, algorithm: str) -> bytes | None:
    """The digest that Authenticode signs of an MSI; None if its own extended digest does not fit it.

    Every stream's content in the order of the names, and every storage's CLSID after its content, except
    the two streams at the root that hold the signature. An extended digest comes first if there is one:
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


def load_oscrypto() -> None:
    """Import oscrypto 1.3.0, whatever OpenSSL's version number looks like.

    It reads OpenSSL's version with a pattern that takes one digit after the last dot: `3.0.19` is no version
    to it, and its import fails (https://github.com/wbond/oscrypto/issues/78; mended in its repository in
    2023, in no release as of 2026-11-23). Plain imports will do when a release after 1.3.0 is out, or when
    signify no longer needs oscrypto.

    Raises:
        BlockedError: this computer has no library that oscrypto can use.
    """
    with _lock:
        errors = importlib.import_module("oscrypto.errors")
        try:
            importlib.import_module("oscrypto.asymmetric")
        except errors.LibraryNotFoundError:
            try:
                with _any_digits():
                    importlib.import_module("oscrypto.asymmetric")
            except errors.LibraryNotFoundError as error:
                raise BlockedError(
                    f"signatures cannot be verified on this computer: {error}",
                    hint="Install OpenSSL's library (Debian and Ubuntu: libssl3, Red Hat: openssl-libs).",
                ) from error


@contextmanager
def _any_digits() -> Iterator[None]:
    """Within this, `re.search` takes any number of digits where oscrypto asks for one."""
    search = re.search

    def patient(pattern: Any, string: Any, flags: Any = 0) -> Any:  # noqa: ANN401 - passes on what it gets
        return search(_ANY_DIGITS if pattern == _ONE_DIGIT else pattern, string, flags)

    re.search = patient
    try:
        yield
    finally:
        re.search = search
