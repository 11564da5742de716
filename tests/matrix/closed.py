"""An event loop on a thread, which a twin outlives many tests in, and which may have a network of its own."""

import asyncio
import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1


class Loop:
    """Runs coroutines from tests that are none themselves."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="twin")

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def prepare(self) -> None:
        """What the thread does first."""

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        self.prepare()
        self._ready.set()
        self._loop.run_forever()


class ClosedNetwork(Loop):
    """A loop whose thread left the machine's network, so that no address outside the lab leads anywhere.

    Attributes:
        isolated: whether it could leave, which takes Linux and root.
    """

    def __init__(self) -> None:
        super().__init__()
        self.isolated = False

    def prepare(self) -> None:
        self.isolated = _leave()


def _leave() -> bool:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(sock, _GET_FLAGS, request))[1]
        fcntl.ioctl(sock, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))
    return True
