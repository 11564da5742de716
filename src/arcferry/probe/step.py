"""What all steps of a probe share: the settings, the failure of one, its time, and a race of attempts."""

import asyncio
import errno
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from arcferry.errors import InputError
from arcferry.probe.observation import Failure, Stage
from arcferry.text import quoted

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
}


class StepError(Exception):
    """A step of a probe failed. Never leaves this package: it becomes an observation's failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.says)
        self.failure = failure


def failed(stage: Stage, kind: str, says: str) -> StepError:
    """The error to raise for a step, in one call."""
    return StepError(Failure(stage, kind, says))


def kind_of(error: OSError) -> str:
    """The failure kind of a socket error: `unreachable` also for a packet filter on this machine."""
    return _KINDS.get(error.errno or 0, "unreachable")


class Budget:
    """What is left of the time that one probe may take."""

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._seconds = seconds

    @property
    def spent(self) -> float:
        """Seconds since the probe began."""
        return self._loop.time() - self._began

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.spent >= self._seconds

    def step(self, seconds: float) -> float:
        """The step's own limit, or what is left where that is less."""
        return max(0.0, min(seconds, self._seconds - self.spent))


@asynccontextmanager
async def time_limit(stage: Stage, seconds: float, doing: str) -> AsyncIterator[None]:
    """A limit on one step. Its end, and what a socket raises within it, become that step's failure."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise failed(stage, "timeout", f"no answer within {seconds:.3g} s {doing}") from error
    except OSError as error:
        raise failed(stage, kind_of(error), f"{error.strerror or error} {doing}") from error


async def race(
    attempts: Iterable[Callable[[], Awaitable[T]]],
    *,
    delay: float,
    expected: type[E],
    errors: dict[int, E],
    discard: Callable[[T], Any] = lambda _: None,
) -> T | None:
    """The first attempt's result that comes, None where all failed.

    The next attempt starts when one fails, and every `delay` seconds beside those under way.

    Args:
        attempts: in the order of preference.
        delay: seconds.
        expected: what a failed attempt raises; anything else is raised on.
        errors: filled with each failed attempt's error by its index, also when this is cancelled.
        discard: is given a result that came too late to win.
    """
    running: dict[asyncio.Future[T], int] = {}
    waiting = enumerate(attempts)
    try:
        while True:
            following = next(waiting, None)
            if following:
                running[asyncio.ensure_future(following[1]())] = following[0]
            if not running:
                return None
            done, _ = await asyncio.wait(
                running, timeout=delay if following else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                error = task.exception()
                if error is None:
                    del running[task]
                    return task.result()
                if not isinstance(error, expected):
                    raise error
                errors[running.pop(task)] = error
    finally:
        for task in running:
            task.cancel()
        for late in await asyncio.gather(*running, return_exceptions=True):
            if not isinstance(late, BaseException):
                discard(late)


_DNS_PORT = 53
_PROXY_PORT = 80
_LAST_PORT = 65535
_IP_AND_PORT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+))(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Nameserver:
    """A DNS server's address."""

    address: str
    port: int = _DNS_PORT

    def __str__(self) -> str:
        """`10.0.0.53`, or with its port where that is not 53."""
        return self.address if self.port == _DNS_PORT else join_port(self.address, self.port)


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that is reached in plain text and asked to CONNECT."""

    host: str
    port: int

    def __str__(self) -> str:
        """The URL without anything that a user could have hidden in it."""
        return f"http://{join_port(self.host, self.port)}"


@dataclass(frozen=True)
class ProbeSettings:
    """How endpoints are to be reached.

    Attributes:
        resolver: `IP[:PORT]` of the one DNS server to ask; None for the system's own.
        proxy: `http://HOST[:PORT]`, without credentials; names are then resolved by the proxy.
        ca_file: a PEM or DER file of CA certificates to trust beside the public and the system's roots.
        port: reach every endpoint on this port instead of its own.

    Raises:
        InputError: a setting is malformed, or the proxy URL holds credentials.
    """

    resolver: str | None = None
    proxy: str | None = None
    ca_file: Path | None = None
    port: int | None = None

    def __post_init__(self) -> None:
        if self.port is not None and not 0 < self.port <= _LAST_PORT:
            raise InputError(f"port {self.port} is not between 1 and {_LAST_PORT}")
        self.nameserver  # noqa: B018  # read here so that a malformed value is refused at once
        self.http_proxy  # noqa: B018  # same

    @cached_property
    def nameserver(self) -> Nameserver | None:
        """`resolver`, read."""
        return _nameserver(self.resolver) if self.resolver else None

    @cached_property
    def http_proxy(self) -> Proxy | None:
        """`proxy`, read."""
        return _proxy(self.proxy) if self.proxy else None


def join_port(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _nameserver(text: str) -> Nameserver:
    parts = _IP_AND_PORT.fullmatch(text)
    try:
        address = ip_address(next(filter(None, parts.group("six", "four"))) if parts else text)
    except ValueError:
        raise InputError(
            f"resolver {quoted(text)} is not an IP address with an optional port",
            hint="Give it as 10.0.0.53, 10.0.0.53:5353 or [2001:db8::53]:5353.",
        ) from None
    port = int(parts["port"] or _DNS_PORT) if parts else _DNS_PORT
    if not 0 < port <= _LAST_PORT:
        raise InputError(f"the resolver's port {port} is not between 1 and {_LAST_PORT}")
    return Nameserver(str(address), port)


def _proxy(text: str) -> Proxy:
    if "@" in text:
        # The value is not repeated: it holds a password.
        raise InputError(
            "the proxy URL holds credentials, and the Azure Connected Machine agent does not support "
            "authenticated proxies; a password on a command line is also visible to others on this machine",
            hint="Use a proxy that lets this server through by its address, and change that password.",
        )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or _PROXY_PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise InputError(
            f"proxy {quoted(text)} is not an HTTP proxy's URL", hint="Give it as http://HOST:PORT."
        )
    return Proxy(parts.hostname, port)


def is_address(text: str) -> bool:
    """Whether a host is given by its IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
