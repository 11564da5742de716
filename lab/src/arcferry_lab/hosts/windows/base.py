"""The Windows that every host starts from: made once by Wine, kept in the tools' folder, and never run in."""

import fcntl
import functools
import hashlib
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.programs import compile_programs, lay_out_modules, program_sources
from arcferry_lab.hosts.windows.tools import cannot_host, windows_tools
from arcferry_lab.hosts.windows.tools import engine as engine_folder
from arcferry_lab.system import run_tool

POWERSHELL_FOLDER = "windows/system32/WindowsPowerShell/v1.0"
_MADE_SECONDS = 180
# Not without mscoree: assemblies without machine code import it. No colours: Windows PowerShell prints none.
_SETTINGS = {
    "WINEDEBUG": "-all",
    # in system32 Wine takes its own programs before others of the same names
    "WINEDLLOVERRIDES": "mshtml=;certutil.exe,icacls.exe,msiexec.exe,schtasks.exe=n,b",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    # .NET maps code twice, writable and executable; under Wine what frees such code then ends the process
    "DOTNET_EnableWriteXorExecute": "0",
    "POWERSHELL_TELEMETRY_OPTOUT": "1",
    "POWERSHELL_UPDATECHECK": "Off",
}


def environment(prefix: Path, home: Path, user: str = "Administrator") -> dict[str, str]:
    """The variables that Wine runs with in a prefix, and nothing of this process's but its PATH."""
    own = {"WINEPREFIX": str(prefix), "HOME": str(home), "USER": user, "LOGNAME": user}
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin")} | _SETTINGS | own


def base_prefix() -> Path:
    """The base, made where it is not there yet: 20 seconds and 900 MB, once for this Wine and this engine.

    Raises:
        LabError: Windows hosts cannot run here, or Wine could not fill it.
    """
    reason = cannot_host()
    folder, engine = windows_tools(), engine_folder()
    if reason or folder is None or engine is None:
        raise LabError(f"Windows hosts cannot run here: {reason}")
    base = folder / f"base-{_key(engine)}"
    if base.is_dir():
        return base
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not base.is_dir():
            for old in folder.glob("making-*"):
                shutil.rmtree(old, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix="making-", dir=folder) as made:
                _make(Path(made) / "prefix", engine)
                (Path(made) / "prefix").rename(base)
    return base


def _make(prefix: Path, engine: Path) -> None:
    prefix.mkdir()
    home = prefix.parent
    known = environment(prefix, home)
    for words in (("wineboot", "-i"), ("winecfg", "-v", "win10")):
        _wine(known, *words)
    # Wine shares the whole computer as drive Z: by default, which a server does not have
    for name in (prefix / "dosdevices").iterdir():
        if name.name != "c:":
            name.unlink()
    target = prefix / "drive_c" / POWERSHELL_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(engine, target, copy_function=os.link)
    system = prefix / "drive_c/windows/system32"
    compile_programs(system)
    lay_out_modules(target / "engine/Modules", [path.name for path in system.glob("*.exe")])


def _wine(known: dict[str, str], *words: str) -> None:
    """To the end of all that it started; without a pipe, which a service would hold open."""
    run_tool("sh", "-c", 'wine "$@" >/dev/null 2>&1', "sh", *words, env=known, seconds=_MADE_SECONDS)
    run_tool("wineserver", "-w", env=known, seconds=_MADE_SECONDS)


@functools.cache
def _key(engine: Path) -> str:
    """What a base depends on: Wine, the engine, and what is made here."""
    said = hashlib.sha256(run_tool("sh", "-c", "wine --version 2>/dev/null").encode())
    for path in sorted(engine.glob("*.exe")):
        said.update(hashlib.sha256(path.read_bytes()).digest())
    own = resources.files(__package__).joinpath("base.py").read_bytes()
    for data in (own, *program_sources().values()):
        said.update(hashlib.sha256(data).digest())
    return said.hexdigest()[:12]
