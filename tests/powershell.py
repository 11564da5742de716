"""A PowerShell for Windows, which the tests that run scripts share: `powershell`, a fixture of a session's.

It is PowerShell 7.6 on a Windows of Wine's: what only Windows PowerShell 5.1 shows it cannot show. An engine
starts in 0.7 s; `call` runs a script in one that is there already, which takes 30 ms.
"""

import fcntl
import itertools
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath

import pytest

from arcferry_lab.hosts.windows import cannot_run
from arcferry_lab.system import program, tools_folder

CHECKOUT = Path(__file__).parents[1]
ENGINE = r"C:\windows\system32\WindowsPowerShell\v1.0\powershell.exe"
_ARCHIVE = CHECKOUT.parent / "shared/tools/powershell/powershell-7.6.9-win-x64.tar.xz"
_SETTINGS = {
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "mshtml=",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    # .NET maps code twice, writable and executable; under Wine what frees such code then ends the process
    "DOTNET_EnableWriteXorExecute": "0",
}
_REGISTRY = r"""REGEDIT4

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full]
"Release"=dword:00082348
"Version"="4.8.04161"

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion]
"ProductName"="Windows Server 2022 Datacenter"
"EditionID"="ServerDatacenter"
"InstallationType"="Server"
"CurrentBuildNumber"="20348"
"CurrentBuild"="20348"
"""
Done = subprocess.CompletedProcess[bytes]


def cannot_run_powershell() -> str | None:
    """Why no PowerShell can run here; None where one can."""
    reason = cannot_run()
    if reason:
        return reason
    return (
        None
        if _base().is_dir() or _ARCHIVE.is_file()
        else "no PowerShell to run under Wine in the tools' folder"
    )


def windows(path: Path) -> str:
    r"""A path of this system's as Wine's programs name it, on drive Z:."""
    return str(PureWindowsPath("Z:" + str(path.absolute()).replace("/", "\\")))


class PowerShell:
    """A kept-running prefix with an engine in it.

    Attributes:
        folder: the prefix.
    """

    def __init__(self, folder: Path, work: Path) -> None:
        """Start the prefix; `work` takes what programs print."""
        self.folder, self._work = folder, work
        self._count = itertools.count(1)
        self._server: subprocess.Popen[bytes] | None = None
        # Keeps Wine's services alive between runs. They inherit what it has, so it has no pipe but this.
        words = [str(program("wine")), "cmd", "/c", "set", "/p", "line="]
        self._holder = subprocess.Popen(
            words, env=self._variables({}), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def path(self, windows_path: str) -> Path:
        r"""Where a path such as `C:\temp\x` lies."""
        return self.folder.joinpath("drive_c", *PureWindowsPath(windows_path).parts[1:])

    def run(
        self,
        script: Path,
        *words: str,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
        seconds: float = 120,
    ) -> Done:
        """Run a script in an engine of its own, to its end; Unix sees eight bits of its status."""
        return self.engine(
            "-File", windows(script), *words, stdin=stdin, variables=variables, seconds=seconds
        )

    def engine(
        self,
        *words: str,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
        seconds: float = 120,
    ) -> Done:
        """Run the engine with words of its own, such as `-Command`."""
        given = self._work / f"{next(self._count)}.in"
        given.write_bytes(stdin)
        command = [*_command(), *words]
        out, err = given.with_suffix(".out"), given.with_suffix(".err")
        with given.open("rb") as source, out.open("wb") as printed, err.open("wb") as logged:
            done = subprocess.run(
                command, env=self._variables(variables or {}), stdin=source, stdout=printed, stderr=logged,
                check=False, timeout=seconds,
            )  # fmt: skip
        return Done(command, done.returncode, out.read_bytes(), err.read_bytes())

    def call(self, script: Path, *words: str) -> Done:
        """Run a script in a runspace of its own, in the engine that runs already, without standard input."""
        server = self._serving()
        assert server.stdin
        assert server.stdout
        out = self._work / f"{next(self._count)}.out"
        err = out.with_suffix(".err")
        job = {"script": windows(script), "words": words, "out": windows(out), "err": windows(err)}
        server.stdin.write(json.dumps(job).encode("ascii") + b"\r\n")
        server.stdin.flush()
        said = server.stdout.readline().split()
        assert said[:1] == [b"ended"], f"the engine ended over {script}"
        return Done([str(script), *words], int(said[1]), out.read_bytes(), err.read_bytes())

    def stop(self) -> None:
        """End every program of the prefix, and wait until they are gone."""
        for one in (self._server, self._holder):
            if one and one.stdin:
                one.stdin.close()
        server = str(program("wineserver"))
        for option in ("-k", "-w"):
            subprocess.run(
                [server, option], env=self._variables({}), capture_output=True, check=False, timeout=60
            )
        for one in (self._server, self._holder):
            if one:
                one.wait(30)
                if one.stdout:
                    one.stdout.close()

    def _serving(self) -> "subprocess.Popen[bytes]":
        if self._server is None:
            words = [*_command(), "-File", windows(Path(__file__).parent / "serve.ps1")]
            self._server = subprocess.Popen(
                words, env=self._variables({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        return self._server

    def _variables(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return kept | _SETTINGS | {"WINEPREFIX": str(self.folder)} | dict(more)


@pytest.fixture(scope="session")
def powershell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerShell]:
    """The session's own; skipped by name where none can run."""
    reason = cannot_run_powershell()
    if reason:
        pytest.skip(f"no PowerShell here: {reason}")
    work = tmp_path_factory.mktemp("powershell")
    subprocess.run(["cp", "-a", "--reflink=auto", "--", str(_made()), str(work / "prefix")], check=True)
    running = PowerShell(work / "prefix", work)
    yield running
    running.stop()
    shutil.rmtree(work / "prefix")  # 860 MB, which pytest would keep


def _command() -> list[str]:
    return [str(program("wine")), ENGINE, "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass"]


def _base() -> Path:
    return (tools_folder() or CHECKOUT / ".tools") / "powershell-prefix"


def _made() -> Path:
    """The prefix that is copied, made once: 17 s."""
    base = _base()
    base.parent.mkdir(parents=True, exist_ok=True)
    with base.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not base.is_dir():
            _make(base.with_suffix(".new"))
            base.with_suffix(".new").rename(base)
    return base


def _make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    environment = {**os.environ, **_SETTINGS, "WINEPREFIX": str(folder)}
    wine, server = str(program("wine")), str(program("wineserver"))

    none = subprocess.DEVNULL

    def run(*words: str) -> None:
        subprocess.run(words, env=environment, stdin=none, stdout=none, stderr=none, check=True, timeout=180)

    run(wine, "wineboot", "-i")
    run(server, "-w")
    run(wine, "winecfg", "-v", "win10")
    (folder / "drive_c/server.reg").write_text(_REGISTRY)
    run(wine, "regedit", "/S", r"C:\server.reg")
    run(server, "-w")
    with tarfile.open(_ARCHIVE) as archive:
        archive.extractall(folder / "drive_c/windows/system32/WindowsPowerShell/v1.0", filter="data")
