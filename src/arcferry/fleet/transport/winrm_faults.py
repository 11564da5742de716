"""What a WinRM session can fail of, in the user's terms. Judged by code, status and kind, never by a text."""

import errno
import socket
import ssl
import struct
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources

import requests
from cryptography import x509
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from spnego.exceptions import SpnegoError

from arcferry.errors import (
    HostCommandError,
    HostError,
    HostKeyError,
    HostSignInError,
    HostUnreachableError,
    InputError,
)
from arcferry.fleet.transport.winrm_line import Answered, NotWinrmError
from arcferry.fleet.transport.winrm_trust import HTTP_PORT, HTTPS_PORT, is_local
from arcferry.probe.tls import name_text
from arcferry.redaction import mask
from arcferry.text import one_line

_OPEN_TLS = (
    "Give WinRM an HTTPS listener with a certificate of your CA, and let the firewall pass TCP {port} from "
    "this machine: docs/windows.md. With Kerberos or NTLM port 5985 does as well, as every message is "
    "encrypted there."
)
_ADMIN = (
    "Put {user} into the server's group Administrators; to install an agent, Remote Management Users is not "
    "enough. Windows reads groups at sign-in."
)
_FILTERED = (
    "{user} is a local account. Over the network Windows takes the administrator's rights away from it, "
    "unless it is the built-in Administrator or LocalAccountTokenFilterPolicy is 1. Use a domain account of "
    "the server's group Administrators; docs/windows.md says what that value opens."
)


class NoKerberosError(HostSignInError):
    """Kerberos cannot be had here, which says nothing against the user: another way may do."""


@dataclass(frozen=True, slots=True)
class _Says:
    kind: type[HostError]
    text: str
    hint: str = ""


_KINDS: Mapping[str, type[HostError]] = {
    "command": HostCommandError,
    "sign-in": HostSignInError,
    "unreachable": HostUnreachableError,
    "no-kerberos": NoKerberosError,
}


def _codes(of: str) -> dict[int, _Says]:
    text = resources.files(__package__).joinpath("winrm_codes.toml").read_text(encoding="utf-8")
    rows = (row for row in tomllib.loads(text)["says"] if row["of"] == of)
    return {
        code: _Says(_KINDS[row["error"]], row["text"], row["hint"])
        for row in rows
        for code in row["codes"].values()
    }


FAULTS, KERBEROS = _codes("wsman"), _codes("kerberos")
_ACCESS_DENIED, _LOGON_FAILURE, _CLOSED = 5, 1326, 2150859229
_LOGON, _OPEN = FAULTS[_LOGON_FAILURE], FAULTS[_CLOSED].hint
_CUT = "cut by the other side"
_SOCKET = {
    errno.ECONNREFUSED: "refused: nothing listens on port {port}, or a firewall rejects",
    errno.ETIMEDOUT: "no answer on port {port}: no route, or a firewall drops",
    errno.EHOSTUNREACH: "no route to it",
    errno.ENETUNREACH: "no route to its network",
    errno.ECONNRESET: _CUT,
    errno.EPIPE: _CUT,
}
_NOT_FOUND, _FORBIDDEN, _UNAUTHORISED, _PROXY = 404, 403, 401, 407
_GATEWAY = frozenset((502, 504))
_HOST_MISMATCH, _ADDRESS_MISMATCH, _EXPIRED, _NOT_YET = 62, 64, 10, 9


@dataclass(frozen=True, slots=True)
class Subject:
    """What the errors of one session are about."""

    place: str
    address: str
    port: int
    user: str
    auth: str
    ca_file: str = ""
    answered: Callable[[], Answered] = Answered

    def error(self, says: _Says) -> HostError:
        """The error that a row of the tables gives for this host."""
        hint = says.hint.replace("{port}", str(self.port)).replace("{user}", self.user or "the user")
        return says.kind(f"{self.place}: {says.text.replace('{port}', str(self.port))}", hint=hint)


# A hostile answer takes pypsrp's unwrapping, and our reading of it, apart in many ways.
_MALFORMED = (
    NotWinrmError,
    WinRMError,
    ET.ParseError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    ArithmeticError,
    struct.error,
)


@cache
def _sign_in_errors() -> tuple[type[Exception], ...]:
    """Those of pyspnego, and of the packages for Kerberos, which it lets through as they are."""
    found: list[type[Exception]] = [SpnegoError]
    for module, name in (("krb5", "Krb5Error"), ("gssapi.exceptions", "GSSError")):
        with suppress(ImportError):
            found.append(getattr(import_module(module), name))
    return tuple(found)


@contextmanager
def translated(subject: Subject) -> Iterator[None]:
    """Let only arcferry's errors out of the block."""
    try:
        yield
    except HostError:
        raise
    except InputError as error:
        raise HostSignInError(f"{subject.place}: {error.message}", hint=error.hint) from None
    except WSManFaultError as fault:
        # pypsrp calls any XML a fault that comes with an HTTP error, and so a web server's page.
        says = _of_fault(subject, fault) if fault.code else _of_status(subject, fault)
        raise subject.error(says) from None
    except (AuthenticationError, WinRMTransportError) as error:
        raise subject.error(_of_status(subject, error)) from None
    except _sign_in_errors() as error:
        raise subject.error(_of_negotiation(error)) from None
    except (requests.RequestException, OSError) as error:
        raise subject.error(_of_connection(subject, error)) from None
    except _MALFORMED:
        raise subject.error(_stranger()) from None


def _of_fault(subject: Subject, fault: WSManFaultError) -> _Says:
    code = fault.code
    if code == _ACCESS_DENIED:
        local = is_local(subject.user, subject.address)
        return _Says(
            HostSignInError,
            "signed in, but access is denied: the user has no rights to WinRM's shell there",
            _FILTERED if local else _ADMIN,
        )
    if isinstance(code, int) and (known := FAULTS.get(code)):
        return known
    named = f"{code} (0x{code:08x})" if isinstance(code, int) else one_line(str(code), limit=80)
    reason = one_line(mask(str(fault.reason or "")), limit=200)
    return _Says(HostCommandError, f"WinRM's fault {named}" + (f": {reason}" if reason else ""))


def _of_status(subject: Subject, error: WinRMError) -> _Says:
    seen = subject.answered()
    status = error.code if isinstance(error, WinRMTransportError) else seen.status or _UNAUTHORISED
    if seen.proxy or status == _PROXY or status in _GATEWAY:
        return _Says(
            HostUnreachableError,
            f"an HTTP proxy answers in the server's place (HTTP {status})",
            "arcferry uses no proxy for WinRM, so one stands in the way itself: let port {port} pass it from "
            "this machine to the server.",
        )
    if status == _UNAUTHORISED:
        return _of_refusal(subject, seen.schemes)
    if subject.auth == "certificate" and status == _FORBIDDEN:
        return _NO_MAPPING
    return _stranger(status)


_NO_MAPPING = _Says(
    HostSignInError,
    "the server takes no sign-in with this certificate",
    "It must be issued for client authentication, its CA be among the server's trusted roots, and WinRM map "
    "it to a local account (WSMan:\\localhost\\ClientCertificate), with Auth\\Certificate set to true: "
    "docs/windows.md.",
)


_SCHEMES = frozenset(("negotiate", "kerberos", "ntlm", "basic", "digest", "credssp"))
"""What WinRM can offer (Service\\Auth of its configuration), beside its own URLs for certificates."""

_NO_BASIC = (
    "Basic",
    (
        "Take auth kerberos or ntlm. Or allow Basic on the server: Set-Item "
        "WSMan:\\localhost\\Service\\Auth\\Basic $true."
    ),
)
_NO_NEGOTIATE = (
    "Negotiate or Kerberos, by which messages are encrypted",
    (
        "On the server: Set-Item WSMan:\\localhost\\Service\\Auth\\Negotiate $true, or the policy “Disallow "
        "Negotiate authentication”. AllowUnencrypted is not needed, and stays off."
    ),
)


def _of_refusal(subject: Subject, schemes: frozenset[str]) -> _Says:
    if subject.auth == "certificate":
        return _NO_MAPPING
    if schemes and all("://" not in one and one not in _SCHEMES for one in schemes):
        return _stranger(_UNAUTHORISED)
    basic = subject.auth == "basic"
    if schemes.isdisjoint(("basic",) if basic else ("negotiate", "kerberos", "ntlm")):
        offered = ", ".join(sorted(one_line(scheme, limit=20) for scheme in schemes)[:6]) or "nothing"
        wanted, hint = _NO_BASIC if basic else _NO_NEGOTIATE
        return _Says(HostSignInError, f"the server does not offer {wanted}; it offers {offered}", hint)
    return _LOGON


def _of_negotiation(error: Exception) -> _Says:
    base = getattr(error, "base_error", None) or error
    minor = getattr(base, "min_code", getattr(base, "err_code", None))
    if isinstance(minor, int):
        # A 32-bit number, which some versions of gssapi give without its sign.
        minor = minor - (1 << 32) if minor >= 1 << 31 else minor
        if known := KERBEROS.get(minor):
            return known
    number = getattr(base, "winerror", None) if minor is None else minor
    where = f" ({number})" if number is not None else ""
    return _Says(
        HostSignInError,
        f"signing in failed{where}: {one_line(mask(str(base)))}",
        _LOGON.hint,
    )


def _of_connection(subject: Subject, error: Exception) -> _Says:
    chain = list(_causes(error))
    if refused := next((one for one in chain if isinstance(one, ssl.SSLCertVerificationError)), None):
        return _of_certificate(subject, refused)
    if any(isinstance(one, NotWinrmError) for one in chain):
        return _stranger()
    if any(isinstance(one, ssl.SSLError) for one in chain):
        return _Says(
            HostUnreachableError,
            "what answers on port {port} does not speak TLS, or no version that is safe",
            f"WinRM speaks TLS on {HTTPS_PORT} and HTTP on {HTTP_PORT}. TLS 1.2 is needed.",
        )
    return _of_socket(subject, error, chain)


def _of_socket(subject: Subject, error: Exception, chain: list[BaseException]) -> _Says:
    if any(isinstance(one, socket.gaierror) for one in chain):
        return _Says(
            HostUnreachableError,
            "its name is not known here",
            "Write its full name or its address into the inventory, or let this machine's DNS know the name.",
        )
    opening = _OPEN if subject.port == HTTP_PORT else _OPEN_TLS
    numbers = (one.errno for one in chain if isinstance(one, OSError) and one.errno)
    known = next((number for number in numbers if number in _SOCKET), None)
    if known is None and isinstance(error, requests.ConnectTimeout):
        known = errno.ETIMEDOUT
    if known is None:
        said = "no answer in time" if isinstance(error, requests.Timeout) else _CUT
        return _Says(HostUnreachableError, said)
    return _Says(HostUnreachableError, _SOCKET[known], "" if _SOCKET[known] == _CUT else opening)


def _of_certificate(subject: Subject, error: ssl.SSLCertVerificationError) -> _Says:
    issuer = _issuer(subject)
    if error.verify_code in {_HOST_MISMATCH, _ADDRESS_MISMATCH}:
        return _Says(
            HostKeyError,
            f"its certificate is not for {one_line(subject.address)}{issuer}",
            "Let the inventory's address be a name that the certificate holds, or give the listener one with "
            "this name.",
        )
    if error.verify_code in {_EXPIRED, _NOT_YET}:
        return _Says(
            HostKeyError,
            f"its certificate has expired or is not valid yet{issuer}",
            "Renew it on the server, and compare the clocks.",
        )
    trusted = f"the CAs in {subject.ca_file}" if subject.ca_file else "this machine's own store"
    return _Says(
        HostKeyError,
        f"its certificate is by a CA that is not known here{issuer}; known are {trusted}",
        "Get that CA's certificate from whoever runs it, not from this connection, and pass it: --winrm-ca "
        "FILE, or winrm-ca in the site file. There is no switch to skip this.",
    )


def _issuer(subject: Subject) -> str:
    """Who issued the certificate that was refused, as it says itself; nothing is sent to find out."""
    try:
        pem = ssl.get_server_certificate((subject.address, subject.port), timeout=5)
        certificate = x509.load_pem_x509_certificate(pem.encode())
        return f" (it says it was issued by {name_text(certificate.issuer)})"
    except (OSError, ValueError):
        return ""


def _stranger(status: int = 0) -> _Says:
    answers = (
        f"answers with HTTP {status}, which WinRM does not" if status else "does not answer as WinRM does"
    )
    return _Says(
        HostCommandError,
        f"what listens on port {{port}} {answers}",
        f"Is the address the server's, and the port WinRM's ({HTTP_PORT} or {HTTPS_PORT})? A web server or "
        "an appliance can answer there too.",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and all that requests and urllib3 have wrapped in it."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        one = todo.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
