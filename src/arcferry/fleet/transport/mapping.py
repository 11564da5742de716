"""The one place where exceptions of SSH and sockets become arcferry's."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from arcferry.errors import (
    HostError,
    HostKeyError,
    HostSignInError,
    HostUnreachableError,
)
from arcferry.redaction import mask
from arcferry.text import one_line, said

_SAYS = {
    errno.ECONNREFUSED: "refused: nothing listens on that port, or a firewall rejects",
    errno.ETIMEDOUT: "no answer: no route, or a firewall drops",
    errno.EHOSTUNREACH: "no route to it",
    errno.ENETUNREACH: "no route to its network",
    errno.ECONNRESET: "cut by the other side",
    errno.EPIPE: "cut by the other side",
}


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Let only arcferry's errors out of the block; `place` names the host, its address and port."""
    try:
        yield
    except HostError:
        raise
    except TimeoutError:
        raise HostUnreachableError(f"{place}: no answer in time") from None
    except asyncssh.PermissionDenied:
        raise HostSignInError(
            f"{place}: the server refused the user or the key",
            hint="Put the public key into the user's authorized_keys, or name another user (--user, or the "
            "inventory's user column).",
        ) from None
    except asyncssh.HostKeyNotVerifiable as error:
        raise HostKeyError(f"{place}: {one_line(mask(str(error)))}") from None
    except OSError as error:
        raise HostUnreachableError(f"{place}: {_socket_says(error)}") from None
    except (asyncssh.Error, asyncssh.ProcessError) as error:
        raise HostUnreachableError(f"{place}: {mask(said(error))}") from None


def _socket_says(error: OSError) -> str:
    number = error.errno or 0
    if number in _SAYS:
        return _SAYS[number]
    if number < 0 or "getaddrinfo" in str(error) or "Name or service" in str(error):
        return f"its name is not known here: {one_line(mask(str(error.strerror or error)))}"
    return mask(said(error))
