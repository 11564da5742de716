"""The first process of the lab's own PID namespace: makes network namespaces, and what is in them.

Run as a file and with the standard library alone, so that it starts in some hundredths of a second. It obeys
requests from the socket it is given, one JSON object a message, and ends with it. When it ends, the kernel
ends everything that it started, and with the last process and socket in them the namespaces go.
"""

import array
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_NEW_MOUNTS, _NEW_NAMES, _NEW_NETWORK = 0x00020000, 0x04000000, 0x40000000
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_MOST = 1 << 20
_BACKLOG = 256
_SECONDS = 20

_libc = ctypes.CDLL(None, use_errno=True)
_networks: dict[str, int] = {}
_own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Refused(Exception):  # noqa: N818 - it is what the other side is told
    """What could not be done, in words for the other side."""


def main() -> None:
    """Obey until the other side is gone."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    waking, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([channel.fileno(), waking], [], [])
        if waking in ready:
            with suppress(BlockingIOError):
                os.read(waking, 512)
            _reap()
        if channel.fileno() in ready:
            message = channel.recv(_MOST)
            if not message:
                return
            _answer(channel, json.loads(message))


def _answer(channel: socket.socket, request: dict[str, Any]) -> None:
    act = _ACTS[request.pop("do")]
    descriptors: list[int] = []
    try:
        reply: object = act(**request)
        if isinstance(reply, socket.socket):
            descriptors, reply = [reply.detach()], None
        said = {"is": reply}
    except Refused as error:
        said = {"error": str(error)}
    except subprocess.TimeoutExpired as error:
        said = {"error": str(error)}
    except OSError as error:
        said = {"error": f"{error.filename or request}: {error.strerror}"}
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    channel.sendmsg([json.dumps(said).encode()], rights)
    for descriptor in descriptors:
        os.close(descriptor)


def _make(names: list[str]) -> None:
    """New network namespaces with these names, in which packets are forwarded."""
    for name in names:
        _call(_libc.unshare(_NEW_NETWORK), "a network namespace")
        _networks[name] = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _set("net.ipv4.ip_forward", "1")
        for scope in ("all", "default"):
            _set(f"net.ipv4.conf.{scope}.rp_filter", "0")
    _enter(_own)


def _wire(program: str, wires: list[list[str]]) -> None:
    """Virtual Ethernet pairs, each as namespace, interface, namespace, interface; `program` is ip(8)."""
    lines = [
        f"link add name {near} netns {_path(here)} type veth peer name {far} netns {_path(there)}"
        for here, near, there, far in wires
    ]
    _run("", [program, "-batch", "-"], "\n".join(lines), keep=_networks.values())


def _run(namespace: str, command: list[str], text: str = "", *, keep: Iterable[int] = ()) -> str:
    """What a program prints that is run in a namespace; `text` is its input, `keep` what stays open."""
    with _inside(namespace):
        done = subprocess.run(
            command,
            input=text.encode(),
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            pass_fds=tuple(keep),
        )
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise Refused(f"{Path(command[0]).name} in {namespace or 'the lab'}: {said}")
    return done.stdout.decode(errors="replace")


def _start(namespace: str, command: list[str], folder: str, log: str) -> int:
    """Start a program in a namespace, which runs until the lab ends; its number in the lab."""
    with Path(log).open("ab") as output, _inside(namespace):
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,
        )
    return process.pid


def _running(pid: int) -> bool:
    """Whether a program that was started still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _listen(namespace: str, address: str, port: int, kind: str) -> socket.socket:
    """A socket that is bound in a namespace, and listens where it is one of TCP."""
    with _inside(namespace):
        made = socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        if kind == "tcp":
            made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise Refused(f"{address}:{port} in {namespace}: {error.strerror}") from error
    return made


def _host(namespace: str, name: str, files: dict[str, str]) -> int:
    """A process that holds a host's view: its network, its name, and files laid over this computer's.

    Gives its number as this computer counts, for whoever wants to run a command there.
    """
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        _hold(namespace, name, files, writable)
    os.close(writable)
    with os.fdopen(readable, encoding="utf-8") as answer:
        said = answer.read()
    if not said.isdecimal():
        raise Refused(f"{name}: {said or 'ended without a word'}")
    return int(said)


def _hold(namespace: str, name: str, files: dict[str, str], writable: int) -> None:
    try:
        _enter(_networks[namespace])
        _call(_libc.unshare(_NEW_MOUNTS | _NEW_NAMES), "mounts of its own")
        _mount(None, "/", None, _RECURSIVE | _PRIVATE)
        for target, source in files.items():
            if Path(target).exists():
                _mount(source, str(Path(target).resolve()), None, _BIND)
        socket.sethostname(name)
        number = str(Path("/proc/self").readlink())
        with suppress(Refused):  # some containers refuse a fresh one; then ps(1) shows this computer's
            _mount("proc", "/proc", "proc", 0)
        os.write(writable, number.encode())
        os.close(writable)
        while True:
            signal.pause()
    except BaseException as error:  # noqa: BLE001 - a fork of the server must never go on as the server
        os.write(writable, str(error).encode())
    finally:
        os._exit(1)


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind)]
    _call(_libc.mount(*texts, ctypes.c_ulong(flags), None), f"mounting at {target}")


def _set(key: str, value: str) -> None:
    path = Path("/proc/sys", *key.split("."))
    if path.read_text(encoding="ascii").strip() != value:
        path.write_text(value, encoding="ascii")


@contextmanager
def _inside(namespace: str) -> Iterator[None]:
    if namespace:
        _enter(_networks[namespace])
    try:
        yield
    finally:
        if namespace:
            _enter(_own)


def _enter(descriptor: int) -> None:
    _call(_libc.setns(descriptor, _NEW_NETWORK), "entering a network namespace")


def _call(result: int, what: str) -> None:
    if result:
        raise Refused(f"{what}: {os.strerror(ctypes.get_errno())}")


def _path(namespace: str) -> str:
    """Where a program finds a namespace whose descriptor it was left."""
    return f"/proc/self/fd/{_networks[namespace]}"


def _reap() -> None:
    """Take note of the children that ended; orphans of the lab are the first process's too."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


_ACTS: dict[str, Callable[..., object]] = {
    "make": _make,
    "wire": _wire,
    "run": _run,
    "start": _start,
    "running": _running,
    "listen": _listen,
    "host": _host,
}

if __name__ == "__main__":
    main()
