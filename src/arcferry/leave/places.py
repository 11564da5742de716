"""What is to be withdrawn of Azure and of the network, by where servers went."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from arcferry import catalog, command_line
from arcferry.catalog import Cloud
from arcferry.command_line import Word
from arcferry.data.store import Store, documents
from arcferry.errors import InputError
from arcferry.evidence.case import Case
from arcferry.leave.trace import Trace, TraceKind, trace
from arcferry.rights import Place, Scope
from arcferry.routing import plan as routes
from arcferry.routing.route_filter import RouteFilter

_IPV4 = 4


@dataclass(frozen=True, slots=True)
class Where:
    """Where servers became machines; empty where nothing says.

    Attributes:
        client_id: of the service principal that connected them, where it is known.
    """

    cloud: str
    location: str
    subscription: str
    group: str
    client_id: str = ""

    def __str__(self) -> str:
        """For a sentence."""
        return f"{self.group or 'a group'} in {self.subscription or 'a subscription'}, {self.location}"


def identities(places: Iterable[Where], client_id: str) -> Iterator[Trace]:
    """Each service principal, with the commands that list and withdraw what it may do.

    Args:
        places: where servers went.
        client_id: that which is given for this command; empty for none.
    """
    found = list(places)
    clients = dict.fromkeys(one.client_id or client_id for one in found)
    for client in clients:
        scopes = dict.fromkeys(
            Place(one.subscription, one.group).scope(Scope.GROUP)
            for one in found
            if (one.client_id or client_id) == client
        )
        yield trace(
            TraceKind.IDENTITY,
            client or "the service principal of onboarding",
            ", ".join(scopes),
            "it may make and read machines there, and whatever else it was given",
            commands=_withdrawal(client, scopes),
        )


def _withdrawal(client: str, scopes: Iterable[str]) -> Iterator[str]:
    line, named = command_line.line, command_line.guid(client, "CLIENT-ID")
    yield line("az ad sp show --id {client} --query id --output tsv", client=named)
    yield "az role assignment list --assignee-object-id OBJECT-ID --all --output table"
    yield "az role assignment delete --ids ASSIGNMENT-ID"
    for scope in map(Word, scopes):
        yield line(
            "az role definition list --scope {scope} --custom-role-only true --output table", scope=scope
        )
        yield line(
            "az role definition delete --name ROLE --scope {scope} --custom-role-only true", scope=scope
        )
    yield line("az ad app delete --id {client}", client=named)


def communities(places: Iterable[Where], store: Store, today: date) -> Iterator[Trace]:
    """For each location the communities that letters asked for, and which of them the held filter has."""
    for name, location in dict.fromkeys((one.cloud, one.location) for one in places):
        # A place that this arcferry does not know hides no other trace.
        with suppress(InputError):
            cloud = catalog.cloud(name)
            filters = Case.of((), documents(store, cloud)).filters_for(_IPV4)
            yield _of_location(cloud, location, filters[0] if filters else None, today)


def _of_location(cloud: Cloud, location: str, held: RouteFilter | None, today: date) -> Trace:
    region = catalog.region(location, cloud, unlisted=True)
    wanted = routes.plan(cloud, region, today=today, route_filter=held).communities
    says = ", ".join(f"{one.value} ({one.name})" for one in wanted)
    if held is not None:
        there = [one.value for one in wanted if one.in_filter]
        says += f". The held route filter of {held.day} lets through {', '.join(there) or 'none of them'}"
    return trace(TraceKind.COMMUNITIES, region.display, "the route filter of the circuit", says)
