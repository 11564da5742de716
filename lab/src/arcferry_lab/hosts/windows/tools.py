"""What this computer has for the twin's Windows: a compiler, the MSI tools, and Wine."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from arcferry.text import clean
from arcferry_lab.errors import LabError

COMPILER = "x86_64-w64-mingw32-gcc"
_BUILD = {COMPILER: "gcc-mingw-w64-x86-64-win32", "wixl": "wixl", "osslsigncode": "osslsigncode"}
_RUN = {"wine": "wine", "wineserver": "wine64"}
_FOLDERS = ":/usr/lib/wine"
_LAST = 2000


def program(name: str) -> str | None:
    """A program's path; Debian keeps wineserver outside of PATH."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + _FOLDERS)


def cannot_build() -> str | None:
    """Why no MSI can be made here, with the Debian packages that are missing; None where one can."""
    return _missing(_BUILD)


def cannot_run() -> str | None:
    """Why Wine cannot run here, with the Debian packages that are missing; None where it can."""
    return _missing(_RUN)


def _missing(needed: Mapping[str, str]) -> str | None:
    absent = [f"{name} (Debian: {package})" for name, package in needed.items() if program(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


def run_tool(
    name: str,
    *words: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 120,
) -> str:
    """Run one of the tools to its end; returns what it printed.

    Raises:
        LabError: it is missing, failed, or took too long; the last of what it said is in the message.
    """
    path = program(name)
    if path is None:
        raise LabError(f"{name} is not installed")
    try:
        done = subprocess.run(
            [path, *words],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{name} did not end within {seconds:.0f} seconds") from error
    except OSError as error:
        raise LabError(f"{name}: {error.strerror}") from error
    printed = clean(done.stdout[-_LAST:]).strip()
    if done.returncode:
        raise LabError(f"{name} ended with {done.returncode}: {printed}")
    return printed
