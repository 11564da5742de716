"""Everything arcferry raises.

ArcferryError                 exit code
├── InputError                2   an argument or a file of the user's is wrong
│   ├── UnknownNameError      2   no such cloud, location, code …; near names are offered
│   └── FileInputError        2   a file is unreadable, too large, or wrong in a named place
├── BundleRefusedError        3   a bundle is not what its seal says
├── BlockedError              3   nothing was started, because something must change first
├── AzureError                1   Azure answered, and not as hoped
│   ├── SignInError           4   no token: wrong tenant, client, secret or certificate
│   │   └── SignInUnavailableError 4   not refused: Entra has a fault, or something else answered
│   ├── PermissionDeniedError 4   signed in, but not allowed
│   ├── NotFoundError         1
│   ├── ConflictError         1
│   ├── ThrottledError        1   429, also after the waits that were asked for
│   └── AzureUnavailableError 1   no usable answer: 5xx, no route, TLS
├── HostError                 1   one server; becomes that host's result, never ends a run
│   ├── HostUnreachableError  1
│   ├── HostKeyError          1   the server is not who it was, or nobody vouches for it
│   ├── HostSignInError       1   the server refused the user or the key
│   └── HostCommandError      1   the server answered, and not as the host script does
├── NotifyError               1   whoever was to be told of a watch's change did not take it
└── InterruptedRunError       130 stopped by the operator; what was done is kept

Foreign exceptions are mapped to these once, at the edge where they arise
(probe, azure, fleet.transport, bundle), and never travel further.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from arcferry.text import quoted

if TYPE_CHECKING:
    from pydantic import ValidationError


class ArcferryError(Exception):
    """A failure a user can act on.

    Attributes:
        message: what is wrong, naming the file, line, host or endpoint.
        hint: the way out, or an empty string where there is none to give.
        exit_code: what the process ends with when this reaches the command line.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(ArcferryError):
    """An argument, a setting or a file that the user gave is wrong."""

    exit_code = 2


class UnknownNameError(InputError):
    """A name that is not in a known list; the nearest known names are offered."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, near: Sequence[str] = ()) -> None:
        names = sorted(known)
        near = near or get_close_matches(name.lower(), names, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names[:12])}"
        super().__init__(f"unknown {kind} {quoted(name)}", hint=hint)
        self.near = tuple(near)


class FileInputError(InputError):
    """A file that cannot be used; names the file and, where there is one, the line."""

    def __init__(self, path: Path | str, problem: str, *, line: int | None = None, hint: str = "") -> None:
        place = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{place}: {problem}", hint=hint)
        self.path = str(path)
        self.line = line


class BundleFault(StrEnum):
    """What of a bundle is not as it must be, in the order in which it is looked at."""

    FORM = "form"
    SEAL = "seal"
    DATES = "dates"
    OLDER = "older"
    FILES = "files"
    CONTENT = "content"


class BundleRefusedError(ArcferryError):
    """A bundle whose content, seal or date is not as it must be; nothing of it was used.

    Attributes:
        fault: what of it was looked at, as far as the bundle was opened as a whole.
    """

    exit_code = 3
    fault: BundleFault | None = None


class BlockedError(ArcferryError):
    """Nothing was started, because something must change first."""

    exit_code = 3


class AzureError(ArcferryError):
    """Azure answered, and not as hoped.

    Attributes:
        status: the HTTP status, or None where there was no HTTP answer.
        code: ARM's or Entra's own error code, or an empty string.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code


class SignInError(AzureError):
    """No token could be had."""

    exit_code = 4


class PermissionDeniedError(AzureError):
    """Signed in, but not allowed to do this."""

    exit_code = 4


class NotFoundError(AzureError):
    """The resource does not exist, or this identity cannot see it."""


class ConflictError(AzureError):
    """The resource is in a state that forbids the operation."""


class ThrottledError(AzureError):
    """Azure asked for slower requests, also after the waits that it asked for."""


class AzureUnavailableError(AzureError):
    """No usable answer: a server error, no route, or TLS."""


class SignInUnavailableError(SignInError, AzureUnavailableError):
    """No token, and nobody refused one: a passing fault of Entra's, or an answer that is not Entra's.

    What waits out an unavailable Azure waits this out too.
    """


class HostError(ArcferryError):
    """One server's failure. It becomes that host's result and never ends a run."""


class HostUnreachableError(HostError):
    """No SSH session: no route, refused, timed out, or cut."""


class HostKeyError(HostError):
    """The server's key is unknown, or not the one on record."""


class HostSignInError(HostError):
    """The server refused the user or the key."""


class HostCommandError(HostError):
    """The server answered, and not as the host script answers."""


class NotifyError(ArcferryError):
    """Whoever was to be told of a watch's change did not take it; never ends a watch.

    Attributes:
        partly: some took it, so that it is not to be told again.
    """

    def __init__(self, message: str, *, partly: bool = False) -> None:
        super().__init__(message)
        self.partly = partly


class InterruptedRunError(ArcferryError):
    """Stopped by the operator; what was done is kept."""

    exit_code = 130


def first_problem(error: "ValidationError") -> str:
    """The first of pydantic's complaints: the place in the document, and what is wrong there.

    The value itself is left out: it may be a secret, and is the sender's to choose.
    """
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
