import hashlib

from arcferry.bundle.packages.compound import Compound, Entry

SIGNATURE = "\x05DigitalSignature"
EXTENDED = "\x05MsiDigitalSignatureEx"
_LARGEST_EXTENDED = 64
# Microsoft's are of 10 to 40 KB.
_LARGEST_SIGNATURE = 512 * 1024


def msi_signature(msi: Compound) -> bytes | None:
    """The PKCS #7 message that an MSI carries; None where it is not signed.

    Raises:
        CompoundError: it is damaged, or larger than any signature.
    """
    entry = msi.child(SIGNATURE)
    return None if entry is None else msi.read(entry, limit=_LARGEST_SIGNATURE)


def msi_digest(msi: Compound, algorithm: str) -> bytes | None:
    """The digest that Authenticode signs of an MSI; None where its own extended digest does not fit it.

    Every stream's content in the order of the names, and every storage's CLSID after its content, except
    the two streams at the root that hold the signature. An extended digest comes first where there is one:
    it covers names, sizes and times as well.

    Source: `SignedMsiFile` in signify 0.9.3, read 2026-11-23. This one reads in pieces, leaves out the two
    streams at the root only, and knows a storage without a CLSID.
    """
    digest = hashlib.new(algorithm)
    stated = msi.child(EXTENDED)
    if stated:
        extended = _extended(msi, algorithm)
        if msi.read(stated, limit=_LARGEST_EXTENDED) != extended:
            return None
        digest.update(extended)
    _add_content(msi, msi.root, digest)
    return digest.digest()


def _extended(msi: Compound, algorithm: str) -> bytes:
    digest = hashlib.new(algorithm)
    _add_directory(msi.root, digest)
    return digest.digest()


def _signed(storage: Entry) -> list[Entry]:
    apart = {name.encode("utf-16-le") for name in (SIGNATURE, EXTENDED)} if storage.is_root else set()
    return [entry for entry in storage.children if entry.name not in apart]


def _add_content(msi: Compound, storage: Entry, digest: "hashlib._Hash") -> None:
    for entry in _signed(storage):
        if entry.is_stream:
            for block in msi.blocks(entry):
                digest.update(block)
        else:
            _add_content(msi, entry, digest)
    digest.update(storage.clsid)


def _add_directory(entry: Entry, digest: "hashlib._Hash") -> None:
    if not entry.is_root:
        digest.update(entry.name)
    digest.update((entry.size & 0xFFFFFFFF).to_bytes(4, "little") if entry.is_stream else entry.clsid)
    digest.update(entry.state)
    if not entry.is_root:
        digest.update(entry.times)
    for child in _signed(entry):
        _add_directory(child, digest)
