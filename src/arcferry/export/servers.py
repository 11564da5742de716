"""The map by host name: where each server goes in Azure, for the wrapper scripts to look up."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING

from arcferry.errors import FileInputError
from arcferry.export.openings import openings
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.inventory.tags import check_tags, tags_text
from arcferry.fleet.place import Place, target_of
from arcferry.fleet.window import Window

if TYPE_CHECKING:
    from arcferry.export.options import ExportOptions

SERVERS = "servers.json"
LOOKUP = "servers.awk"

_MOST_LINES = 12
_ONE_TO_A_SERVER = (
    "Give one of them another name, or export them with an inventory and a share of its own for each."
)


@dataclass(frozen=True)
class ServerMap:
    """What `servers.json` holds. Every server can read it, so it holds no secret.

    Attributes:
        places: the options of the agent, its proxy and its window, by the number that servers name.
        servers: the number of each server's place, and its tags where it has its own, by its short name.
    """

    places: Mapping[str, Mapping[str, str]]
    servers: Mapping[str, Mapping[str, str]]

    @cached_property
    def data(self) -> bytes:
        """JSON in ASCII, one line a place and a server: wrapper scripts find them by their lines."""
        lines = (
            "{",
            '  "kind": "onboard-servers",',
            *_block("places", self.places),
            "  },",
            '  "schema": 1,',
            *_block("servers", dict(sorted(self.servers.items()))),
            "  }",
            "}",
        )
        return "".join(f"{line}\n" for line in lines).encode("ascii")

    @cached_property
    def sha256(self) -> str:
        """Of the data, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def server_map(inventory: Inventory, options: "ExportOptions") -> ServerMap:
    """The map of an inventory; a row counts before its site, and the site before the options.

    Raises:
        FileInputError: two servers cannot be told apart, or one has no name of its own, with the lines.
    """
    places = _Places(options)
    rows: dict[str, dict[str, str]] = {}
    first: dict[str, Host] = {}
    problems: list[tuple[Host, str, str]] = []
    for host in inventory.hosts:
        try:
            row = {"place": places.number(host), **_tags(host, options)}
            name = _short(host.name)
        except ValueError as error:
            problems.append((host, f"{host.name}: {error}", ""))
            continue
        other = first.setdefault(name, host)
        if difference := _difference(host.name, row, other.name, rows.setdefault(name, row)):
            says = (
                f"{host.name} and {other.name} on line {other.line} are one to a server, which looks for its "
                f"short name {name}, and {difference}"
            )
            problems.append((host, says, _ONE_TO_A_SERVER))
    _refuse(inventory, problems)
    return ServerMap(places.by_number, rows)


def _refuse(inventory: Inventory, problems: Sequence[tuple[Host, str, str]]) -> None:
    if not problems:
        return
    (host, says, hint), *others = problems
    lines = ", ".join(str(other.line) for other, _, _ in others[:_MOST_LINES])
    more = f"Problems also on line {lines}." if lines else ""
    raise FileInputError(inventory.path, says, line=host.line, hint=f"{hint} {more}".strip())


class _Places:
    """Places by number, each once: thousands of servers go to few."""

    def __init__(self, options: "ExportOptions") -> None:
        self._options = options
        self._known: dict[tuple[Place, str], str] = {}
        self._openings: dict[str, str] = {}
        self._numbers: dict[tuple[tuple[str, str], ...], str] = {}

    @property
    def by_number(self) -> dict[str, dict[str, str]]:
        return {number: dict(place) for place, number in self._numbers.items()}

    def number(self, host: Host) -> str:
        asked = (host.place, host.window.text if host.window is not None else "")
        if asked not in self._known:
            place = tuple(self._of(host).items())
            self._known[asked] = self._numbers.setdefault(place, str(len(self._numbers) + 1))
        return self._known[asked]

    def _of(self, host: Host) -> dict[str, str]:
        target = target_of(self._options.target, host.place)
        # The first is always there: by it the wrapper scripts tell a place's line from a server's.
        place = {
            "location": target.location,
            "gateway-id": host.place.gateway_id or self._options.gateway_id,
            "private-link-scope": host.place.private_link_scope or self._options.private_link_scope,
            "proxy": host.place.proxy or self._options.proxy,
            "resource-group": target.resource_group,
            "subscription-id": target.subscription_id,
            "window": self._opens(host.window or self._options.window),
        }
        return {name: value for name, value in place.items() if value}

    def _opens(self, window: Window | None) -> str:
        if window is None:
            return ""
        if window.text not in self._openings:
            self._openings[window.text] = openings(window, self._options.bundle.manifest)
        return self._openings[window.text]


def _tags(host: Host, options: "ExportOptions") -> dict[str, str]:
    if not host.tags:
        return {}
    # Those of either were checked when they were read, which takes its time.
    tags = check_tags({**options.tags, **host.tags}) if options.tags else dict(host.tags)
    return {"tags": tags_text(tags)}


def _short(name: str) -> str:
    """As a server says it: up to the first dot, in small letters."""
    try:
        ip_address(name)
    except ValueError:
        return name.partition(".")[0].lower()
    raise ValueError("an address is no name that a server looks for; give it its host name")


def _difference(name: str, row: Mapping[str, str], other_name: str, other: Mapping[str, str]) -> str:
    """Why two rows of one short name cannot both be meant; empty where they are one server."""
    if row["place"] != other["place"]:
        return "go to different places"
    if row != other:
        return "have different tags"
    domains = {one.lower().partition(".")[2] for one in (name, other_name)} - {""}
    return "are in different domains, so they may come to be one machine in Azure" if len(domains) > 1 else ""


def _block(name: str, rows: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield f'  "{name}": {{'
    last = len(rows) - 1
    for place, (key, row) in enumerate(rows.items()):
        yield f"    {json.dumps(key)}: {json.dumps(row, sort_keys=True)}{',' if place < last else ''}"
