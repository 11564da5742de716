"""A Kerberos realm of the lab: MIT's KDC with all its files in one folder, on one address, as one process."""

import asyncio
import os
import secrets
import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from arcferry.files import write_whole
from arcferry.text import clean
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.accounts import Account
from arcferry_lab.system import SYSTEM_FOLDERS, tools_folder, unpacked_libraries

_PROGRAMS: Final = ("krb5kdc", "kdb5_util", "kadmin.local")
_SERVICES: Final = ("HTTP", "host", "WSMAN")
_SECONDS: Final = 30.0
_RUNS: Final = b"commencing operation"
_CLIENT = """[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
{realm} = {{
 kdc = {address}:{port}
}}
[domain_realm]
.{domain} = {realm}
{domain} = {realm}
"""
_KDC = """[kdcdefaults]
kdc_listen = {address}:{port}
kdc_tcp_listen = {address}:{port}
[realms]
{realm} = {{
 database_name = {folder}/principal
 key_stash_file = {folder}/stash
 acl_file = {folder}/acl
 supported_enctypes = aes256-cts:normal aes128-cts:normal
}}
[dbmodules]
db_module_dir = {plugins}
[logging]
kdc = STDERR
"""
# KRB-ERROR of RFC 4120 5.9.1 with error-code 37, KRB_AP_ERR_SKEW, as a KDC says it of another day
_SKEW: Final = 37


def cannot_serve() -> str | None:
    """Why there can be no Kerberos here; None where there can."""
    missing = [name for name in _PROGRAMS if _program(name) is None]
    if missing:
        return f"no {', '.join(missing)} (Debian packages krb5-kdc, krb5-admin-server)"
    absent = [name for name in ("gssapi", "krb5") if find_spec(name) is None]
    return f"no Python packages {', '.join(absent)}" if absent else None


class Realm:
    """A realm and its KDC.

    Attributes:
        name: such as CORP.EXAMPLE.
        config: the krb5.conf of its clients.
        keytab: of the servers' services.
    """

    def __init__(self, domain: str, folder: Path, address: str = "127.0.0.1", port: int = 0) -> None:
        """A realm that does not run yet; port 0 is any."""
        self.name = domain.upper()
        self.config = folder / "krb5.conf"
        self.keytab = folder / "services.keytab"
        self._folder = folder
        self._address = address
        self._port = port or _free_port(address)
        self._domain = domain
        self._process: asyncio.subprocess.Process | None = None
        self._skewed: asyncio.Server | None = None

    async def start(self, accounts: Sequence[Account], computers: Sequence[str]) -> None:
        """Make the realm, with the accounts of its domain and the services of computers, and run its KDC.

        Raises:
            LabError: it cannot be made or run here.
        """
        reason = cannot_serve()
        if reason:
            raise LabError(f"Kerberos cannot run here: {reason}")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write()
        master = secrets.token_hex(16)
        await self._run("kdb5_util", "create", "-s", "-W", given=f"{master}\n{master}\n")
        lines = []
        for account in self._own(accounts):
            flags = f"+requires_preauth {'-' if account.locked else '+'}allow_tix"
            lines.append(f"addprinc {flags} -pw {_quoted(account.password)} {_quoted(account.name)}")
        for computer in computers:
            for service in _SERVICES:
                for name in (computer, f"{computer}.{self._domain}"):
                    lines.append(f"addprinc -randkey {service}/{name}")
                    lines.append(f"ktadd -k {self.keytab} {service}/{name}")
        await self._admin(lines)
        await self._serve()

    async def stop(self) -> None:
        """End the KDC."""
        if self._skewed:
            self._skewed.close()
            self._skewed = None
        process, self._process = self._process, None
        if process:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def change(self, accounts: Sequence[Account]) -> None:
        """Give accounts the passwords that they have now, and lock those that are locked."""
        lines = []
        for account in self._own(accounts):
            lines.append(f"cpw -pw {_quoted(account.password)} {_quoted(account.name)}")
            lines.append(f"modprinc {'-' if account.locked else '+'}allow_tix {_quoted(account.name)}")
        await self._admin(lines)

    async def export(self, name: str, keytab: Path) -> None:
        """Put an account's keys into a keytab, by which it gets tickets without a password."""
        await self._admin([f"ktadd -norandkey -k {keytab} {_quoted(name)}"])

    async def skew(self) -> None:
        """From now on every request is answered as by a KDC whose clock is another's: by KRB_AP_ERR_SKEW."""
        await self.stop()
        self._skewed = await asyncio.start_server(self._refuse, self._address, self._port)

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            length = int.from_bytes(await reader.readexactly(4), "big")
            await reader.readexactly(min(length, 1 << 16))
            error = _error(self.name)
            writer.write(len(error).to_bytes(4, "big") + error)
            await writer.drain()
        writer.close()

    def _own(self, accounts: Sequence[Account]) -> list[Account]:
        return [one for one in accounts if one.domain.casefold() == self._domain.casefold()]

    def _write(self) -> None:
        values = {
            "realm": self.name,
            "domain": self._domain,
            "address": self._address,
            "port": self._port,
            "folder": self._folder,
            "plugins": _plugins(),
        }
        write_whole(self.config, _CLIENT.format(**values).encode())
        write_whole(self._folder / "kdc.conf", _KDC.format(**values).encode())
        write_whole(self._folder / "acl", b"")

    async def _serve(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            str(_program("krb5kdc")),
            "-n",
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        said = b""
        with suppress(TimeoutError):
            said = await asyncio.wait_for(_start_of(self._process.stderr), _SECONDS)
        if _RUNS not in said:
            await self.stop()
            raise LabError(f"the KDC did not start: {clean(said[-2000:]).strip()}")
        self._log = asyncio.create_task(_drop(self._process.stderr))

    async def _admin(self, lines: Sequence[str]) -> None:
        """On standard input: a password is in no process's arguments."""
        said = await self._run("kadmin.local", given="".join(f"{line}\n" for line in lines))
        if "while " in said:
            raise LabError(f"kadmin.local: {said}")

    async def _run(self, name: str, *words: str, given: str) -> str:
        process = await asyncio.create_subprocess_exec(
            str(_program(name)),
            "-r",
            self.name,
            *words,
            env=self._environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # or it would ask on the terminal
        )
        async with asyncio.timeout(_SECONDS):
            out, _ = await process.communicate(given.encode())
        said = clean(out[-2000:]).strip()
        if process.returncode:
            raise LabError(f"{name} ended with {process.returncode}: {said}")
        return said

    def _environment(self) -> dict[str, str]:
        folder = tools_folder()
        return {
            "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}",
            "LD_LIBRARY_PATH": unpacked_libraries(folder) if folder else "",
            "KRB5_CONFIG": str(self.config),
            "KRB5_KDC_PROFILE": str(self._folder / "kdc.conf"),
            "KRB5RCACHENAME": "none:",
            "LC_ALL": "C.UTF-8",
        }


async def _start_of(log: asyncio.StreamReader | None) -> bytes:
    said = b""
    while _RUNS not in said and log and (line := await log.readline()):
        said += line
    return said


async def _drop(stream: asyncio.StreamReader | None) -> None:
    while stream and await stream.read(1 << 16):
        pass


def _program(name: str) -> str | None:
    folder = tools_folder()
    unpacked = f"{folder}/usr/sbin:{folder}/usr/bin:" if folder else ""
    return shutil.which(name, path=f"{unpacked}{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")


def _plugins() -> str:
    """Where the KDC finds its database's driver: its own folder is compiled in."""
    folder = tools_folder()
    libraries = unpacked_libraries(folder).split(":") if folder else []
    places = [Path(library) / "krb5/plugins/kdb" for library in libraries if library]
    places += sorted(Path("/usr/lib").glob("*/krb5/plugins/kdb"))
    return next((str(place) for place in places if place.is_dir()), "")


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _error(realm: str) -> bytes:
    def tagged(tag: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        size = len(content)
        return bytes([tag, size] if size < 128 else [tag, 0x81, size]) + content  # noqa: PLR2004 - DER's short form

    def number(value: int) -> bytes:
        return tagged(0x02, bytes([value]))

    text = tagged(0x1B, realm.encode())
    server = tagged(
        0x30,
        tagged(0xA0, number(2)),
        tagged(0xA1, tagged(0x30, tagged(0x1B, b"krbtgt"), text)),
    )
    return tagged(
        0x7E,
        tagged(
            0x30,
            tagged(0xA0, number(5)),
            tagged(0xA1, number(30)),
            tagged(0xA4, tagged(0x18, b"20200101000000Z")),
            tagged(0xA5, number(0)),
            tagged(0xA6, number(_SKEW)),
            tagged(0xA9, text),
            tagged(0xAA, server),
        ),
    )
