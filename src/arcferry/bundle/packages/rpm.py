import struct
from typing import BinaryIO

from arcferry.bundle.packages.facts import PackageFacts, UnusablePackageError
from arcferry.text import quoted

MAGIC = b"\xed\xab\xee\xdb"
_NAME = "azcmagent"
_LEAD = 96
_HEADER = b"\x8e\xad\xe8\x01"
_LARGEST_HEADER = 64 * 1024 * 1024
_SIZE_TAG, _LONG_SIZE_TAG = 1000, 270
_NAME_TAG, _VERSION_TAG, _RELEASE_TAG, _ARCH_TAG = 1000, 1001, 1002, 1022
_INT32, _INT64, _STRING = 4, 5, 6

_Index = dict[int, tuple[int, int]]


def read(stream: BinaryIO, size: int) -> PackageFacts:
    """Read an RPM package's version-release and architecture (RPM V4 format: lead, signature, header).

    Raises:
        UnusablePackageError: not an RPM package, cut short, or of another program.
    """
    stream.seek(_LEAD)
    signature, store = _header(stream)
    expected = _payload_size(signature, store)
    stream.seek(-stream.tell() % 8, 1)  # the header begins at a multiple of eight bytes
    start = stream.tell()
    if expected is not None and size < start + expected:
        raise UnusablePackageError(
            f"is cut short: it should have {start + expected:,} bytes and has {size:,}"
        )
    index, store = _header(stream)
    name = _text(index, store, _NAME_TAG)
    if name != _NAME:
        raise UnusablePackageError(f"is the RPM package {quoted(name)}, not {quoted(_NAME)}")
    version, release = _text(index, store, _VERSION_TAG), _text(index, store, _RELEASE_TAG)
    return PackageFacts(f"{version}-{release}" if release else version, _text(index, store, _ARCH_TAG))


def _header(stream: BinaryIO) -> tuple[_Index, bytes]:
    intro = stream.read(16)
    if len(intro) < 16 or intro[:4] != _HEADER:  # noqa: PLR2004 - the intro's size
        raise UnusablePackageError("is not a whole RPM package: a header is missing")
    entries, length = struct.unpack(">II", intro[8:])
    if entries * 16 > _LARGEST_HEADER or length > _LARGEST_HEADER:
        raise UnusablePackageError("is not a whole RPM package: a header is larger than any real one")
    raw, store = stream.read(entries * 16), stream.read(length)
    if len(raw) < entries * 16 or len(store) < length:
        raise UnusablePackageError("is cut short in a header")
    index = {tag: (kind, offset) for tag, kind, offset, _ in struct.iter_unpack(">IIII", raw)}
    return index, store


def _payload_size(index: _Index, store: bytes) -> int | None:
    for tag, kind, form in ((_LONG_SIZE_TAG, _INT64, ">Q"), (_SIZE_TAG, _INT32, ">I")):
        found, offset = index.get(tag, (0, 0))
        if found == kind and offset + struct.calcsize(form) <= len(store):
            return int(struct.unpack_from(form, store, offset)[0])
    return None


def _text(index: _Index, store: bytes, tag: int) -> str:
    kind, offset = index.get(tag, (0, 0))
    end = store.find(b"\0", offset)
    return store[offset:end].decode("ascii", "replace") if kind == _STRING and end >= 0 else ""
