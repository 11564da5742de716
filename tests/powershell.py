"""A PowerShell for Windows, which the tests that run scripts share: `powershell`, a fixture of a session's.

It is PowerShell 7.6 on a Windows of Wine's: what only Windows PowerShell 5.1 shows it cannot show. An engine
starts in 0.7 s; `call` runs a script in one that is there already, which takes 30 ms.
"""

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath

import pytest
from tests.windows_host import need_windows

from arcferry_lab.hosts.windows.base import base_prefix, environment
from arcferry_lab.hosts.windows.host import POWERSHELL as ENGINE
from arcferry_lab.hosts.windows.settings import DOMAIN
from arcferry_lab.hosts.windows.versions import DEFAULT_VERSION, registry, version_of
from arcferry_lab.system import program

Done = subprocess.CompletedProcess[bytes]


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
        return environment(self.folder, self._work) | dict(more)


@pytest.fixture(scope="session")
def powershell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerShell]:
    """The session's own; skipped by name where none can run."""
    need_windows()
    work = tmp_path_factory.mktemp("powershell")
    prefix = work / "prefix"
    subprocess.run(["cp", "-a", "--reflink=auto", "--", str(base_prefix()), str(prefix)], check=True)
    (prefix / "dosdevices/z:").symlink_to("/")
    with (prefix / "system.reg").open("a", encoding="utf-8") as written:
        written.write(registry(version_of(DEFAULT_VERSION), "win01", DOMAIN))
    running = PowerShell(prefix, work)
    yield running
    running.stop()
    shutil.rmtree(prefix)  # 860 MB, which pytest would keep


def _command() -> list[str]:
    return [str(program("wine")), ENGINE, "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass"]
