"""What an agent package says of itself, whatever its format."""

import io
import lzma
import re
import struct
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from typing import BinaryIO

from arcferry.bundle.manifest import PackageFormat
from arcferry.errors import FileInputError
from arcferry.text import quoted, whole

_NAME = "azcmagent"
_MSI, _DEB, _RPM = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"!<arch>\n", b"\xed\xab\xee\xdb"
_IN_NAME = re.compile(r"(?<![\w.])v?([0-9]+\.[0-9][0-9.]*(?:[-+~][0-9][0-9A-Za-z.~+]*)?)(?=[ .-]|$)")
_ARCH_IN_NAME = re.compile(r"(?:^|[_.-])(amd64|arm64|x86_64|aarch64|x64)(?=[_.-]|$)")
_PLAIN = re.compile(r"[A-Za-z0-9.+:~_^-]{0,100}")

_MEMBER_HEADER = 60
_LARGEST_CONTROL = 4 * 1024 * 1024
# 4 MB of gzip can unpack to 4 GB; real control data is far smaller.
_LARGEST_UNPACKED = 16 * 1024 * 1024
_MOST_MEMBERS = 16
_LARGEST_MEMBER = 10**10 - 1

_LEAD = 96
_HEADER = b"\x8e\xad\xe8\x01"
_LARGEST_HEADER = 64 * 1024 * 1024
_SIZE_TAG, _LONG_SIZE_TAG = 1000, 270
_NAME_TAG, _VERSION_TAG, _RELEASE_TAG, _ARCH_TAG = 1000, 1001, 1002, 1022
_INT32, _INT64, _STRING = 4, 5, 6

_Index = dict[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """What a package says about itself; empty if it cannot be read."""

    version: str = ""
    architecture: str = ""


class UnusablePackageError(Exception):
    """A file's content is not a whole agent package; the text completes "FILE …"."""


def inspect(path: Path, *, called: Path | None = None) -> tuple[PackageFormat, PackageFacts]:
    """Recognise an agent package by its content, and read its version and architecture.

    Args:
        path: the file to read.
        called: the name to use in errors and to take a version from, if it is not `path`.

    Raises:
        FileInputError: unreadable, no agent package, or a damaged one.
    """
    called = called or path
    try:
        if not path.is_file():
            raise FileInputError(called, "is not a file" if path.exists() else "no such file")
        with path.open("rb") as stream:
            size = path.stat().st_size
            start = stream.read(8)
            for magic, package_format, read in _READERS:
                if start.startswith(magic):
                    return package_format, _completed(read(stream, size), called, package_format)
    except UnusablePackageError as error:
        raise FileInputError(called, str(error), hint="Download it again, or copy it again.") from error
    except OSError as error:
        raise FileInputError(called, error.strerror or "cannot be read") from error
    raise FileInputError(
        called,
        "is not an agent package: its content is neither MSI, deb nor rpm" if size else "is empty",
        hint="A page saved instead of the package looks like this; open it in an editor.",
    )


def _completed(facts: PackageFacts, called: Path, package_format: PackageFormat) -> PackageFacts:
    """Facts that the package does not tell, taken from its file name."""
    stem = called.name.removesuffix(f".{package_format}")
    version = _IN_NAME.search(stem.replace("_", " ").replace("AzureConnectedMachineAgent", " "))
    architecture = _ARCH_IN_NAME.search(stem)
    found = PackageFacts(
        facts.version or (version[1].strip(".") if version else ""),
        facts.architecture or (architecture[1] if architecture else ""),
    )
    if not _PLAIN.fullmatch(found.version) or not _PLAIN.fullmatch(found.architecture):
        raise UnusablePackageError("states a version or an architecture in characters that neither may have")
    return found


def read_deb(stream: BinaryIO, size: int) -> PackageFacts:
    """Read a Debian package's own name, version and architecture (deb(5)).

    Control data in Zstandard, which Python 3.11 cannot unpack, leaves them empty.

    Raises:
        UnusablePackageError: not a Debian package, cut short, or of another program.
    """
    control = _control(stream, size)
    if control is None:
        return PackageFacts()
    fields = Parser().parsestr(control)
    if fields.get("Package", "") != _NAME:
        raise UnusablePackageError(
            f"is the Debian package {quoted(fields.get('Package', ''))}, not {quoted(_NAME)}"
        )
    return PackageFacts(fields.get("Version", ""), fields.get("Architecture", ""))


def _control(stream: BinaryIO, size: int) -> str | None:
    """The control file's text; None if its compression is not known here."""
    stream.seek(len(_DEB))
    control: str | None = None
    seen = []
    for _ in range(_MOST_MEMBERS):
        header = stream.read(_MEMBER_HEADER)
        if not header:
            break
        name = header[:16].decode("ascii", "replace").rstrip(" /")
        length = whole(header[48:58].strip(), most=_LARGEST_MEMBER)
        if len(header) < _MEMBER_HEADER or header[58:] != b"`\n" or length is None:
            raise UnusablePackageError("is not a whole Debian package: a member's header is damaged")
        start = stream.tell()
        if start + length > size:
            raise UnusablePackageError(
                f"is cut short: {name} ends at byte {start + length:,}, the file at {size:,}"
            )
        if name.startswith("control.tar"):
            control = _control_file(name, stream, length)
        seen.append(name.partition(".tar")[0])
        stream.seek(start + length + length % 2)
    if seen[:1] != ["debian-binary"] or "control" not in seen or "data" not in seen:
        raise UnusablePackageError("is an ar archive, but not a Debian package")
    return control


def _control_file(name: str, stream: BinaryIO, length: int) -> str | None:
    if length > _LARGEST_CONTROL:
        raise UnusablePackageError(f"its {name} is larger than any control data")
    try:
        unpacked = _unpacked(name, stream.read(length))
        if unpacked is None:
            return None
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            found = next((entry for entry in archive if entry.name in {"./control", "control"}), None)
            content = archive.extractfile(found) if found else None
            if content is None:
                raise UnusablePackageError("has no control file")
            return content.read(_LARGEST_CONTROL).decode("utf-8", "replace")
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError) as error:
        raise UnusablePackageError(f"its {name} cannot be unpacked") from error


def _unpacked(name: str, raw: bytes) -> bytes | None:
    """At most `_LARGEST_UNPACKED` bytes; what lies behind them is not looked at."""
    if name.endswith(".gz"):
        return zlib.decompressobj(wbits=31).decompress(raw, _LARGEST_UNPACKED)
    if name.endswith(".xz"):
        return lzma.LZMADecompressor(memlimit=256 * 1024 * 1024).decompress(raw, _LARGEST_UNPACKED)
    return raw if name.endswith(".tar") else None


def read_rpm(stream: BinaryIO, size: int) -> PackageFacts:
    """Read an RPM package's version-release and architecture (RPM V4 format: lead, signature, header).

    Raises:
        UnusablePackageError: not an RPM package, cut short, or of another program.
    """
    stream.seek(_LEAD)
    signature, store = _header(stream)
    expected = None
    for tag, kind, form in ((_SIZE_TAG, _INT32, ">I"), (_LONG_SIZE_TAG, _INT64, ">Q")):
        found, offset = signature.get(tag, (0, 0))
        if found == kind and offset + struct.calcsize(form) <= len(store):
            expected = int(struct.unpack_from(form, store, offset)[0])
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


def _text(index: _Index, store: bytes, tag: int) -> str:
    kind, offset = index.get(tag, (0, 0))
    end = store.find(b"\0", offset)
    return store[offset:end].decode("ascii", "replace") if kind == _STRING and end >= 0 else ""


def _read_msi(stream: BinaryIO, size: int) -> PackageFacts:
    from arcferry.bundle.packages import msi  # noqa: PLC0415 - it takes its types from here

    return msi.read(stream, size)


_READERS: tuple[tuple[bytes, PackageFormat, Callable[[BinaryIO, int], PackageFacts]], ...] = (
    (_MSI, PackageFormat.MSI, _read_msi),
    (_DEB, PackageFormat.DEB, read_deb),
    (_RPM, PackageFormat.RPM, read_rpm),
)
