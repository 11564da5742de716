"""Who is at the other end of a connection: Negotiate (NTLM, Kerberos), certificates, and Basic over TLS."""

import base64
import binascii
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import spnego
import spnego.exceptions
from cryptography import x509
from cryptography.x509.oid import NameOID
from spnego._ntlm_raw.crypto import ntowfv1

from arcferry_lab.hosts.windows.accounts import Account
from arcferry_lab.hosts.windows.winrm.kerberos import Realm
from arcferry_lab.hosts.windows.winrm.settings import WinRmSettings

_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C
_ENVIRONMENT = threading.Lock()


class RefusedError(Exception):
    """Not signed in: HTTP's 401, which says no more than that."""


@dataclass(slots=True)
class Directory:
    """The accounts that a server knows, and what it proves itself with to Kerberos.

    Attributes:
        computer: the server's name, which is the domain of its local accounts.
        accounts: local ones and those of its domain.
        realm: whose tickets are taken; none where there is no Kerberos.
        certificates: the account that a certificate's user principal name stands for.
    """

    computer: str
    accounts: tuple[Account, ...]
    realm: Realm | None = None
    certificates: dict[str, str] = field(default_factory=dict)

    def account(self, principal: str) -> Account:
        r"""The account of a principal: `user`, `DOMAIN\user` or `user@domain`, in any case of letters.

        Raises:
            RefusedError: there is none, or it is locked.
        """
        for account in self.accounts:
            if principal.casefold() in {name.casefold() for name in self._names(account)}:
                if account.locked:
                    break
                return account
        raise RefusedError

    def _names(self, account: Account) -> Iterator[str]:
        if not account.domain:
            yield account.name
            yield f".\\{account.name}"
            yield f"{self.computer}\\{account.name}"
            return
        yield f"{account.name}@{account.domain}"
        yield f"{account.domain}\\{account.name}"
        yield f"{account.domain.partition('.')[0]}\\{account.name}"

    def lines(self) -> Iterator[str]:
        """For pyspnego's acceptor, in the format of smbpasswd: each name of an account that is not locked."""
        for account in self.accounts:
            for name in () if account.locked else self._names(account):
                digest = ntowfv1(account.password).hex().upper()
                yield f"{name}:1000:{'0' * 32}:{digest}:[U]:LCT-00000000"


@dataclass(slots=True)
class Connection:
    """What is known of one connection of a client; signing in counts for the connection, not for a request.

    Attributes:
        context: what messages are encrypted with; none before, and with certificates and Basic.
        account: who signed in.
    """

    address: str
    certificate: bytes = b""
    tls: bool = False
    context: spnego.ContextProxy | None = None
    account: Account | None = None

    def sign_in(self, header: str, directory: Directory, settings: WinRmSettings) -> str:
        """Take an Authorization header; returns what goes back as WWW-Authenticate, which may be nothing.

        Signed in is who has an `account` afterwards.

        Raises:
            RefusedError: the header proves nothing.
        """
        scheme, _, rest = header.partition(" ")
        kind = scheme.lower()
        if kind in {"negotiate", "kerberos"} and settings.negotiate:
            return self._negotiate(scheme, _decoded(rest), directory)
        self.context = None
        if kind == "basic" and self.tls and settings.basic:
            self.account = _by_password(_decoded(rest), directory)
        elif header == _MUTUAL and self.tls and settings.certificate:
            self.account = _by_certificate(self.certificate, directory)
        else:
            raise RefusedError
        return ""

    def _negotiate(self, scheme: str, token: bytes, directory: Directory) -> str:
        if self.context and self.context.complete:
            self.context = None
        self.account = None
        try:
            with _acceptor_finds(directory):
                if self.context is None:
                    self.context = spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.none)
                out = self.context.step(token)
            if self.context.complete:
                self.account = directory.account(self.context.client_principal or "")
        except (RefusedError, spnego.exceptions.SpnegoError, ValueError, IndexError, KeyError) as error:
            self.context = None
            raise RefusedError from error
        return f"{scheme} {base64.b64encode(out).decode()}" if out else ""


def schemes(settings: WinRmSettings, *, tls: bool) -> Sequence[str]:
    """What a 401 offers."""
    negotiate = ["Negotiate", "Kerberos"] if settings.negotiate else []
    return [*negotiate, *(['Basic realm="WSMAN"'] if settings.basic and tls else [])]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError from error


def _by_password(credentials: bytes, directory: Directory) -> Account:
    name, _, password = credentials.decode("utf-8", errors="replace").partition(":")
    account = directory.account(name)
    if account.password != password:
        raise RefusedError
    return account


def _by_certificate(certificate: bytes, directory: Directory) -> Account:
    if not certificate:
        raise RefusedError
    for name in _names_in(x509.load_der_x509_certificate(certificate)):
        if name in directory.certificates:
            return directory.account(directory.certificates[name])
    raise RefusedError


def _names_in(certificate: x509.Certificate) -> Iterator[str]:
    """User principal names of a certificate, which the mapping goes by, and its common name."""
    with suppress(x509.ExtensionNotFound):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for other in names.get_values_for_type(x509.OtherName):
            if other.type_id == _UPN and other.value[:1] == bytes([_UTF8_STRING]):
                yield other.value[2:].decode("utf-8", errors="replace")
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        yield str(attribute.value)


@contextmanager
def _acceptor_finds(directory: Directory) -> Iterator[None]:
    """The acceptors of pyspnego and GSSAPI find accounts and keys by environment variables alone."""
    with _ENVIRONMENT, os.fdopen(os.memfd_create("accounts"), "w", encoding="utf-8") as accounts:
        accounts.write("\n".join(directory.lines()))
        accounts.flush()
        wanted = {
            "NTLM_USER_FILE": f"/proc/self/fd/{accounts.fileno()}",
            "KRB5_KTNAME": f"FILE:{directory.realm.keytab if directory.realm else os.devnull}",
            "KRB5RCACHENAME": "none:",
        }
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
