"""What this computer has for the twin's Windows: a compiler, the MSI tools, and Wine."""

from collections.abc import Mapping

from arcferry_lab.system import program

COMPILER = "x86_64-w64-mingw32-gcc"
_BUILD = {COMPILER: "gcc-mingw-w64-x86-64-win32", "wixl": "wixl", "osslsigncode": "osslsigncode"}
_RUN = {"wine": "wine", "wineserver": "wine64"}


def cannot_build() -> str | None:
    """Why no MSI can be made here, with the Debian packages that are missing; None where one can."""
    return _missing(_BUILD)


def cannot_run() -> str | None:
    """Why Wine cannot run here, with the Debian packages that are missing; None where it can."""
    return _missing(_RUN)


def _missing(needed: Mapping[str, str]) -> str | None:
    absent = [f"{name} (Debian: {package})" for name, package in needed.items() if program(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None
