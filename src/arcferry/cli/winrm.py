"""How a command signs in to Windows servers over WinRM, made of its options."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.options import HOSTS, option, setting
from arcferry.errors import FileInputError, InputError
from arcferry.text import one_line

if TYPE_CHECKING:
    from arcferry.fleet.inventory import Host
    from arcferry.fleet.inventory.cells import Auth
    from arcferry.fleet.transport.winrm_trust import WinrmTrust

_NAMED = 3
_PASSWORD_VARIABLE = "ARCFERRY_WINRM_PASSWORD"  # noqa: S105  # the variable's name


@dataclass(frozen=True, kw_only=True)
class WinrmOptions:
    """Who arcferry is on Windows servers that are reached over WinRM; never the password itself."""

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
    from arcferry.fleet.transport.winrm_trust import (
        HTTPS_PORT,
        WinrmTrust,
        needs_password,
        refuse_unusable,
        ways,
    )

    trust = WinrmTrust(
        user=given.winrm_user,
        password=_password(given),
        ca_file=given.winrm_ca,
        keytab=given.winrm_keytab,
        certificate=given.winrm_certificate,
        certificate_key=given.winrm_certificate_key,
    )
    signing_in: dict[tuple[Auth, str, int], list[str]] = {}
    for host in reached:
        user = host.user or trust.user
        way = ways(trust, host.auth, user, host.address)[0]
        signing_in.setdefault((way, user, host.port or HTTPS_PORT), []).append(host.name)
    asking = {user for auth, user, _ in signing_in if needs_password(trust, auth)}
    if asking and sys.stdin.isatty():
        question = f"Password for WinRM ({_some(sorted(filter(None, asking))) or 'no user'})"
        trust = replace(trust, password=typer.prompt(question, hide_input=True, err=True))
    for (auth, user, port), names in sorted(signing_in.items()):
        try:
            refuse_unusable(trust, auth, user, port)
        except FileInputError:
            raise
        except InputError as error:
            raise InputError(f"{_some(names)}: {error.message}", hint=error.hint) from None
    trust.context()
    return trust


def _some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    first = ", ".join(one_line(name, limit=60) for name in names[:_NAMED])
    return first + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _password(given: WinrmOptions) -> str | None:
    from arcferry.fleet.transport import winrm_trust as sources

    if given.winrm_password_file is not None and given.winrm_keyring:
        raise InputError(
            "two places are named for WinRM's password: --winrm-password-file and --winrm-keyring",
            hint="Take one out: each may stand on the command line, in ARCFERRY_WINRM_PASSWORD_FILE or "
            "ARCFERRY_WINRM_KEYRING, or in the site file.",
        )
    if given.winrm_password_file is not None:
        return sources.password_from_file(given.winrm_password_file)
    if given.winrm_keyring:
        return sources.password_from_keyring(given.winrm_keyring, given.winrm_user)
    return sources.password_from_environment(given.winrm_password_env)
