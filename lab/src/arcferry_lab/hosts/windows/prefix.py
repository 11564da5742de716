"""A Windows of Wine's, in a folder: programs run in it with their real exit codes."""

import itertools
import json
import os
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path, PureWindowsPath
from types import TracebackType
from typing import Self

from arcferry import files
from arcferry.text import quoted
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.tools import cannot_run
from arcferry_lab.system import program, run_tool

AGENT = r"C:\Program Files\AzureConnectedMachineAgent\azcmagent.exe"
MSIEXEC = r"C:\windows\system32\msiexec.exe"
_WORK = r"C:\arcferry"
_CA = r"C:\ProgramData\arcferry-lab-ca.pem"
_LAB = r"C:\ProgramData\arcferry-lab.json"
_MADE_SECONDS = 180
_END_SECONDS = 30
_OUTPUT_LIMIT = 1 << 20
# Neither .NET nor a browser, nor a window: nothing is asked, and nothing is fetched.
_SETTINGS = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=", "LC_ALL": "C.UTF-8"}
_FOR_CMD = re.compile(r'[&|<>^%"!\r\n]')


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program gave; each text is its first MiB."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class LabSettings:
    """How the agent reaches the twin's Azure.

    Attributes:
        resolver: `ADDRESS:PORT` of the DNS server that it asks.
        service_port: where the twin's services listen in place of 443.
        ca_pem: the only CA that it trusts.
        address: a loopback address that its connections come from; any where empty.
        blocked: names to which its connections time out.
    """

    resolver: str
    service_port: int
    ca_pem: bytes
    address: str = ""
    blocked: tuple[str, ...] = ()


class WinePrefix:
    """A running prefix.

    A waiting program keeps Wine's services alive between runs, so that a run takes 0.1 s instead of 3 s. It
    ends when this process does, however that happens, and the services with it.

    Attributes:
        folder: the prefix.
        drive: its drive C:.
    """

    def __init__(self, folder: Path) -> None:
        """Start the prefix in `folder`, which `make` or `copy_of` gave.

        Raises:
            LabError: Wine is not installed, or does not start.
        """
        reason = cannot_run()
        if reason:
            raise LabError(f"Wine cannot run here: {reason}")
        self.folder = folder.absolute()
        self.drive = self.folder / "drive_c"
        shutil.rmtree(self.path(_WORK), ignore_errors=True)
        self.path(_WORK).mkdir()
        self._count = itertools.count(1)
        self._holder = subprocess.Popen(
            [str(program("wine")), "cmd", "/c", "set", "/p", "line="],
            env=_environment(self.folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @staticmethod
    def make(folder: Path) -> None:
        """Make a new prefix; takes ten seconds and 700 MB.

        Raises:
            LabError: the folder exists, or Wine could not fill it.
        """
        if folder.exists():
            raise LabError(f"{folder} exists", hint="Name a folder that does not, and remove old prefixes.")
        folder.mkdir(parents=True)
        _wine(folder.absolute(), "wineboot", "-i", seconds=_MADE_SECONDS)
        run_tool("wineserver", "-w", env=_environment(folder.absolute()), seconds=_MADE_SECONDS)

    @staticmethod
    def copy_of(source: Path, folder: Path) -> None:
        """Copy a prefix that does not run; takes two seconds.

        Raises:
            LabError: it could not be copied.
        """
        # Files are copied, not linked: a program in one prefix must not change another.
        run_tool("cp", "-a", "--reflink=auto", "--", str(source), str(folder))

    def path(self, windows_path: str) -> Path:
        r"""Where a path such as `C:\temp\x` lies.

        Raises:
            LabError: it is not on drive C:.
        """
        parsed = PureWindowsPath(windows_path)
        if parsed.drive.upper() != "C:" or not parsed.root or ".." in parsed.parts:
            raise LabError(f"{quoted(windows_path)} is no full path on drive C:")
        return self.drive.joinpath(*parsed.parts[1:])

    def put(self, source: Path, windows_path: str) -> str:
        """Copy a file in; returns its path there.

        Raises:
            LabError: the path is not on drive C:.
        """
        target = self.path(windows_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return windows_path

    def connect_to(self, settings: LabSettings) -> None:
        """Tell the agent how to reach the twin's Azure."""
        document = asdict(settings) | {"ca_file": _CA}
        del document["ca_pem"]
        files.write_whole(self.path(_CA), settings.ca_pem)
        files.write_whole(self.path(_LAB), json.dumps(document).encode())

    def run(self, program_path: str, *words: str, seconds: float = 60) -> ProgramResult:
        """Run a console program to its end.

        Raises:
            LabError: a word that cmd.exe would change, or the program did not end in time.
        """
        return self._run(_line(program_path, *words), seconds)

    def msiexec(self, *words: str, seconds: float = 120) -> int:
        """Run Windows Installer, which has a window's program, to its end; returns the whole exit code.

        Raises:
            LabError: as `run`.
        """
        return self._run(f'start /wait "" {_line(MSIEXEC, *words)}', seconds).exit_code

    def agent(self, *words: str, seconds: float = 60) -> ProgramResult:
        """Run the installed agent."""
        return self.run(AGENT, *words, seconds=seconds)

    def stop(self) -> None:
        """End every program of the prefix, and wait until they are gone."""
        if self._holder.stdin:
            self._holder.stdin.close()
        environment = _environment(self.folder)
        server = str(program("wineserver"))
        # It ends with 1 where no program of the prefix runs any more.
        for option in ("-k", "-w"):
            subprocess.run(
                [server, option], env=environment, capture_output=True, check=False, timeout=_END_SECONDS
            )
        self._holder.wait(_END_SECONDS)

    def _run(self, line: str, seconds: float) -> ProgramResult:
        """Through a batch file, because of an exit code Unix sees the last eight bits alone."""
        # New names each time: what an earlier program left running may still hold its own.
        name = f"run{next(self._count)}"
        batch, code, out, err = (self.path(rf"{_WORK}\{name}.{end}") for end in ("cmd", "code", "out", "err"))
        lines = (
            "@echo off",
            rf"{line} >{_WORK}\{name}.out 2>{_WORK}\{name}.err",
            rf">{_WORK}\{name}.code echo %ERRORLEVEL%",
            "exit 0",
        )
        batch.write_bytes("".join(f"{part}\r\n" for part in lines).encode())
        _wine(self.folder, "cmd", "/c", rf"{_WORK}\{name}.cmd", seconds=seconds)
        number = code.read_text(encoding="ascii").strip() if code.exists() else ""
        if not number.lstrip("-").isdecimal():
            raise LabError(f"Wine gave no exit code for {line}")
        return ProgramResult(int(number), _text(out), _text(err))


def _wine(prefix: Path, *words: str, seconds: float) -> None:
    """Run Wine to its end, without pipes: its services would inherit them, and hold them open."""
    try:
        done = subprocess.run(
            [str(program("wine")), *words],
            env=_environment(prefix),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{words[-1]} did not end within {seconds:.0f} seconds in Wine") from error
    except OSError as error:
        raise LabError(f"wine: {error.strerror}") from error
    if done.returncode:
        raise LabError(f"wine {' '.join(words)} ended with {done.returncode}")


def _line(*words: str) -> str:
    """A command line, quoted as the host script quotes it: a word with a space, and no other."""
    for word in words:
        if _FOR_CMD.search(word):
            raise LabError(f"cmd.exe would not hand on {quoted(word)} as it is")
    return " ".join(f'"{word}"' if " " in word or not word else word for word in words)


def _environment(prefix: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | _SETTINGS | {"WINEPREFIX": str(prefix)}


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        return stream.read(_OUTPUT_LIMIT).decode("utf-8", errors="replace").replace("\r\n", "\n")
