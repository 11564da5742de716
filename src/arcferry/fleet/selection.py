"""Which hosts of an inventory a command is about: by name, by tag, by a file of names, by site."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from arcferry.errors import FileInputError, InputError, UnknownNameError
from arcferry.files import read_bounded
from arcferry.fleet.inventory import Host, Inventory
from arcferry.text import quoted

_LIMIT = 4 * 1024 * 1024
_Takes = Callable[[Host], bool]


def selected(inventory: Inventory, limits: Sequence[str], sites: Sequence[str]) -> Inventory:
    """The hosts that any of the limits takes in and that stand in one of the sites, in the inventory's order.

    Args:
        inventory: all of them.
        limits: `NAME`, `TAG=VALUE`, or `@FILE` with a name a line; without one, every host.
        sites: names of sites; without one, every site.

    Raises:
        UnknownNameError: there is no such host, tag or site.
        InputError: no host is left.
        FileInputError: a file of names cannot be used.
    """
    hosts = inventory.hosts
    if sites:
        wanted = {_site(inventory, site) for site in sites}
        hosts = tuple(host for host in hosts if host.site.casefold() in wanted)
    if limits:
        takes = [take for limit in limits for take in _takes(inventory, limit)]
        hosts = tuple(host for host in hosts if any(take(host) for take in takes))
    if not hosts:
        raise InputError(
            f"no server of {inventory.path} is in both --limit and --site",
            hint="A server must be taken in by one --limit, and stand in one of the sites.",
        )
    return replace(inventory, hosts=hosts)


def _site(inventory: Inventory, site: str) -> str:
    known = {host.site for host in inventory.hosts if host.site}
    if site.casefold() not in {one.casefold() for one in known}:
        if not known:
            raise InputError(
                f"--site {quoted(site)}: no server of {inventory.path} has a site",
                hint="Give the inventory a column site.",
            )
        raise UnknownNameError("site", site, known)
    return site.casefold()


def _takes(inventory: Inventory, limit: str) -> list[_Takes]:
    if limit.startswith("@"):
        return _named_in(inventory, Path(limit[1:]))
    if "=" in limit:
        return [_tagged(inventory, limit)]
    return [_named(inventory, limit)]


def _named(inventory: Inventory, name: str) -> _Takes:
    known = {host.name.lower() for host in inventory.hosts}
    wanted = name.strip().lower()
    if wanted not in known:
        raise UnknownNameError("server", name, (host.name for host in inventory.hosts))
    return lambda host: host.name.lower() == wanted


def _tagged(inventory: Inventory, text: str) -> _Takes:
    """Azure takes a tag's name in any case, and its value as it is written."""
    name, _, value = (part.strip() for part in text.partition("="))
    folded = name.casefold()
    values = {own for host in inventory.hosts for tag, own in host.tags.items() if tag.casefold() == folded}
    if not values:
        raise UnknownNameError("tag", name, {tag for host in inventory.hosts for tag in host.tags})
    if value not in values:
        raise UnknownNameError(f"value of the tag {name}", value, values)
    return lambda host: any(tag.casefold() == folded and own == value for tag, own in host.tags.items())


def _named_in(inventory: Inventory, path: Path) -> list[_Takes]:
    """A name a line; what follows a # is a remark."""
    try:
        text = read_bounded(path, limit=_LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileInputError(path, "is not UTF-8 text") from None
    known = {host.name.lower() for host in inventory.hosts}
    wanted = set()
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.partition("#")[0].strip()
        if not name:
            continue
        if name.lower() not in known:
            near = UnknownNameError("server", name, (host.name for host in inventory.hosts))
            raise FileInputError(path, near.message, line=number, hint=near.hint)
        wanted.add(name.lower())
    if not wanted:
        raise FileInputError(path, "names no server")
    return [lambda host: host.name.lower() in wanted]
