"""The Authenticode signature of a program (PE), as verified without a network."""

import hashlib
import struct
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from arcferry import times
from arcferry.bundle.authenticode.roots import Roots
from arcferry.bundle.authenticode.verify import Signature, load_oscrypto
from arcferry.errors import BundleRefusedError, FileInputError

_HEADER = struct.Struct("<IHH")
_PKCS7 = (0x0200, 2)
"""WIN_CERT_REVISION_2_0, WIN_CERT_TYPE_PKCS_SIGNED_DATA."""
# The Python Software Foundation's are of 10 to 20 KB.
_LARGEST_SIGNATURE = 512 * 1024


def verify_program(
    path: Path, *, publisher: str, roots: Roots, at: datetime | None = None, called: Path | None = None
) -> Signature:
    """Verify a program's signature as `verify_msi` does: digest, chain, use, timestamp and publisher.

    Raises:
        FileInputError: the file cannot be read.
        BundleRefusedError: it is no program, not signed, changed, or signed by another one.
        BlockedError: this computer lacks what verifies signatures.
    """
    called = called or path
    load_oscrypto()
    from signify.authenticode.signed_file.pe import SignedPEFile  # noqa: PLC0415 - imports oscrypto

    from arcferry.bundle.authenticode import signers  # noqa: PLC0415 - likewise

    try:
        with path.open("rb") as stream:
            program = SignedPEFile(stream)
            place = (program.get_authenticode_omit_sections() or {}).get("certtable")
            if place is None:
                raise BundleRefusedError(
                    f"{called}: it is no signed program",
                    hint=f"Get the file from {publisher} again.",
                )
            message = _message(stream, place.start, place.length)
            return signers.judge(
                message,
                lambda name: program.get_fingerprint(getattr(hashlib, name)),
                roots,
                at or times.now(),
                called=called,
                publisher=publisher,
            )
    except OSError as error:
        raise FileInputError(called, error.strerror or "cannot be read") from error


def _message(stream: BinaryIO, start: int, length: int) -> bytes:
    """The one signature of a certificate table; empty, which is none, where something else is in it."""
    stream.seek(start)
    table = stream.read(min(length, _LARGEST_SIGNATURE))
    if len(table) < _HEADER.size:
        return b""
    stated, *kind = _HEADER.unpack_from(table)
    whole = stated <= len(table) and length - stated < 8  # noqa: PLR2004 - it is filled up to a multiple of 8
    return table[_HEADER.size : stated] if whole and tuple(kind) == _PKCS7 else b""
