"""The dated documents that nobody in a closed network can ask for."""

import json
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date

from arcferry import numbers
from arcferry.azure import AzureSession, signed_in
from arcferry.bundle import Role
from arcferry.catalog import Cloud, Region
from arcferry.data import HeldKind, arm, recognise
from arcferry.data.download import Download, service_tags
from arcferry.data.update import SignIn
from arcferry.errors import AzureError, BlockedError, InputError
from arcferry.fetch.request import FetchRequest
from arcferry.fetch.sources import Sources, notification_host
from arcferry.https import HttpsClient
from arcferry.probe.location import his_host
from arcferry.routing.circuit import read_circuit
from arcferry.text import quoted

_LARGEST = 1024 * 1024
_MOST_HOSTS = 1000
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9-]{1,63})+")
_BUS = {"AzureCloud": ".servicebus.windows.net", "AzureChinaCloud": ".servicebus.chinacloudapi.cn"}
_FILTER_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Network/routeFilters/([^/]+)",
    re.IGNORECASE,
)


def listed(request: FetchRequest) -> list[tuple[str, Role]]:
    """Every document that is asked for: its name among the downloads, and what it is in a bundle."""
    cloud, location = request.cloud.name.lower(), request.location.name if request.location else ""
    documents = (
        (request.service_tags, f"service-tags-{cloud}", Role.SERVICE_TAGS),
        (location, f"discovery-{location}", Role.DISCOVERY),
        (
            location and notification_host(request.cloud),
            f"notification-hosts-{location}",
            Role.NOTIFICATION_HOSTS,
        ),
        (request.communities, f"communities-{cloud}", Role.COMMUNITIES),
        (request.route_filter, f"route-filter-{_safe(request.route_filter)}", Role.ROUTE_FILTER),
        (
            request.circuit and not request.route_filter,
            f"route-filter-of-{_safe(request.circuit)}",
            Role.ROUTE_FILTER,
        ),
    )
    return [(name, role) for asked, name, role in documents if asked]


async def get(  # noqa: PLR0917  # one call, in the order in which they are read
    role: Role, client: HttpsClient, sources: Sources, request: FetchRequest, azure: "Azure", today: date
) -> Download:
    """Ask for one document, and check all of it.

    Raises:
        InputError: it takes a sign-in, and there is none.
        AzureError: no usable answer.
        BlockedError: another document came than the one asked for.
    """
    cloud = request.cloud
    if role is Role.SERVICE_TAGS:
        got = await service_tags(client, cloud, site=sources.pages)
        return _recognised(got, HeldKind.SERVICE_TAGS, cloud)
    if role is Role.COMMUNITIES:
        got = await arm.community_list(await azure.session(), today)
        return _recognised(got, HeldKind.COMMUNITY_LIST, cloud)
    if role is Role.ROUTE_FILTER and request.route_filter:
        return await _route_filter(await azure.session(), request.route_filter, today)
    if role is Role.ROUTE_FILTER:
        return await _filter_of_circuit(azure, request.circuit, today)
    if request.location is None:
        raise InputError("--location is missing")
    if role is Role.DISCOVERY:
        return await _discovery(client, sources, cloud, request.location, today)
    return await _notification_hosts(client, sources, cloud, request.location, today)


class Azure:
    """Azure as one service principal sees it, signed in to when the first question comes."""

    def __init__(self, sign_in: SignIn | None, stack: AsyncExitStack) -> None:
        self._sign_in = sign_in
        self._stack = stack
        self._session: AzureSession | None = None

    async def session(self) -> AzureSession:
        """The session with the target that was given.

        Raises:
            InputError: no sign-in was given.
        """
        if self._session is None:
            self._session = await self.elsewhere("", "")
        return self._session

    async def elsewhere(self, subscription: str, group: str) -> AzureSession:
        """A session for another subscription or resource group; where empty, those that were given.

        Raises:
            InputError: no sign-in was given.
        """
        if self._sign_in is None:
            raise InputError(
                "the list of BGP communities, a route filter and a circuit need a sign-in: --tenant-id, "
                "--subscription-id, --client-id and a secret or certificate"
            )
        given = self._sign_in.target
        target = replace(
            given,
            subscription_id=subscription or given.subscription_id,
            resource_group=group or given.resource_group,
        )
        return await self._stack.enter_async_context(signed_in(target, self._sign_in.principal))


async def _route_filter(session: AzureSession, name: str, today: date) -> Download:
    got = await arm.route_filter(session, name, today)
    return _recognised(got, HeldKind.ROUTE_FILTER, session.target.cloud)


async def _filter_of_circuit(azure: Azure, name: str, today: date) -> Download:
    """The route filter that a circuit's Microsoft peering has, also out of another resource group."""
    session = await azure.session()
    got = await arm.circuit(session, name, today)
    peering = read_circuit(numbers.from_json(got.data), got.name).microsoft
    if peering is None or not peering.route_filter:
        lacks = "route filter on its Microsoft peering" if peering else "Microsoft peering"
        raise AzureError(
            f"circuit {name} has no {lacks}", hint="Without a filter it brings no routes of Microsoft's."
        )
    found = _FILTER_ID.fullmatch(peering.route_filter)
    if found is None:
        raise AzureError(f"circuit {name} names its route filter as {quoted(peering.route_filter)}")
    subscription, group, filter_name = found[1].lower(), found[2], found[3]
    target = session.target
    if (subscription, group.lower()) != (target.subscription_id, target.resource_group.lower()):
        session = await azure.elsewhere(subscription, group)
    return await _route_filter(session, filter_name, today)


def _recognised(got: Download, kind: HeldKind, cloud: Cloud) -> Download:
    """The same without keys, when it is whole and what was asked for."""
    new = recognise(got.data, got.name, cloud=cloud.name, source=got.url)
    if new.held.kind is not kind:
        raise BlockedError(f"{got.url} gave a {new.held.kind.words}, not a {kind.words}")
    if new.held.cloud != cloud.name:
        raise BlockedError(f"{got.url} gave a {kind.words} of {new.held.cloud}, not of {cloud.name}")
    return replace(got, data=new.data)


async def _discovery(
    client: HttpsClient, sources: Sources, cloud: Cloud, region: Region, today: date
) -> Download:
    """The region's own HIS host, as the agent asks for it before it connects (agent.md §1.7)."""
    url = sources.at(cloud.discovery_host, "discovery")
    asked = url % {"location": region.name, "api-version": "2.1"}
    data, origin = await client.read(asked, limit=_LARGEST)
    host = his_host(data, cloud.his_suffix)
    if host is None:
        raise AzureError(
            f"{origin} answered {quoted(data, limit=80)}, which is no URL under {cloud.his_suffix}",
            hint=_WITHOUT,
        )
    content = _dated("his-discovery", cloud, region, today, host=host)
    return Download(f"discovery-{region.name}-{today}.json", content, origin)


async def _notification_hosts(
    client: HttpsClient, sources: Sources, cloud: Cloud, region: Region, today: date
) -> Download:
    """The Service Bus names that the region's agents keep open (agent.md §1.7; they change over time)."""
    url = sources.at(notification_host(cloud), "urls/allowlist")
    asked = url % {"api-version": "2020-01-01", "location": region.name}
    data, origin = await client.read(asked, limit=_LARGEST)
    hosts = _hosts(data, _BUS[cloud.name])
    if not hosts:
        raise AzureError(
            f"{origin} answered {quoted(data, limit=80)}, which is no list of names under {_BUS[cloud.name]}",
            hint=_WITHOUT,
        )
    content = _dated("notification-hosts", cloud, region, today, hosts=hosts)
    return Download(f"notification-hosts-{region.name}-{today}.json", content, origin)


_WITHOUT = "A proxy or a captive page may answer in Microsoft's place. Without --location it is left out."


def _hosts(data: bytes, suffix: str) -> list[str]:
    """The names of an allow-list; none where any of it is something else."""
    try:
        found = numbers.from_json(data)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list) or len(found) > _MOST_HOSTS:
        return []
    names = [one.lower() for one in found if isinstance(one, str)]
    good = all(_HOST.fullmatch(one) and one.endswith(suffix) for one in names)
    return sorted(set(names)) if good and len(names) == len(found) else []


def _dated(kind: str, cloud: Cloud, region: Region, today: date, **says: object) -> bytes:
    """An answer as a document of its own: these answers say neither where nor when they hold."""
    document = {
        "schema": 1,
        "kind": kind,
        "cloud": cloud.name,
        "location": region.name,
        "taken": today.isoformat(),
        **says,
    }
    return f"{json.dumps(document, indent=1)}\n".encode("ascii")


def _safe(name: str) -> str:
    """A resource's name as a folder's."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)[:80].lower()
