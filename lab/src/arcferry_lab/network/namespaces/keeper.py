"""The process that holds the namespaces, from outside."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from arcferry.errors import BlockedError
from arcferry.text import clean, one_line
from arcferry_lab.errors import LabError
from arcferry_lab.network.namespaces.tools import Tools

_INSIDE = Path(__file__).with_name("inside.py")
_OWN = ("--mount", "--pid", "--net", "--fork", "--kill-child")
_AS_ROOT_OF_OWN = ("--user", "--map-root-user")
_MOST = 1 << 20
_SECONDS = 30
_STOP_SECONDS = 5


class Keeper:
    """The first process of a PID namespace, which makes network namespaces and runs programs in them.

    It dies with this process, however that ends: the kernel kills unshare(1) and with it the first process,
    which also ends by itself when its channel closes; and a PID namespace ends with its first process. No
    namespace has a name outside, so none can be left behind.

    Attributes:
        rootless: whether it lives in a user namespace, because this process is not root.
    """

    def __init__(self, tools: Tools) -> None:
        self.rootless = False
        self._tools = tools
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Start it.

        Raises:
            BlockedError: the kernel allows no namespaces here.
        """
        plain, own = _OWN, (*_AS_ROOT_OF_OWN, *_OWN)
        reason = ""
        for options in (plain, own) if os.geteuid() == 0 else (own,):
            reason = await self._try(options)
            if not reason:
                self.rootless = "--user" in options
                return
        raise BlockedError(
            f"the kernel allows no network namespaces here: {reason}",
            hint="Run it as root, or where users may make namespaces (sysctl user.max_user_namespaces, "
            "kernel.unprivileged_userns_clone); in a container, with --privileged. "
            "--network loopback needs none of this.",
        )

    async def stop(self) -> None:
        """End it with everything that it started."""
        process, self._process = self._process, None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        if process.stderr is not None:
            process.stderr.close()

    async def make(self, names: Sequence[str]) -> None:
        """Make network namespaces.

        Raises:
            LabError: the kernel refuses.
        """
        await self._ask("make", names=list(names))

    async def wire(self, wires: Sequence[tuple[str, str, str, str]]) -> None:
        """Lay wires, each from an interface of one namespace to one of another.

        Raises:
            LabError: the kernel refuses.
        """
        await self._ask("wire", program=self._tools["ip"], wires=[list(one) for one in wires])

    async def run(self, namespace: str, command: Sequence[str], text: str = "") -> str:
        """What a program prints that is run in a namespace with `text` as its input.

        Raises:
            LabError: it fails.
        """
        return str(await self._ask("run", namespace=namespace, command=list(command), text=text))

    async def launch(self, namespace: str, command: Sequence[str], folder: Path) -> int:
        """Start a program in a namespace and in a folder, which keeps its log; gives its number inside.

        Raises:
            LabError: it cannot be started.
        """
        log = folder / f"{namespace}.log"
        return int(
            await self._ask(
                "start", namespace=namespace, command=list(command), folder=str(folder), log=str(log)
            )
        )

    async def is_running(self, number: int) -> bool:
        """Whether a program that was launched still runs."""
        return bool(await self._ask("running", pid=number))

    async def listen(self, namespace: str, address: str, port: int, kind: str = "tcp") -> socket.socket:
        """A bound socket of a namespace, `tcp` (listening) or `udp`, to be served from this process.

        Raises:
            LabError: the address or port cannot be had.
        """
        descriptor = await self._ask("listen", namespace=namespace, address=address, port=port, kind=kind)
        found = socket.socket(fileno=int(descriptor))
        found.setblocking(False)
        return found

    async def host(self, namespace: str, files: Mapping[str, Path]) -> int:
        """Begin a host's view of a namespace, with files laid over this computer's; its process's number.

        Raises:
            LabError: the kernel refuses.
        """
        laid = {target: str(source) for target, source in files.items()}
        return int(await self._ask("host", namespace=namespace, name=namespace, files=laid))

    async def _try(self, options: tuple[str, ...]) -> str:
        """Why it could not be started so; empty where it was."""
        self._spawn(options)
        try:
            await self.make(["trial"])
        except LabError as error:
            said = await self._last_words()
            await self.stop()
            return said or error.message
        return ""

    def _spawn(self, options: tuple[str, ...]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [
            self._tools["setpriv"], "--pdeathsig", "KILL", self._tools["unshare"], *options,
            sys.executable, "-I", "-S", str(_INSIDE), str(theirs.fileno()),
        ]  # fmt: skip
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C for the lab is the lab's to handle
                env=self._tools.environment,
            )
        ours.settimeout(_SECONDS)
        self._channel = ours

    async def _last_words(self) -> str:
        process = self._process
        if process is None or process.stderr is None:
            return ""
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 1)
            return one_line(clean(process.stderr.read(_MOST)))
        return ""

    async def _ask(self, act: str, **arguments: Any) -> Any:  # noqa: ANN401 - JSON
        async with self._asking:
            return await asyncio.to_thread(self._exchange, {"do": act, **arguments})

    def _exchange(self, request: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        if self._channel is None:
            raise LabError("the process that holds the lab's namespaces has ended")
        try:
            self._channel.send(json.dumps(request).encode())
            message, descriptors, _, _ = socket.recv_fds(self._channel, _MOST, 1)
        except OSError as error:
            # an answer that comes late would pass for the next request's
            self._channel.close()
            self._channel = None
            raise LabError(f"the process that holds the lab's namespaces does not answer: {error}") from error
        answer = json.loads(message) if message else {"error": "the lab's namespaces have ended"}
        if "error" in answer:
            raise LabError(f"the lab's network could not be made: {clean(answer['error'])}")
        return descriptors[0] if descriptors else answer["is"]
