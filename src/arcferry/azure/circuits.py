"""An ExpressRoute circuit as Resource Manager shows it: itself, its filters, and each path of its peering."""

import asyncio
import re
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass

from arcferry import typed
from arcferry.azure import arm
from arcferry.azure.arm import Document
from arcferry.azure.mapping import Permission
from arcferry.azure.session import AzureSession
from arcferry.errors import AzureError, InputError
from arcferry.text import quoted

# Microsoft.Network, Azure/azure-rest-api-specs, 2024-05-01.
_VERSION = "2024-05-01"
_CIRCUITS = "Microsoft.Network/expressRouteCircuits"
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,79}")
_MICROSOFT = "microsoftpeering"
LINKS = ("primary", "secondary")
TABLES = {"arp": "arpTables", "sessions": "routeTablesSummary", "routes": "routeTables"}
"""What Azure asks a path's router for, by our own names."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Resource Manager gave to one question.

    Attributes:
        part: `circuit`, `route-filter`, `stats`, or one of `TABLES`.
        link: `primary` or `secondary`; empty for what belongs to both.
        document: None where the question failed.
        error: why it did.
    """

    part: str
    link: str = ""
    document: Document | None = None
    error: AzureError | None = None

    @property
    def name(self) -> str:
        """What a file of it is called, without its ending: `routes-primary`."""
        return "-".join(filter(None, (self.part, self.link)))


async def read(session: AzureSession, name: str) -> tuple[Answer, ...]:
    """The circuit and everything that is to be asked of its Microsoft peering; a part that fails says why.

    Raises:
        InputError: no name that Azure accepts.
        NotFoundError: there is no such circuit in the session's resource group.
        SignInError, PermissionDeniedError, AzureError: the circuit itself cannot be read.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"--circuit {quoted(name)} is not a name that Azure accepts")
    target = session.target
    group = f"/subscriptions/{target.subscription_id}/resourceGroups/{target.resource_group}"
    path, called = f"{group}/providers/{_CIRCUITS}/{name}", f"circuit {name}"
    needs = Permission(f"{_CIRCUITS}/read", "Reader", called)
    circuit = await arm.get(session, path, _VERSION, f"read {called}", needs)
    peering = _microsoft_peering(circuit)
    filters = [_filter(session, identity) for identity in _filters(peering)]
    questions = [*filters, *_of_peering(session, path, peering, called)] if peering else filters
    return (Answer("circuit", document=circuit), *await asyncio.gather(*questions))


def _microsoft_peering(circuit: Document) -> Document | None:
    listed = arm.properties(circuit).get("peerings")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            kind = arm.properties(one).get("peeringType") or one.get("name")
            if str(kind).lower() == _MICROSOFT:
                return one
    return None


def _filters(peering: Document | None) -> Iterator[str]:
    """The ids of the filters that are attached, each once, for IPv4 and for IPv6."""
    own = arm.properties(peering or {})
    inner = own.get("ipv6PeeringConfig")
    sides = (own, inner if isinstance(inner, dict) else {})
    found = (one.get("routeFilter") for one in sides)
    named = [typed.resource_id(str(one.get("id") or "")) for one in found if isinstance(one, dict)]
    yield from dict.fromkeys(filter(None, named))


def _filter(session: AzureSession, identity: str) -> Awaitable[Answer]:
    called = f"route filter {identity.rpartition('/')[2]}"
    needs = Permission("Microsoft.Network/routeFilters/read", "Reader", called)
    return _answer("route-filter", "", arm.get(session, identity, _VERSION, f"read {called}", needs))


def _of_peering(
    session: AzureSession, path: str, peering: Document, called: str
) -> Iterator[Awaitable[Answer]]:
    name = str(peering.get("name") or "MicrosoftPeering")
    place = f"{path}/peerings/{name if _NAME.fullmatch(name) else 'MicrosoftPeering'}"
    reads = Permission(f"{_CIRCUITS}/peerings/stats/read", "Reader", called)
    stats = arm.get(session, f"{place}/stats", _VERSION, f"read the traffic of {called}", reads)
    yield _answer("stats", "", stats)
    for part, table in TABLES.items():
        needs = Permission(f"{_CIRCUITS}/peerings/{table}/action", "Network Contributor", called)
        for link in LINKS:
            doing = f"ask for {table} of the {link} path of {called}"
            yield _answer(part, link, arm.ask(session, f"{place}/{table}/{link}", _VERSION, doing, needs))


async def _answer(part: str, link: str, question: Awaitable[Document]) -> Answer:
    try:
        return Answer(part, link, await question)
    except AzureError as error:
        return Answer(part, link, error=error)
