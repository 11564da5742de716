import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from arcferry.bundle.packages.facts import PackageFacts, UnusablePackageError
from arcferry.text import quoted

if TYPE_CHECKING:
    from arcferry.bundle.packages.compound import Compound

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# CLSID {000C1084-0000-0000-C000-000000000046}, the root storage of an installer package: a patch
# ({000C1086-…}), a transform ({000C1082-…}) or a Word document has another.
_INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")
_NAME = "azure connected machine agent"
_SUMMARY = "\x05SummaryInformation"
_TEMPLATE = 7
_TEXT = 30
_LARGEST_TABLE = 16 * 1024 * 1024
_LARGEST_SUMMARY = 1024 * 1024
_WIDE_REFERENCES = 0x8000
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
# The template's platform, by the names that arcferry and Debian's and Red Hat's packages use.
_PLATFORMS = {"": "x86", "intel": "x86", "x64": "x64", "amd64": "x64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Product:
    """What an MSI says that it installs; empty if it doesn't say.

    Attributes:
        code: the product code, a GUID in braces that each version has its own of.
        platform: x64, x86, arm64, or as the template has it.
    """

    name: str
    version: str
    manufacturer: str
    code: str
    platform: str


def read(stream: BinaryIO, size: int) -> PackageFacts:
    """Read an agent MSI's own version and processor.

    Raises:
        UnusablePackageError: not an installer package, cut short, damaged, or of another program.
    """
    stated = product(stream, size)
    if stated.name.strip().casefold() != _NAME:
        raise UnusablePackageError(
            f"installs {quoted(stated.name, limit=100)}, not the Azure Connected Machine Agent"
        )
    return PackageFacts(stated.version, stated.platform)


def product(stream: BinaryIO, size: int) -> Product:
    """Read what an OLE compound file says as a Windows Installer package.

    Source: Microsoft's Windows Installer reference, "Property Table" and "Summary Information Stream". How
    tables lie in the file is not in it; they are read here as msitools 0.101 writes them.

    Raises:
        UnusablePackageError: not an installer package, cut short, or damaged.
    """
    # olefile is loaded for an MSI only.
    from arcferry.bundle.packages.compound import Compound  # noqa: PLC0415 - as said

    _check_header(stream, size)
    try:
        msi = Compound(stream)
        if msi.root.clsid != _INSTALLER:
            raise UnusablePackageError("is an OLE file, but not an installer package (MSI)")
        msi.check_whole()
        properties = _properties(msi)
        platform = _platform(_stream(msi, _SUMMARY, limit=_LARGEST_SUMMARY))
    except (struct.error, IndexError, UnicodeError, LookupError) as error:
        raise UnusablePackageError(f"is damaged: its tables cannot be read ({error})") from error
    return Product(
        name=properties.get("ProductName", ""),
        version=properties.get("ProductVersion", ""),
        manufacturer=properties.get("Manufacturer", ""),
        code=properties.get("ProductCode", ""),
        platform=platform,
    )


def _check_header(stream: BinaryIO, size: int) -> None:
    """The one damage worth words of its own: a download that broke off."""
    stream.seek(0)
    header = stream.read(512)
    if len(header) < 512:  # noqa: PLR2004 - the header's size
        raise UnusablePackageError("is cut short in its header")
    shift, directory = struct.unpack_from("<H", header, 30)[0], struct.unpack_from("<I", header, 48)[0]
    if shift in {9, 12} and (directory + 2) << shift > size:
        raise UnusablePackageError(
            f"is cut short: its directory is at byte {(directory + 1) << shift:,}, the file ends at {size:,}"
        )


def _properties(msi: "Compound") -> dict[str, str]:
    """The Property table: all names, then all values, as references into the string pool."""
    strings, width = _strings(_table(msi, "_StringPool"), _table(msi, "_StringData"))
    references = _table(msi, "Property")
    count = len(references) // (2 * width)
    cells = [
        strings[int.from_bytes(references[at : at + width], "little")]
        for at in range(0, 2 * width * count, width)
    ]
    return dict(zip(cells[:count], cells[count:], strict=True))


def _strings(pool: bytes, data: bytes) -> tuple[list[str], int]:
    """The pool's strings by their numbers, and how many bytes a reference to one takes."""
    codepage, flags = struct.unpack_from("<HH", pool)
    codepage |= (flags & ~_WIDE_REFERENCES) << 16
    encoding = {0: "cp1252", 65001: "utf-8"}.get(codepage, f"cp{codepage}")
    strings = [""]
    at, start = 4, 0
    while at < len(pool):
        length, references = struct.unpack_from("<HH", pool, at)
        at += 4
        if length == 0 and references:
            # A string of 64 KB or more has its length in a second entry.
            (length,) = struct.unpack_from("<I", pool, at)
            at += 4
        strings.append(data[start : start + length].decode(encoding, "replace"))
        start += length
    if start > len(data):
        raise UnusablePackageError("is damaged: its string pool is longer than its strings")
    return strings, 3 if flags & _WIDE_REFERENCES else 2


def _platform(summary: bytes) -> str:
    """The processor in the Template property ("x64;1033") of a property set ([MS-OLEPS])."""
    (section,) = struct.unpack_from("<I", summary, 44)
    (count,) = struct.unpack_from("<I", summary, section + 4)
    for index in range(min(count, 64)):
        identifier, offset = struct.unpack_from("<II", summary, section + 8 + 8 * index)
        if identifier != _TEMPLATE:
            continue
        kind, length = struct.unpack_from("<II", summary, section + offset)
        if kind == _TEXT:
            text = (
                summary[section + offset + 8 :][: min(length, 256)].split(b"\0")[0].decode("ascii", "replace")
            )
            platform = text.partition(";")[0].split(",")[0].strip().casefold()
            return _PLATFORMS.get(platform, platform)
    raise UnusablePackageError("is damaged: it does not say which processor it is for")


def _table(msi: "Compound", name: str) -> bytes:
    return _stream(msi, _mangled(name), limit=_LARGEST_TABLE)


def _stream(msi: "Compound", name: str, *, limit: int) -> bytes:
    entry = msi.child(name)
    if entry is None:
        raise UnusablePackageError("is damaged: one of the tables that every MSI has is missing")
    return msi.read(entry, limit=limit)


def _mangled(table: str) -> str:
    """The name of a table's stream: two letters to a character, behind a mark for tables."""
    numbers = [_LETTERS.index(letter) for letter in table]
    pairs = [numbers[at : at + 2] for at in range(0, len(numbers), 2)]
    return chr(0x4840) + "".join(
        chr(0x3800 + pair[0] + (pair[1] << 6)) if len(pair) > 1 else chr(0x4800 + pair[0]) for pair in pairs
    )
