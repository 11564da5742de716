"""The dated documents that nobody in a closed network can ask for."""

import json
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from yarl import URL

from arcferry.azure import AzureSession, signed_in
from arcferry.bundle import Role
from arcferry.catalog import Cloud
from arcferry.data import download
from arcferry.data.download import Download
from arcferry.data.kinds import recognise
from arcferry.data.store import HeldKind
from arcferry.data.update import page_or_arm
from arcferry.errors import AzureError, BlockedError, InputError
from arcferry.fetch.request import FetchOptions, FetchRequest, notification_host
from arcferry.https import HttpsClient
from arcferry.probe.https import his_host
from arcferry.routing.circuit import read_circuit
from arcferry.text import from_json, quoted

_LARGEST = 1024 * 1024
_MOST_HOSTS = 1000
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9-]{1,63})+")
_BUS = {"AzureCloud": ".servicebus.windows.net", "AzureChinaCloud": ".servicebus.chinacloudapi.cn"}
_WITHOUT = "A proxy or a captive page may answer in Microsoft's place. Without --location it is left out."
_FILTER_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Network/routeFilters/([^/]+)",
    re.IGNORECASE,
)


def listed(request: FetchRequest) -> list[tuple[str, Role]]:
    """Every document that is asked for: its name among the downloads, and what it is in a bundle."""
    cloud, location = request.cloud.name.lower(), request.location.name if request.location else ""
    named, has_bus = request.route_filter, notification_host(request.cloud)
    documents = (
        (request.service_tags, f"service-tags-{cloud}", Role.SERVICE_TAGS),
        (location, f"discovery-{location}", Role.DISCOVERY),
        (location and has_bus, f"notification-hosts-{location}", Role.NOTIFICATION_HOSTS),
        (request.communities, f"communities-{cloud}", Role.COMMUNITIES),
        (named, f"route-filter-{_safe(named)}", Role.ROUTE_FILTER),
        (request.circuit and not named, f"route-filter-of-{_safe(request.circuit)}", Role.ROUTE_FILTER),
    )
    return [(name, role) for asked, name, role in documents if asked]


@dataclass(slots=True)
class Documents:
    """Asks for documents; signs in to Azure when the first question comes that needs it."""

    client: HttpsClient
    request: FetchRequest
    options: FetchOptions
    stack: AsyncExitStack
    today: date
    _session: AzureSession | None = None

    async def get(self, role: Role) -> Download:
        """Ask for one document, and check all of it.

        Raises:
            InputError: it takes a sign-in, and there is none.
            AzureError: no usable answer.
            BlockedError: another document came than the one asked for.
        """
        request, cloud = self.request, self.request.cloud
        if role is Role.SERVICE_TAGS:
            return _recognised(await self._service_tags(), HeldKind.SERVICE_TAGS, cloud)
        if role is Role.COMMUNITIES:
            got = await download.community_list(await self._azure(), self.today)
            return _recognised(got, HeldKind.COMMUNITY_LIST, cloud)
        if role is Role.ROUTE_FILTER and request.route_filter:
            return await self._route_filter(await self._azure(), request.route_filter)
        if role is Role.ROUTE_FILTER:
            return await self._filter_of_circuit(request.circuit)
        location = request.location.name if request.location else ""
        if role is Role.DISCOVERY:
            # The region's own HIS host, as the agent asks for it before it connects (agent.md §1.7).
            return await self._of_location(
                self.options.sources.at(cloud.discovery_host, "discovery")
                % {"location": location, "api-version": "2.1"},
                ("discovery", "his-discovery", "host"),
                lambda data: his_host(data, cloud.his_suffix),
                f"no URL under {cloud.his_suffix}",
            )
        # The Service Bus names that the region's agents keep open (agent.md §1.7; they change over time).
        return await self._of_location(
            self.options.sources.at(notification_host(cloud), "urls/allowlist")
            % {"api-version": "2020-01-01", "location": location},
            ("notification-hosts", "notification-hosts", "hosts"),
            lambda data: _hosts(data, _BUS[cloud.name]),
            f"no list of names under {_BUS[cloud.name]}",
        )

    async def _service_tags(self) -> Download:
        """Those of the download page; where it does not answer and there is a sign-in, Resource Manager's."""
        page, cloud = self.options.sources.pages, self.request.cloud
        by_page = partial(download.service_tags, self.client, cloud, site=page)
        return await (page_or_arm(by_page, self._tags_by_arm) if self.options.sign_in else by_page())

    async def _tags_by_arm(self) -> Download:
        return await download.service_tags_by_arm(await self._azure(), self.today)

    async def _azure(self) -> AzureSession:
        """The session with the target that was given."""
        if self._session is None:
            self._session = await self._signed_in()
        return self._session

    async def _signed_in(self, subscription: str = "", group: str = "") -> AzureSession:
        sign_in = self.options.sign_in
        if sign_in is None:
            raise InputError(
                "the list of BGP communities, a route filter and a circuit need a sign-in: --tenant-id, "
                "--subscription-id, --client-id and a secret or certificate"
            )
        given = sign_in.target
        target = replace(
            given,
            subscription_id=subscription or given.subscription_id,
            resource_group=group or given.resource_group,
        )
        return await self.stack.enter_async_context(signed_in(target, sign_in.principal))

    async def _route_filter(self, session: AzureSession, name: str) -> Download:
        got = await download.network_resource(session, HeldKind.ROUTE_FILTER, name, self.today)
        return _recognised(got, HeldKind.ROUTE_FILTER, self.request.cloud)

    async def _filter_of_circuit(self, name: str) -> Download:
        """The route filter that a circuit's Microsoft peering has, also out of another resource group."""
        session = await self._azure()
        got = await download.network_resource(session, HeldKind.CIRCUIT, name, self.today)
        peering = read_circuit(from_json(got.data), got.name).microsoft
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
            session = await self._signed_in(subscription, group)
        return await self._route_filter(session, filter_name)

    async def _of_location(
        self,
        url: URL,
        names: tuple[str, str, str],
        read: Callable[[bytes], str | list[str] | None],
        otherwise: str,
    ) -> Download:
        """An answer for the location as a document of its own: it says neither where nor when it holds."""
        if self.request.location is None:
            raise InputError("--location is missing")
        data, origin = await self.client.read(url, limit=_LARGEST)
        found = read(data)
        if not found:
            says = f"{origin} answered {quoted(data, limit=80)}, which is {otherwise}"
            raise AzureError(says, hint=_WITHOUT)
        file, kind, key = names
        document = {
            "schema": 1,
            "kind": kind,
            "cloud": self.request.cloud.name,
            "location": self.request.location.name,
            "taken": self.today.isoformat(),
            key: found,
        }
        content = f"{json.dumps(document, indent=1)}\n".encode("ascii")
        return Download(f"{file}-{self.request.location.name}-{self.today}.json", content, origin)


def _recognised(got: Download, kind: HeldKind, cloud: Cloud) -> Download:
    """The same without keys, when it is whole and what was asked for."""
    held, data = recognise(got.data, got.name, cloud=cloud.name, source=got.url)
    if held.kind is not kind:
        raise BlockedError(f"{got.url} gave a {held.kind.words}, not a {kind.words}")
    if held.cloud != cloud.name:
        raise BlockedError(f"{got.url} gave a {kind.words} of {held.cloud}, not of {cloud.name}")
    return replace(got, data=data)


def _hosts(data: bytes, suffix: str) -> list[str]:
    """The names of an allow-list; none where any of it is something else."""
    try:
        found = from_json(data)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list) or len(found) > _MOST_HOSTS:
        return []
    names = [one.lower() for one in found if isinstance(one, str)]
    good = all(_HOST.fullmatch(one) and one.endswith(suffix) for one in names)
    return sorted(set(names)) if good and len(names) == len(found) else []


def _safe(name: str) -> str:
    """A resource's name as a folder's."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)[:80].lower()
