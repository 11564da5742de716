"""Which of dpkg and rpm a host finds: its own, and not the other one that this computer may have."""

import shlex
from pathlib import Path

from arcferry.files import write_whole
from arcferry_lab.hosts.packaged import PackageKind
from arcferry_lab.hosts.tools import unpacked_libraries, unpacked_rpm

_PROGRAMS = Path("/usr/bin")
_OTHERS: dict[PackageKind, tuple[str, ...]] = {"deb": ("rpm",), "rpm": ("dpkg", "apt")}


def hidden_programs(packages: PackageKind) -> tuple[str, ...]:
    """The other kind's programs, whose names all begin alike."""
    found = (path for path in _PROGRAMS.iterdir() if path.name.startswith(_OTHERS[packages]))
    return tuple(sorted(str(path) for path in found if not path.is_symlink()))


def added_programs(packages: PackageKind, folder: Path) -> Path | None:
    """A folder of programs that a host finds in /usr/bin beside this computer's; None where it needs none.

    Raises:
        FileInputError: the folder cannot be written.
    """
    unpacked = unpacked_rpm() if packages == "rpm" else None
    if unpacked is None:
        return None
    settings = (
        f"RPM_CONFIGDIR={unpacked / 'usr/lib/rpm'}",
        f"LD_LIBRARY_PATH={unpacked_libraries(unpacked)}",
    )
    words = shlex.join(["env", *settings, str(unpacked / "usr/bin/rpm")])
    write_whole(folder / "rpm", f'#!/bin/sh\nexec {words} "$@"\n'.encode(), mode=0o755)
    return folder
