"""How arcferry signs in over WinRM, and whose certificates it believes there."""

import os
import ssl
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

from arcferry.errors import FileInputError, InputError
from arcferry.files import naming, owner_only, read_secret
from arcferry.fleet.inventory.cells import AUTHS, Auth
from arcferry.text import one_line

HTTP_PORT, HTTPS_PORT = 5985, 5986
_ON_WINDOWS: bool = sys.platform == "win32"
_PLAIN_PORTS = frozenset((80, HTTP_PORT))
NO_NTLM_OVER_HTTP = (
    "Over HTTP nothing proves that it is the server which gets NTLM's answer, so it is not given there "
    "unasked. Let port 5986 (TLS) or Kerberos work, or write auth ntlm for this host in the inventory, or "
    "in the site file, where you trust the network."
)
PASSWORD_VARIABLE = "ARCFERRY_WINRM_PASSWORD"  # noqa: S105  # the variable's name
NO_KERBEROS = (
    "pip install 'arcferry[kerberos]'. On Linux that builds against the system's Kerberos: it takes a C "
    "compiler and libkrb5's headers (Debian: apt-get install gcc python3-dev libkrb5-dev). docs/windows.md "
    "says how a closed jump host gets it."
)


@dataclass(frozen=True, slots=True)
class WinrmTrust:
    """What every WinRM session of a run has in common.

    Attributes:
        user: the user where the inventory names none; empty for whoever holds the Kerberos ticket.
        ca_file: the CAs of the servers' certificates, in place of the system's own store.
        keytab: the keytab to have a Kerberos ticket by.
    """

    user: str = ""
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    keytab: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """A TLS context that verifies name and chain. Nothing can turn that off.

        Raises:
            FileInputError: a file is missing or holds no certificate or key.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca_file is None:
            context.load_default_certs()
        else:
            with naming(self.ca_file):
                try:
                    context.load_verify_locations(self.ca_file)
                except ssl.SSLError:
                    raise FileInputError(self.ca_file, "holds no certificate in PEM") from None
        return context

    def client_context(self) -> ssl.SSLContext:
        """The same, with the certificate to sign in with.

        Raises:
            FileInputError: as for `context`, or the key has a password.
            InputError: no certificate was given.
        """
        if self.certificate is None:
            raise InputError(
                "auth certificate: no certificate to sign in over WinRM with",
                hint="Pass --winrm-certificate FILE, and --winrm-certificate-key FILE if the key is not in "
                "it.",
            )
        key = self.certificate_key or self.certificate
        owner_only(key, "a private key")
        context = self.context()

        def asked() -> str:
            raise FileInputError(key, "its private key has a password, which is not supported")

        with naming(self.certificate):
            try:
                context.load_cert_chain(self.certificate, key, password=asked)
            except ssl.SSLError:
                raise FileInputError(
                    self.certificate, f"no certificate with the private key of {key}"
                ) from None
        return context


def is_plain(port: int) -> bool:
    """Whether WinRM speaks HTTP on a port, where it encrypts the messages itself; TLS everywhere else."""
    return port in _PLAIN_PORTS


def ways(trust: WinrmTrust, auth: str, user: str, address: str) -> tuple[Auth, ...]:
    """How to sign in: as was said, else by Kerberos and, where that cannot be, by NTLM."""
    for known in AUTHS:
        if auth == known:
            return (known,)
    by_ntlm = not needs_password(trust, "ntlm") and bool(user or _ON_WINDOWS)
    if not has_kerberos() or is_local(user, address) or (not _ON_WINDOWS and "\\" in user):
        return ("ntlm",)
    return ("kerberos", "ntlm") if by_ntlm else ("kerberos",)


def refuse_unasked(said: str, auth: Auth, port: int) -> None:
    """Refuse NTLM over HTTP unless it was asked for: whoever blocks 5986 and Kerberos must not get it so.

    Raises:
        InputError: saying what to write.
    """
    if auth == "ntlm" != said and is_plain(port):
        more = "" if has_kerberos() else f" For Kerberos: {NO_KERBEROS}"
        raise InputError(
            f"no auth is written, and on port {port} there is only NTLM over HTTP",
            hint=f"{NO_NTLM_OVER_HTTP}{more}",
        )


def has_kerberos() -> bool:
    """Whether the packages are here; Windows has its own."""
    return _ON_WINDOWS or find_spec("gssapi") is not None


def is_local(user: str, address: str) -> bool:
    """Whether an account is the server's own: it has no domain, or the server's name as one."""
    domain, mark, _ = user.rpartition("\\")
    if mark:
        return domain in {"", "."} or domain.lower() == address.partition(".")[0].lower()
    return bool(user) and "@" not in user


def password_from_environment(name: str) -> str | None:
    """The password held by an environment variable, None where it is not set or empty."""
    return os.environ.get(name) or None


def password_from_file(path: Path) -> str:
    """The password in a file that only its owner can read.

    Raises:
        FileInputError: the file is missing, empty, of several lines, or readable by others.
    """
    return read_secret(path, "a password")


def password_from_keyring(service: str, user: str) -> str:
    """The password that the system's keyring holds for a user.

    Raises:
        InputError: keyring is not installed, has no store here, or holds none for this user.
    """
    hint = f"Put it there once: keyring set {service} {user}"
    try:
        import keyring  # noqa: PLC0415  # an extra, which few have
        from keyring.errors import KeyringError  # noqa: PLC0415  # as above
    except ImportError:
        hint = "pip install 'arcferry[keyring]', or name a file with the password: --winrm-password-file."
        raise InputError("the keyring's package is not installed", hint=hint) from None
    if not user:
        raise InputError("the keyring is asked for a user's password", hint="Name the user: --winrm-user.")
    try:
        password = keyring.get_password(service, user)
    except KeyringError as error:
        raise InputError(f"the keyring cannot be read: {one_line(str(error))}", hint=hint) from None
    if not password:
        raise InputError(f"the keyring holds no password of {user} under {service}", hint=hint)
    return password


def needs_password(trust: WinrmTrust, auth: Auth) -> bool:
    """Whether this way to sign in takes a password that is not at hand."""
    if trust.password is not None or auth in {"kerberos", "certificate"}:
        return False
    return auth == "basic" or not _ON_WINDOWS  # NTLM takes the signed-in Windows user


def refuse_unusable(trust: WinrmTrust, auth: Auth, user: str, port: int) -> None:
    """Refuse what could not work, before anything is sent to a host.

    Raises:
        InputError: saying which setting is wrong or missing; `FileInputError` where it is a file.
    """
    if is_plain(port) and auth in {"basic", "certificate"}:
        what = "a password" if auth == "basic" else "a certificate"
        raise InputError(
            f"auth {auth} on port {port}: over HTTP nothing would protect it, and {what} is not sent there",
            hint=f"Take port {HTTPS_PORT}, or auth kerberos or ntlm, which encrypt every message.",
        )
    if auth == "certificate":
        trust.client_context()
    if auth == "kerberos":
        _refuse_kerberos(user, trust.keytab)
    elif auth != "certificate" and not user and not (auth == "ntlm" and _ON_WINDOWS):
        raise InputError(
            f"auth {auth}: no user", hint="Name one: --winrm-user, or the inventory's user column."
        )
    if needs_password(trust, auth):
        more = "" if has_kerberos() else f" Or have a Kerberos ticket: {NO_KERBEROS}"
        raise InputError(
            f"auth {auth}: no password to sign in over WinRM with",
            hint="Put it into a file that you alone can read and pass --winrm-password-file, into the "
            f"variable {PASSWORD_VARIABLE}, or into the keyring (--winrm-keyring).{more}",
        )


def _refuse_kerberos(user: str, keytab: Path | None) -> None:
    if _ON_WINDOWS:
        return
    if not has_kerberos():
        raise InputError(
            "auth kerberos: the packages for Kerberos are not installed",
            hint=f"{NO_KERBEROS} Or sign in by auth ntlm.",
        )
    if "\\" in user:
        name = user.partition("\\")[2]
        raise InputError(
            f"auth kerberos: user {one_line(user)} is written as for NTLM",
            hint=f"Kerberos takes {name}@REALM, the realm in capitals, such as {name}@CORP.EXAMPLE.",
        )
    if keytab is not None:
        owner_only(keytab, "a key")


def service_name(name: str, address: str) -> str:
    """The host that Kerberos asks a ticket for: an address has none, so the server's name is taken then."""
    try:
        ip_address(address)
    except ValueError:
        return address
    return name
