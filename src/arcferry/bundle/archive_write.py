import os
import zlib
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from arcferry.bundle import archive
from arcferry.bundle.archive import Entry
from arcferry.bundle.file import BundleFile


def write_archive(target: BinaryIO, files: Iterable[BundleFile], small: Mapping[str, bytes]) -> None:
    """Write files as a zip in a bundle's one layout, in constant memory, through to the disk.

    Args:
        target: an empty file that can be written anywhere.
        files: what the manifest lists.
        small: the manifest and the seal, by name.

    Raises:
        BundleRefusedError: a file is not what the manifest says.
        OSError: `target` cannot be written, or the disk is full.
    """
    sources: dict[str, BundleFile | bytes] = {**{file.name: file for file in files}, **small}
    entries = []
    position = 0
    for name, source in sorted(sources.items()):
        length = len(source) if isinstance(source, bytes) else source.length
        blank = Entry(name, length, 0, position)
        target.seek(blank.content)
        entry = Entry(name, length, _copy(source, target), position)
        # The header states the checksum, which is only known after the content.
        target.seek(position)
        target.write(archive.local_header(entry))
        entries.append(entry)
        position = entry.end
    target.seek(position)
    target.write(archive.directory(entries, position))
    target.flush()
    os.fsync(target.fileno())


def _copy(source: BundleFile | bytes, target: BinaryIO) -> int:
    if isinstance(source, bytes):
        target.write(source)
        return zlib.crc32(source)
    return source.copy_into(target).crc
