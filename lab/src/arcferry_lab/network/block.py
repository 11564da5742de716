"""A twin's own part of the loopback network: 127.B.0.0/16, with B taken by no other twin."""

import random
import socket
from dataclasses import dataclass, field

from arcferry_lab.errors import LabError
from arcferry_lab.system import require_linux

_LOCK_PORT = 7601
_FIRST, _LAST = 64, 250
_HIGH_PORTS = range(8443, 8543)


@dataclass(frozen=True, slots=True)
class Block:
    """A claimed block. The claim is a bound socket, so it ends with the process, however that ends."""

    number: int
    _claim: socket.socket = field(repr=False)

    def address(self, third: int, fourth: int) -> str:
        """127.B.third.fourth."""
        return f"127.{self.number}.{third}.{fourth}"

    def prefix(self, third: int, fourth: int = 0, length: int = 24) -> str:
        """A network inside the block, in CIDR form."""
        return f"{self.address(third, fourth)}/{length}"

    def release(self) -> None:
        """Give the block up."""
        self._claim.close()


def claim() -> Block:
    """Take a free block; any number of twins run side by side, also by different users.

    Raises:
        LabError: this is no Linux, or every block is taken.
    """
    require_linux()
    numbers = list(range(_FIRST, _LAST + 1))
    random.shuffle(numbers)  # so that labs that start at once seldom try for the same
    for number in numbers:
        claimed = socket.socket()
        try:
            claimed.bind((f"127.{number}.0.1", _LOCK_PORT))
            claimed.listen(0)
        except OSError:
            claimed.close()
            continue
        return Block(number, claimed)
    raise LabError("every block of loopback addresses is taken by another twin")


def service_port(block: Block, wanted: int | None = None) -> int:
    """The port that all services of a twin share: the one asked for, else 443 or a free high one.

    Raises:
        LabError: the port asked for cannot be had.
    """
    address = block.address(0, 1)
    if wanted is not None:
        reason = port_trouble(address, wanted)
        if reason:
            raise LabError(f"port {wanted} cannot be used: {reason}", hint="Leave --port out.")
        return wanted
    return first_free(address, 443, *_HIGH_PORTS)


def first_free(address: str, *ports: int) -> int:
    """The first of these ports that can be bound on an address, for TCP and UDP.

    Raises:
        LabError: none of them can.
    """
    for port in ports:
        if not port_trouble(address, port):
            return port
    raise LabError(f"none of the ports {ports[0]} to {ports[-1]} is free on {address}")


def port_trouble(address: str, port: int) -> str:
    """Why a port cannot be bound on an address; empty where it can."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                return error.strerror or "cannot be bound"
    return ""
