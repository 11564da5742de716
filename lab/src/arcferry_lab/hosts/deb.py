"""Writing a Debian package: an `ar` archive of two tar archives, the same bytes for the same content.

Written here and not by dpkg-deb, so that a package can be built on a computer that has none.
"""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from arcferry_lab.hosts.packaged import PackagedFile, source_moment


def deb_bytes(control: Mapping[str, PackagedFile], content: Mapping[str, PackagedFile]) -> bytes:
    """A package as dpkg reads it.

    Args:
        control: `control` itself and the maintainer scripts, by file name.
        content: what is installed, by absolute path; folders on the way are made.
    """
    moment = source_moment()
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": _tar(control, moment),
        "data.tar.gz": _tar(content, moment),
    }
    return b"!<arch>\n" + b"".join(_member(name, data, moment) for name, data in parts.items())


def _tar(files: Mapping[str, PackagedFile], moment: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for folder in _folders(files):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(_owned_by_root(entry, moment))
        for path in sorted(files):
            entry = tarfile.TarInfo(f"./{path.lstrip('/')}")
            entry.size, entry.mode = len(files[path].data), files[path].mode
            archive.addfile(_owned_by_root(entry, moment), io.BytesIO(files[path].data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def _folders(files: Mapping[str, PackagedFile]) -> list[str]:
    parents = {parent for path in files for parent in PurePosixPath(path.lstrip("/")).parents}
    return sorted(f"./{parent}" if str(parent) != "." else "./" for parent in parents)


def _owned_by_root(entry: tarfile.TarInfo, moment: int) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = moment
    return entry


def _member(name: str, data: bytes, moment: int) -> bytes:
    head = f"{name:<16}{moment:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
    return head + data + b"\n" * (len(data) % 2)
