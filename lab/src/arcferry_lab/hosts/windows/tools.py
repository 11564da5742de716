"""What this computer has for the twin's Windows: a compiler, the MSI tools, Wine and an engine."""

import functools
import sys
from collections.abc import Mapping
from pathlib import Path

from arcferry_lab.hosts.tools import namespaces
from arcferry_lab.system import program, tools_folder

COMPILER = "x86_64-w64-mingw32-gcc"
_BUILD = {COMPILER: "gcc-mingw-w64-x86-64-win32", "wixl": "wixl", "osslsigncode": "osslsigncode"}
_RUN = dict.fromkeys(("unshare", "nsenter", "setpriv", "mount"), "util-linux") | {
    "wine": "wine",
    "wineserver": "wine64",
    "hostname": "hostname",
}


def cannot_build() -> str | None:
    """Why no MSI can be made here, with the Debian packages that are missing; None where one can."""
    return _missing(_BUILD)


@functools.cache
def cannot_host() -> str | None:
    """Why no Windows host can run here; None where one can."""
    if sys.platform != "linux":
        return "hosts of the twin need Linux"
    missing = _missing(_BUILD | _RUN)
    if missing:
        return missing
    if engine() is None:
        return "no PowerShell for Windows in the tools' folder"
    if namespaces() is None:
        return "the kernel allows no mount namespaces here: neither as this user nor in a user namespace"
    return None


def windows_tools() -> Path | None:
    """The part of the tools' folder that is Windows'; None where there is no such folder."""
    folder = tools_folder()
    return folder / "windows" if folder else None


def engine() -> Path | None:
    """The PowerShell for Windows that `make tools` laid out; None where it is not at hand."""
    folder = windows_tools()
    found = folder / "powershell" if folder else None
    return found if found and (found / "powershell.exe").is_file() else None


def _missing(needed: Mapping[str, str]) -> str | None:
    absent = [f"{name} (Debian: {package})" for name, package in needed.items() if program(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None
