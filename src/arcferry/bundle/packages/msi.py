import struct
from typing import BinaryIO

from arcferry.bundle.packages.facts import PackageFacts, UnusablePackageError

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# CLSID {000C1084-0000-0000-C000-000000000046}, the root storage of an installer package: a patch
# ({000C1086-…}), a transform ({000C1082-…}) or a Word document has another.
_INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")
_SECTOR_SHIFTS = {3: 9, 4: 12}


def read(stream: BinaryIO, size: int) -> PackageFacts:
    """Check that an OLE compound file ([MS-CFB]) is a Windows Installer package.

    The version lies in a database table inside, so it is taken from the file name instead.

    Raises:
        UnusablePackageError: not a compound file, cut short, or another kind of document.
    """
    stream.seek(0)
    header = stream.read(512)
    if len(header) < 512:  # noqa: PLR2004 - the header's size
        raise UnusablePackageError("is cut short in its header")
    major, order, shift = struct.unpack_from("<HHH", header, 26)
    if order != 0xFFFE or _SECTOR_SHIFTS.get(major) != shift:  # noqa: PLR2004 - little-endian mark
        raise UnusablePackageError("is not a whole MSI: its header is damaged")
    (directory,) = struct.unpack_from("<I", header, 48)
    root = (directory + 1) << shift
    if root + 128 > size:
        raise UnusablePackageError(
            f"is cut short: its directory is at byte {root:,}, the file ends at {size:,}"
        )
    stream.seek(root + 80)
    if stream.read(16) != _INSTALLER:
        raise UnusablePackageError("is an OLE file, but not an installer package (MSI)")
    return PackageFacts("", "x64")
