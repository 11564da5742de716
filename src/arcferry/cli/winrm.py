"""How a command signs in to Windows servers over WinRM, made of its options."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arcferry.cli.options import HOSTS, option, setting

if TYPE_CHECKING:
    from arcferry.fleet.inventory import Host
    from arcferry.fleet.transport.winrm_trust import WinrmTrust

_PASSWORD_VARIABLE = "ARCFERRY_WINRM_PASSWORD"  # noqa: S105  # the variable's name


@dataclass(frozen=True, kw_only=True)
class WinrmOptions:
    """Who arcferry is on Windows servers that are reached over WinRM; never the password itself."""

    winrm_auth: Annotated[
        Literal["kerberos", "ntlm", "certificate", "basic"],
        setting(
            "--winrm-auth WAY",
            "How to sign in to Windows servers: kerberos (with a ticket, a keytab or a password), ntlm, "
            "certificate, or basic; the last two over TLS alone.",
            panel=HOSTS,
        ),
    ] = "kerberos"
    winrm_user: Annotated[
        str,
        setting(
            "--winrm-user NAME",
            "The user on Windows servers if the inventory names none: name@REALM for Kerberos, DOMAIN\\name "
            "or name for NTLM. It must be an administrator there.",
            panel=HOSTS,
        ),
    ] = ""
    winrm_password_file: Annotated[
        Path | None,
        setting(
            "--winrm-password-file FILE",
            "A file with the password, readable by its owner alone.",
            panel=HOSTS,
        ),
    ] = None
    winrm_password_env: Annotated[
        str, option("--winrm-password-env NAME", "The variable that holds the password.", panel=HOSTS)
    ] = _PASSWORD_VARIABLE
    winrm_keyring: Annotated[
        str,
        setting(
            "--winrm-keyring SERVICE",
            "Take the password from the system's keyring, where it lies under this service and the user.",
            panel=HOSTS,
        ),
    ] = ""
    winrm_keytab: Annotated[
        Path | None,
        setting("--winrm-keytab FILE", "A keytab to have the Kerberos ticket by.", panel=HOSTS),
    ] = None
    winrm_certificate: Annotated[
        Path | None,
        setting(
            "--winrm-certificate FILE", "The client certificate for auth certificate, in PEM.", panel=HOSTS
        ),
    ] = None
    winrm_certificate_key: Annotated[
        Path | None,
        setting(
            "--winrm-certificate-key FILE", "Its private key, if that is not in the same file.", panel=HOSTS
        ),
    ] = None
    winrm_ca: Annotated[
        Path | None,
        setting(
            "--winrm-ca FILE",
            "The CA of the servers' WinRM certificates, in PEM; without it the system's own store.",
            panel=HOSTS,
        ),
    ] = None


def winrm_trust(given: WinrmOptions, hosts: Iterable["Host"]) -> "WinrmTrust | None":
    """How to sign in over WinRM; None if no host is reached that way.

    Raises:
        InputError: what a host needs is missing or could not work. Nothing was sent.
    """
    reached = [host for host in hosts if host.transport == "winrm"]
    if not reached:
        return None
    from arcferry.fleet.transport.winrm_trust import WinrmTrust, needs_password, refuse_unusable

    trust = WinrmTrust(
        auth=given.winrm_auth,
        user=given.winrm_user,
        password=_password(given),
        ca_file=given.winrm_ca,
        keytab=given.winrm_keytab,
        certificate=given.winrm_certificate,
        certificate_key=given.winrm_certificate_key,
    )
    if sys.stdin.isatty() and needs_password(trust, trust.auth):
        trust = replace(trust, password=typer.prompt("Password for WinRM", hide_input=True, err=True))
    for user, port in sorted({(host.user or trust.user, host.port) for host in reached}):
        refuse_unusable(trust, trust.auth, user, port)
    trust.context()
    return trust


def _password(given: WinrmOptions) -> str | None:
    from arcferry.fleet.transport import winrm_trust as sources

    if given.winrm_password_file is not None:
        return sources.password_from_file(given.winrm_password_file)
    if given.winrm_keyring:
        return sources.password_from_keyring(given.winrm_keyring, given.winrm_user)
    return sources.password_from_environment(given.winrm_password_env)
