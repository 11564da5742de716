"""The namespaces that a Windows host runs in, and the processes that are started there."""

import asyncio
import os
import select
import signal
import subprocess
from contextlib import suppress
from importlib import resources
from pathlib import Path

from arcferry.files import write_whole
from arcferry.text import clean
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.tools import agent_python, namespaces
from arcferry_lab.hosts.windows.base import environment
from arcferry_lab.system import program

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


class Machine:
    """Wine's services in their own PID and mount namespaces.

    The first process dies with the thread that started it, however that ends; all others end with it.

    Attributes:
        prefix: Wine's, as the host's processes see it.
        log: what its first process says.
    """

    def __init__(self, folder: Path, *, rootless: bool) -> None:
        options = namespaces(rootless=rootless)
        if options is None:
            raise LabError("Windows hosts cannot run here: the kernel allows no mount namespaces")
        self.prefix = folder / "prefix"
        self.log = folder / "boot.log"
        self._folder = folder
        self._namespaces = options
        # not asyncio's, which would tie the host to the event loop that it was started in
        self._process: subprocess.Popen[bytes] | None = None
        self._first = 0

    @property
    def drive(self) -> Path:
        """Drive C:, which is mounted in the host's namespace alone.

        Raises:
            LabError: the host does not run.
        """
        if not self._first:
            raise LabError(f"{self._folder.name} does not run now", hint="It restarts, or it was stopped.")
        return Path(f"/proc/{self._first}/root{self.prefix}/drive_c")

    async def power_on(self, base: Path, name: str, control: str, small_disk: int) -> None:
        """Run the first process; returns when Wine's services run.

        Raises:
            LabError: they do not start.
        """
        process = self._boot(
            str(base), str(self._folder), name, str(agent_python()), control, str(small_disk)
        )
        self._process = process
        if await asyncio.to_thread(_first_line, process) != b"ready":
            reason = clean(self.log.read_bytes()[-2000:]).strip()
            raise LabError(f"{name} did not start: {reason or 'its services do not run'}")
        self._first = children(process.pid)[0]

    async def start(self, *words: str, user: str) -> asyncio.subprocess.Process:
        """Start a Unix command in the host, with pipes for its streams."""
        return await asyncio.create_subprocess_exec(
            *self._inside(*words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(self.prefix, self._folder, user),
            start_new_session=True,
        )

    async def power_off(self) -> None:
        """End Windows as a restart does, which keeps its registry, then every process."""
        process, self._process = self._process, None
        if process is None:
            return
        await asyncio.to_thread(self._end, process)
        self._first = 0

    def _boot(self, *words: str) -> subprocess.Popen[bytes]:
        boot = self._folder / "boot.sh"
        write_whole(boot, resources.files(__package__).joinpath("boot.sh").read_bytes())
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [
                    str(program("setpriv")), "--pdeathsig", "KILL",
                    str(program("unshare")), *self._namespaces, "sh", str(boot), *words,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # a Ctrl-C for the lab is the lab's to handle
                env=environment(self.prefix, self._folder),
            )  # fmt: skip

    def _inside(self, *words: str) -> list[str]:
        own = ("--user", "--preserve-credentials") if "--user" in self._namespaces else ()
        return [
            str(program("nsenter")), "--target", str(self._first), *own, "--mount", "--pid", "--uts",
            f"--wd={self.drive}", str(program("setpriv")), "--pdeathsig", "KILL", *words,
        ]  # fmt: skip

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if self._first and process.poll() is None:
            known = environment(self.prefix, self._folder)
            server = self._inside(str(program("wineserver")), "-k")
            with suppress(subprocess.TimeoutExpired, OSError):
                subprocess.run(server, env=known, capture_output=True, check=False, timeout=_STOP_SECONDS)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
                break
        if process.stdout:
            process.stdout.close()


def children(pid: int) -> list[int]:
    """The child processes of one, as this computer numbers them."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    if process.stdout is None or not select.select([process.stdout], [], [], _START_SECONDS)[0]:
        return b""
    return process.stdout.readline().strip()
