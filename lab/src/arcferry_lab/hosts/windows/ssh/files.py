r"""Files as sftp-server.exe shows them: `/C:/folder/name` for `C:\folder\name`, and no way off the drive."""

import os
from collections.abc import Sequence
from pathlib import Path

import asyncssh

from arcferry_lab.hosts.windows.host import beneath

# What no name on Windows holds, and so a drive other than C: and a stream beside a file.
_NEVER = frozenset('<>:"|?*') | {chr(code) for code in range(32)}
# What CreateFile opens wherever it stands: a device.
_PORTS = (f"{kind}{number}" for kind in ("com", "lpt") for number in range(1, 10))
_DEVICES = frozenset({"con", "prn", "aux", "nul", *_PORTS})


class DriveFiles(asyncssh.SFTPServer):
    """One client's view of drive C:."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", drive: Path, home: Sequence[str]) -> None:
        """Serve `drive`, a folder here; the parts of `home` lead to the user's folder on it."""
        super().__init__(channel)
        self._drive = drive
        self._home = tuple(home)

    def map_path(self, path: bytes) -> bytes:
        """Where a client's path lies here, in whatever letters it is written.

        Raises:
            asyncssh.SFTPNoSuchFile: it is no path on drive C:.
        """
        place = self._drive
        for part in self._parts(path):
            place = beneath(place, part)
            # Wine's own lead to the computer that it runs on.
            if place.is_symlink():
                raise _no_such_file()
        return os.fsencode(place)

    def realpath(self, path: bytes) -> bytes:
        """The whole path, for a client that says `.`."""
        return "/".join(("/C:", *self._parts(path))).encode()

    def readlink(self, path: bytes) -> bytes:
        """There are no links here."""
        raise asyncssh.SFTPFailure(f"{path.decode(errors='replace')} is no link")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:  # noqa: ARG002 - asyncssh's names
        """Windows lets few make one."""
        raise asyncssh.SFTPPermissionDenied("a required privilege is not held by the client")

    def link(self, oldpath: bytes, newpath: bytes) -> None:  # noqa: ARG002 - asyncssh's names
        """The twin has none."""
        raise asyncssh.SFTPOpUnsupported("hard links are not served")

    def exit(self) -> None:
        """With the exit status that scp asks for, where it copies by SFTP."""
        if not self.channel.is_closing():
            self.channel.exit(0)

    def _parts(self, path: bytes) -> list[str]:
        try:
            text = path.decode().replace("\\", "/")
        except UnicodeDecodeError:
            raise _no_such_file() from None
        parts = [part for part in text.split("/") if part not in {"", "."}]
        # `/C:/x`, and `C:/x` as an scp that speaks SFTP has it.
        if parts and parts[0].upper() == "C:":
            del parts[0]
        elif not text.startswith("/"):
            parts = [*self._home, *parts]
        found: list[str] = []
        for part in parts:
            if part == "..":
                del found[-1:]
            elif _NEVER & set(part) or part.partition(".")[0].strip().lower() in _DEVICES:
                raise _no_such_file()
            else:
                # Windows drops what a name ends with, so that `name.` is `name`.
                found.append(part.rstrip(". ") or part)
        return found


def _no_such_file() -> asyncssh.SFTPNoSuchFile:
    return asyncssh.SFTPNoSuchFile("No such file or directory")
