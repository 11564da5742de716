import io
import lzma
import tarfile
import zlib
from email.parser import Parser
from typing import BinaryIO

from arcferry.bundle.packages.facts import PackageFacts, UnusablePackageError
from arcferry.numbers import whole
from arcferry.text import quoted

MAGIC = b"!<arch>\n"
_NAME = "azcmagent"
_MEMBER_HEADER = 60
_LARGEST_CONTROL = 4 * 1024 * 1024
# 4 MB of gzip can unpack to 4 GB; real control data is far smaller.
_LARGEST_UNPACKED = 16 * 1024 * 1024
_MOST_MEMBERS = 16
_LARGEST_MEMBER = 10**10 - 1


def read(stream: BinaryIO, size: int) -> PackageFacts:
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
    stream.seek(len(MAGIC))
    control: str | None = None
    seen = []
    for _ in range(_MOST_MEMBERS):
        header = stream.read(_MEMBER_HEADER)
        if not header:
            break
        name, length = _member(header)
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


def _member(header: bytes) -> tuple[str, int]:
    name, digits = header[:16].decode("ascii", "replace").rstrip(" /"), header[48:58].strip()
    size = whole(digits, most=_LARGEST_MEMBER)
    if len(header) < _MEMBER_HEADER or header[58:] != b"`\n" or size is None:
        raise UnusablePackageError("is not a whole Debian package: a member's header is damaged")
    return name, size


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
