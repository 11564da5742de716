"""What this computer has: Linux or not, its programs, and those that `make tools` unpacked."""

import os
import platform
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from arcferry.text import clean
from arcferry_lab.errors import LabError

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_LAST = 2000
_REMOVALS, _REMOVAL_SECONDS = 50, 0.01


def require_linux() -> None:
    """Refuse a system on which the loopback network cannot be.

    Raises:
        LabError: this is no Linux.
    """
    if not sys.platform.startswith("linux"):
        raise LabError(
            f"the lab needs Linux, where all of 127.0.0.0/8 is local; this is {sys.platform}",
            hint="Run it in a Linux machine or container; WSL 2 will do.",
        )


def program(name: str) -> str | None:
    """The path of a system program.

    An ordinary user's PATH often lacks the folders it is in, and Debian keeps wineserver outside of any PATH.
    """
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}:/usr/lib/wine")


def tools_folder() -> Path | None:
    """The folder that ARCFERRY_TOOLS names, else `.tools` beside the environment that arcferry runs in.

    `make tools` unpacks there. One that is a link, or of another owner than the environment, is not used:
    programs are run from it.
    """
    named = os.environ.get("ARCFERRY_TOOLS")
    if named:
        return Path(named).resolve()
    environment = Path(sys.prefix)
    beside = environment.parent / ".tools"
    try:
        found, own = beside.lstat(), environment.stat()
    except OSError:
        return None
    return beside if stat.S_ISDIR(found.st_mode) and found.st_uid == own.st_uid else None


def unpacked_libraries(folder: Path) -> str:
    """A value for LD_LIBRARY_PATH, for a program that was unpacked into a folder."""
    triplet = f"{platform.machine()}-linux-gnu"
    folders = (folder / part / triplet for part in ("usr/lib", "lib"))
    return ":".join(str(path) for path in folders if path.is_dir())


def remove_tree(folder: Path) -> None:
    """Remove a folder in which the last processes of a killed host may write for some moments more.

    Raises:
        OSError: it cannot be removed.
    """
    for _ in range(_REMOVALS):
        with suppress(OSError):
            shutil.rmtree(folder)
            return
        if not folder.exists():
            return
        time.sleep(_REMOVAL_SECONDS)
    shutil.rmtree(folder)


def run_tool(
    name: str,
    *words: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 120,
) -> str:
    """Run a program to its end; returns what it printed.

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
