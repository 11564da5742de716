"""A lab in the background, seen from outside: start, ask and stop it, and clean up after a killed one."""

import asyncio
import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import aiohttp
import platformdirs

from arcferry.errors import ArcferryError, BlockedError, InputError
from arcferry.text import clean, one_line
from arcferry_lab.errors import LabError
from arcferry_lab.faults import LOOPBACK
from arcferry_lab.folder import control_path, exists, holder, take
from arcferry_lab.hosts.windows.versions import DEFAULT_VERSION
from arcferry_lab.paths import DOCUMENT, LOG

_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_ASK_SECONDS = 30.0
_POLL_SECONDS = 0.05
_LOG_TAIL = 4096


def default_folder() -> Path:
    """Where a lab lives when nobody says otherwise."""
    return Path(platformdirs.user_cache_dir("arcferry")) / "lab"


def words(command: str, folder: Path) -> str:
    """A lab command as it is typed for this folder, such as `arcferry lab down --folder twin`."""
    set_already = Path(os.environ.get("ARCFERRY_LAB_FOLDER") or default_folder()).absolute()
    named = "" if folder.absolute() == set_already else f" --folder {shlex.quote(str(folder))}"
    return f"arcferry lab {command}{named}"


def up(
    folder: Path,
    *,
    network: str = LOOPBACK,
    hosts: int = 0,
    rpm_hosts: int = 0,
    windows_hosts: int = 0,
    windows_version: str = DEFAULT_VERSION,
    port: int | None = None,
    location: str = "eastasia",
) -> dict[str, Any]:
    """Start a lab, and return its document once it answers.

    Raises:
        LabError: one runs in this folder already, or this one could not start.
        InputError: the folder is not a lab's, or a setting is wrong.
        BlockedError: this machine cannot run hosts, or such a network.
    """
    folder = folder.absolute()
    lease = take(folder)
    if lease is None:
        raise LabError(
            f"a lab is running in {folder} already, as process {holder(folder)}",
            hint=f"{words('status', folder)} shows it, {words('down', folder)} ends it.",
        )
    lease.release()
    command = [sys.executable, "-m", "arcferry_lab.daemon", "--folder", str(folder)]
    command += ["--network", network, "--hosts", str(hosts), "--rpm-hosts", str(rpm_hosts)]
    command += ["--windows-hosts", str(windows_hosts), "--windows-version", windows_version]
    command += ["--location", location]
    _start(folder, command + (["--port", str(port)] if port is not None else []))
    return read_document(folder)


def read_document(folder: Path) -> dict[str, Any]:
    """lab.json of the lab that runs in this folder.

    Raises:
        LabError: none does.
    """
    require_running(folder)
    try:
        found = json.loads((folder / DOCUMENT).read_text())
    except (OSError, ValueError) as error:
        raise LabError(f"{folder / DOCUMENT} cannot be read: {error}") from error
    return dict(found)


def require_running(folder: Path) -> int:
    """The process of the lab that runs in this folder.

    Raises:
        LabError: none does.
    """
    pid = holder(folder)
    if pid is not None:
        return pid
    if exists(folder):
        raise LabError(
            f"the lab in {folder} was killed and left its files",
            hint=f"{words('down', folder)} removes them.",
        )
    raise LabError(f"no lab is running in {folder}", hint=f"{words('up', folder)} starts one.")


def ask(folder: Path, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    """What the running lab answers to one request on its control channel.

    Raises:
        LabError: none is running, or it does not answer.
        InputError: it refuses what was asked.
    """
    require_running(folder)
    try:
        with control_path(folder) as socket:
            status, answer = asyncio.run(_ask(socket, method, path, body))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise LabError(f"the lab in {folder} does not answer: {error}") from error
    if status != 200:  # noqa: PLR2004 - HTTP's OK
        raise _error(answer)
    return answer


def down(folder: Path) -> bool:
    """End the lab of this folder and remove its files; False where there was none.

    Raises:
        LabError: its process does not end, or its files cannot be removed.
    """
    folder = folder.absolute()
    if not exists(folder):
        return False
    pid = holder(folder)
    if pid is not None:
        _end(folder, pid)
    if exists(folder):
        lease = take(folder)
        if lease is None:
            raise LabError(f"another lab was started in {folder} meanwhile")
        try:
            lease.remove_folder()
        except OSError as error:
            raise LabError(f"{error.filename} cannot be removed: {error.strerror}") from error
        finally:
            lease.release()
    return True


def _start(folder: Path, command: list[str]) -> None:
    with (folder / LOG).open("a+b") as log:
        process, readable = _spawn(command, log)
        try:
            said = _heard(readable)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            os.close(readable)
        if not said.get("ok"):
            process.wait()
            raise _error(said, log)


def _spawn(command: list[str], log: IO[bytes]) -> tuple[subprocess.Popen[bytes], int]:
    readable, writable = os.pipe()
    try:
        process = subprocess.Popen(
            [*command, "--ready-fd", str(writable)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            pass_fds=[writable],
        )
    except OSError as error:
        os.close(readable)
        raise LabError(f"the lab's process cannot be started: {error.strerror}") from error
    finally:
        os.close(writable)
    return process, readable


def _heard(readable: int) -> dict[str, Any]:
    """What the process says once it is ready or has failed; nothing where it ends without a word."""
    deadline = time.monotonic() + _START_SECONDS
    said = b""
    while select.select([readable], [], [], max(deadline - time.monotonic(), 0))[0]:
        part = os.read(readable, 65536)
        if not part:
            return dict(json.loads(said)) if said else {}
        said += part
    raise LabError(f"the lab did not start within {_START_SECONDS:.0f} seconds")


async def _ask(socket: str, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
    timeout = aiohttp.ClientTimeout(total=_ASK_SECONDS)
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket), timeout=timeout) as session,
        session.request(method, f"http://lab{path}", json=body) as response,
    ):
        return response.status, await response.json()


def _error(answer: dict[str, Any], log: IO[bytes] | None = None) -> ArcferryError:
    message = clean(str(answer.get("message") or ""))
    if not message:
        message = f"the lab could not start; {_last_line(log) or 'its process ended without a word'}"
    kind = {InputError.exit_code: InputError, BlockedError.exit_code: BlockedError}.get(
        int(answer.get("exit_code", 1)), LabError
    )
    return kind(message, hint=clean(str(answer.get("hint") or "")))


def _last_line(log: IO[bytes] | None) -> str:
    if log is None:
        return ""
    log.seek(0)
    lines = clean(log.read()[-_LOG_TAIL:]).strip().splitlines()
    return one_line(lines[-1]) if lines else ""


def _end(folder: Path, pid: int) -> None:
    with suppress(ArcferryError):
        ask(folder, "POST", "/stop")
        if _ended(folder, _STOP_SECONDS):
            return
    for number in (signal.SIGTERM, signal.SIGKILL):
        # While the lock is held, the process that wrote its number into it is the one that lives.
        if pid and holder(folder) == pid:
            os.kill(pid, number)
        if _ended(folder, _STOP_SECONDS):
            return
    raise LabError(f"process {pid} of the lab in {folder} does not end")


def _ended(folder: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holder(folder) is None:
            return True
        time.sleep(_POLL_SECONDS)
    return False
