from datetime import datetime
from functools import partial
from pathlib import Path

from arcferry import times
from arcferry.bundle.authenticode.carried import Signature, msi_digest, signed_msi
from arcferry.bundle.authenticode.roots import MICROSOFT, Roots
from arcferry.errors import BundleRefusedError

PUBLISHER = "Microsoft Corporation"


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
        at: when to judge; now, if not given.
        called: the name to use in errors, if it is not `path`.

    Raises:
        FileInputError: the file cannot be read.
        BundleRefusedError: it is damaged or no MSI, not signed, changed, or signed by the wrong one.
        BlockedError: this computer lacks what verifies signatures.
    """
    name = called or path
    with signed_msi(path, called=name) as (msi, message):
        from arcferry.bundle.authenticode import signers  # noqa: PLC0415 - imports oscrypto, which had to be loaded first

        try:
            return signers.judge(message, partial(msi_digest, msi), roots, publisher, at or times.now())
        except signers.SignatureRefusedError as error:
            raise BundleRefusedError(
                f"{name}: its signature is refused: {error}",
                hint="Get the MSI from Microsoft again, and do not install this one.",
            ) from error
