"""Faults of a WinRM service, by name. Each is laid on a running one and stays until that is stopped."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from arcferry.errors import UnknownNameError
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.winrm.server import WinRmServer
from arcferry_lab.pki import Authority

_QUOTA: Final = 5
_OUTPUT: Final = 100 * 1024 * 1024


async def wrong_password(server: WinRmServer) -> None:
    """Every account has another password than the one that is known."""
    await _change_accounts(server, password="changed-since")  # noqa: S106 - invented


async def account_locked(server: WinRmServer) -> None:
    """Every account is locked, after too many wrong passwords."""
    await _change_accounts(server, locked=True)


async def clock_skew(server: WinRmServer) -> None:
    """The clock of the domain is too far from the client's: its KDC gives no tickets.

    Raises:
        LabError: the server is in no Kerberos realm.
    """
    if server.directory.realm is None:
        raise LabError("this server's domain has no Kerberos realm, and so no clock of its own")
    await server.directory.realm.skew()


async def token_filtered(server: WinRmServer) -> None:
    """Every account is a local administrator's whom LocalAccountTokenFilterPolicy makes none from afar."""
    await _change_accounts(server, domain="", built_in=False)
    server.change(token_filter=True)


async def not_administrator(server: WinRmServer) -> None:
    """No account is in the group Administrators."""
    await _change_accounts(server, administrator=False)


async def unknown_ca(server: WinRmServer) -> None:
    """The certificate of 5986 is issued by a CA that nobody was told of."""
    server.issuer = Authority("somebody else's CA")
    await server.restart()


async def off(server: WinRmServer) -> None:
    """The service is stopped, and its ports are closed."""
    await server.stop()


async def unencrypted_refused(server: WinRmServer) -> None:
    """A policy turned Negotiate off: nothing can encrypt messages over HTTP, and plain ones are refused."""
    server.change(negotiate=False, basic=True, allow_unencrypted=False)


async def memory_quota(server: WinRmServer) -> None:
    """MaxMemoryPerShellMB is less than a program needs."""
    server.change(max_memory_per_shell_mb=_QUOTA)


async def shells_quota(server: WinRmServer) -> None:
    """MaxShellsPerUser is reached by shells that were left open."""
    server.change(max_shells_per_user=_QUOTA)
    for account in server.directory.accounts:
        server.shells.leave_open(account, _QUOTA)


async def silent(server: WinRmServer) -> None:
    """Connections stay open, and no request is answered any more."""
    server.change(silent=True)


async def chatty(server: WinRmServer) -> None:
    """Every command prints 100 MiB before it does anything."""
    server.change(chatter=_OUTPUT)


async def huge_answer(server: WinRmServer) -> None:
    """Every answer with output has 100 MiB more in it than the client takes."""
    server.change(huge=_OUTPUT)


async def other_language(server: WinRmServer) -> None:
    """The system's language is Traditional Chinese."""
    server.change(language="zh-TW")


FAULTS: dict[str, Callable[[WinRmServer], Awaitable[None]]] = {
    "winrm/account-locked": account_locked,
    "winrm/chatty": chatty,
    "winrm/clock-skew": clock_skew,
    "winrm/huge-answer": huge_answer,
    "winrm/memory-quota": memory_quota,
    "winrm/not-administrator": not_administrator,
    "winrm/off": off,
    "winrm/other-language": other_language,
    "winrm/shells-quota": shells_quota,
    "winrm/silent": silent,
    "winrm/token-filtered": token_filtered,
    "winrm/unencrypted-refused": unencrypted_refused,
    "winrm/unknown-ca": unknown_ca,
    "winrm/wrong-password": wrong_password,
}


async def lay(name: str, server: WinRmServer) -> None:
    """Lay the named fault on a service.

    Raises:
        UnknownNameError: there is no such fault.
    """
    if name not in FAULTS:
        raise UnknownNameError("WinRM fault", name, FAULTS)
    await FAULTS[name](server)


async def _change_accounts(server: WinRmServer, **changes: object) -> None:
    accounts = server.directory.accounts
    server.directory.accounts = tuple(replace(one, **changes) for one in accounts)  # type: ignore[arg-type] # as dataclasses check it
    if server.directory.realm:
        await server.directory.realm.change(server.directory.accounts)
