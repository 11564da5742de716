"""The inventory: which hosts a run takes in, how each is reached, and where in Azure it goes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from arcferry.errors import FileInputError
from arcferry.fleet.inventory.cells import COLUMNS, checked, host_auth, host_transport
from arcferry.fleet.inventory.forms import read_rows
from arcferry.fleet.inventory.rows import InventoryRow, Rows
from arcferry.fleet.place import EVERYWHERE, PLACE_COLUMNS, Place, place_of
from arcferry.fleet.window import Window, parse_window
from arcferry.text import quoted

OF_SITES = (*PLACE_COLUMNS, "window")
"""The columns that a site may have too, for all of its hosts."""

_CLOUD = "AzureCloud"


@dataclass(frozen=True, slots=True)
class Host:
    """One server. Its name becomes its machine's name in Azure.

    Attributes:
        address: a host name or an IP address.
        port: 0 over WinRM for what answers there, 5986 (TLS) before 5985 (encrypted messages).
        user: empty for the run's own.
        site: the site that it stands in, empty where the inventory names none.
        transport: how it is reached: `ssh` or `winrm`.
        auth: how to sign in over WinRM; empty for Kerberos and, where that cannot be, NTLM.
        place: where in Azure it goes, as far as its row or its site says.
        line: where it stands in the inventory.
        window: when it may be begun; None for the run's own window.
    """

    name: str
    address: str
    port: int = 22
    user: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    site: str = ""
    transport: str = "ssh"
    auth: str = ""
    line: int = 0
    place: Place = EVERYWHERE
    window: Window | None = None

    def identity(self) -> dict[str, Any]:
        """What makes this host this host, as plain JSON; its line, its window and how to sign in do not."""
        identity: dict[str, Any] = {
            "name": self.name,
            "address": self.address,
            "port": self.port,
            "transport": self.transport,
            "user": self.user,
            "tags": dict(sorted(self.tags.items())),
            "site": self.site,
        }
        return identity | ({"place": place} if (place := self.place.given()) else {})


@dataclass(frozen=True, slots=True)
class Inventory:
    """The hosts in the order of the file; no two names or addresses with ports are the same.

    Attributes:
        notes: what of the file is left out or not read.
    """

    path: Path
    hosts: tuple[Host, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HowReached:
    """How hosts are reached whose rows do not say.

    Raises:
        ValueError: it names what is not known.
    """

    transport: str = ""
    auth: str = ""
    port: int = 0

    def __post_init__(self) -> None:
        host_transport(self.transport)
        host_auth(self.auth)

    def of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row's transport, port and way to sign in."""
        transport = row["transport"] or self.transport or ("winrm" if row["auth"] else "ssh")
        if transport == "ssh" and row["auth"]:
            raise ValueError(f"auth {row['auth']} is WinRM's; SSH signs in with a key")
        port = row["port"] or self.port or (22 if transport == "ssh" else 0)
        auth = (row["auth"] or self.auth) if transport == "winrm" else ""
        return {"transport": transport, "port": port, "auth": auth}


@dataclass(frozen=True, slots=True)
class Reading:
    """How an inventory is read.

    Attributes:
        how: how hosts are reached whose rows do not say.
        encoding: what the file is in, if it is neither UTF-8 nor marked.
        cloud: whose regions its locations are.
    """

    how: HowReached = HowReached()
    encoding: str = ""
    cloud: str = _CLOUD


@dataclass(frozen=True, slots=True)
class _Site:
    place: Place = EVERYWHERE
    window: Window | None = None


def read_inventory(path: Path, how: HowReached | Reading = HowReached()) -> Inventory:
    """Read an inventory in any of its forms and check every row before any host is touched.

    Args:
        path: the file.
        how: how it is read, or but how hosts are reached whose rows do not say.

    Raises:
        FileInputError: naming file and line; the hint lists further lines with problems.
        ValueError: there is no such encoding.
    """
    reading = how if isinstance(how, Reading) else Reading(how)
    found = read_rows(path, COLUMNS, OF_SITES, reading.encoding)
    hosts: list[Host] = []
    problems: list[tuple[int, str]] = []
    sites = _sites(found, reading, problems)
    for row in found.rows:
        try:
            hosts.append(_host(row, sites, reading))
        except ValueError as error:
            problems.append((row.line, str(error)))
    problems += _duplicates(hosts)
    _refuse(path, problems)
    if not hosts:
        hint = f"{found.notes[0]}." if found.notes else ""
        raise FileInputError(path, "holds no hosts", hint=hint)
    return Inventory(path, tuple(hosts), found.notes)


def _sites(found: Rows, reading: Reading, problems: list[tuple[int, str]]) -> dict[str, _Site]:
    sites: dict[str, _Site] = {}
    for name, row in found.sites.items():
        try:
            sites[name] = _site(_texts(row), reading)
        except ValueError as error:
            problems.append((row.line, f"site {quoted(name, limit=64)}: {error}"))
            sites[name] = _Site()
    return sites


def _site(cells: Mapping[str, str], reading: Reading) -> _Site:
    window = cells.get("window", "")
    return _Site(place_of(cells, reading.cloud), _window(window) if window else None)


_window = lru_cache(maxsize=4096)(parse_window)


def _host(row: InventoryRow, sites: Mapping[str, _Site], reading: Reading) -> Host:
    cells = checked(row.cells)
    values = cells.model_dump(exclude={"tags", *OF_SITES})
    own = _site(_texts(row), reading)
    if sites and cells.site and cells.site not in sites:
        near = get_close_matches(cells.site, sites, n=1)
        known = f"did you mean {near[0]}?" if near else f"there are {', '.join(list(sites)[:6])}"
        raise ValueError(f"site {quoted(cells.site)} is none of `sites`; {known}")
    site = sites.get(cells.site, _Site())
    return Host(
        **values | reading.how.of(values),
        tags=MappingProxyType(dict(cells.tags)),
        place=own.place.over(site.place),
        line=row.line,
        window=own.window or site.window,
    )


def _texts(row: InventoryRow) -> dict[str, str]:
    return {column: cell for column, cell in row.cells.items() if isinstance(cell, str)}


def _refuse(path: Path, problems: Iterable[tuple[int, str]]) -> None:
    """Refuse an inventory with problems: the first of them is told, and the lines of others.

    Raises:
        FileInputError: there are any.
    """
    ordered = sorted(problems)
    if not ordered:
        return
    (line, says), *others = ordered
    lines = [str(number) for number in dict.fromkeys(number for number, _ in others)]
    hint = f"Problems also on line {', '.join(lines[:12])}." if lines else ""
    raise FileInputError(path, says, line=line, hint=hint)


def _duplicates(hosts: list[Host]) -> list[tuple[int, str]]:
    problems = []
    first_name: dict[str, Host] = {}
    first_place: dict[tuple[str, int], Host] = {}
    for host in hosts:
        other = first_name.setdefault(host.name.lower(), host)
        if other is not host:
            problems.append((host.line, f"name {quoted(host.name)} is already on line {other.line}"))
            continue
        place = first_place.setdefault((host.address.lower(), host.port), host)
        if place is not host:
            at = f"{host.address} port {host.port}" if host.port else host.address
            says = f"address {at} is already on line {place.line} ({place.name})"
            problems.append((host.line, says))
    return problems
