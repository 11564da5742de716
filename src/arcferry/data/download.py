"""What is newer, from Microsoft's download page, whose link changes every week, and from Resource Manager."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from azure.core.rest import HttpRequest
from yarl import URL

from arcferry.azure import AzureSession
from arcferry.azure.mapping import Permission, translated, unreadable
from arcferry.catalog import Cloud
from arcferry.data.store import HeldKind
from arcferry.errors import AzureError, InputError
from arcferry.files import FILE_LIMIT
from arcferry.https import Advice, HttpsClient
from arcferry.text import quoted

SITE = "https://www.microsoft.com"
"""Where the download pages are."""

ADVICE = Advice(
    not_allowed="Download the file on another machine, then arcferry data import FILE.",
    no_answer="Microsoft peering never carries this page. With a sign-in (--tenant-id …) Azure Resource "
    "Manager is asked, which it does carry. Else download the file elsewhere, then arcferry data import "
    "FILE.",
)
_HOSTS = ("www.microsoft.com", "download.microsoft.com")
# Download centre ids, as people have cited them in MicrosoftDocs/azure-docs issues 52181 and 109308.
_PAGES = {"AzureCloud": 56519, "AzureUSGovernment": 57063, "AzureChinaCloud": 57062}
_PAGE_LIMIT = 8 * 1024 * 1024
_LINK = re.compile(r"https://[^\s\"'<>\\]{1,300}/ServiceTags_([A-Za-z]{1,40})_(20\d{6})\.json")
# Microsoft.Network, Azure/azure-rest-api-specs, 2024-05-01.
_VERSION = "2024-05-01"
_MOST_PAGES = 100
_PROVIDER = "Microsoft.Network"
# Reader allows */read. The list belongs to the subscription, so that a role on a group is not enough for it.
_COMMUNITIES = Permission(f"{_PROVIDER}/bgpServiceCommunities/read", "Reader", "the subscription")
_TAGS = Permission(f"{_PROVIDER}/locations/serviceTags/read", "Reader", "the subscription")
BEHIND = timedelta(weeks=4)
"""How long new service tags may take to reach Resource Manager's list, which is a subset of the downloadable
file (Microsoft Learn, "Virtual network service tags", Use the Service Tag Discovery API; read 2026-11-29)."""
MAY_LACK = f"up to {BEHIND.days // 7} weeks behind the weekly file, and may lack tags that it has"
"""What is said of them."""
ARM_TAGS = "service-tags-arm"
"""How the names of service tags begin that Resource Manager gave."""
_KEPT_LIMIT = 64 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,79}")


@dataclass(frozen=True, slots=True)
class Download:
    """A downloaded file, its name, and the address that gave it.

    Attributes:
        taken: the day it is sure to hold for, where that is not the one in its name.
        by_arm: whether these are service tags that Resource Manager gave, in place of the weekly file.
        note: what else is to be told of how it came.
    """

    name: str
    data: bytes
    url: str
    taken: date | None = None
    by_arm: bool = False
    note: str = ""


def is_allowed(url: URL, site: URL) -> bool:
    """Whether the page, a link in it or a redirect may lead here: Microsoft's two hosts, or `site`'s own."""
    known = (*((host, 443) for host in _HOSTS), (site.host, site.port))
    return url.scheme == "https" and (url.host, url.port) in known and not (url.user or url.password)


async def service_tags(client: HttpsClient, cloud: Cloud, *, site: str = SITE) -> Download:
    """The current service-tag file of one cloud, by the download pages of `site`.

    Raises:
        InputError: `site` is no https address.
        AzureError: the page has no link to the file, or leads elsewhere; or no usable answer.
    """
    page = site_url(site) / "en-us/download/details.aspx" % {"id": str(_PAGES[cloud.name])}
    data, answered = await client.read(page, limit=_PAGE_LIMIT)
    links = {
        found[2]: found[0]
        for found in _LINK.finditer(data.decode(errors="replace"))
        if found[1].lower() == cloud.service_tag_cloud.lower()
    }
    if not links:
        raise AzureError(
            f"{answered} has no link to a file ServiceTags_{cloud.service_tag_cloud}_….json",
            hint="The page may have changed. Open it in a browser, download the file, then arcferry data "
            "import FILE.",
        )
    link = links[max(links)]
    try:
        newest = URL(link)
    except ValueError:
        raise AzureError(f"{answered} has the link {quoted(link)}, which is no address") from None
    content, origin = await client.read(newest, limit=FILE_LIMIT)
    return Download(newest.name, content, origin)


def site_url(site: str) -> URL:
    """The address of the download pages, checked.

    Raises:
        InputError: it is no https address.
    """
    try:
        base = URL(site)
    except ValueError:
        base = URL()
    if base.scheme != "https" or not base.host or base.user:
        shown = "" if "@" in site else f" {quoted(site)}"
        raise InputError(f"--download-url{shown} is not an address such as {SITE}")
    return base.with_path("/") if base.path in ("", "/") else base


async def community_list(session: AzureSession, today: date) -> Download:
    """Every BGP service community with its prefixes, as Azure lists them today.

    Raises:
        SignInError: no token.
        PermissionDeniedError: this identity may not read them.
        AzureError: no usable answer.
    """
    path = f"/subscriptions/{session.target.subscription_id}/providers/{_PROVIDER}/bgpServiceCommunities"
    pages = await _pages(session, path, "list BGP service communities", "value", _COMMUNITIES)
    rows = [row for page in pages for row in page["value"]]
    return named(f"bgp-service-communities-{today}.json", {"value": rows}, session, path)


async def service_tags_by_arm(session: AzureSession, today: date) -> Download:
    """The service tags as Resource Manager lists them, of every region of the sign-in's cloud.

    New tags take up to four weeks to get there, so its day is four weeks before today, for which it is sure
    to hold. Its change number tells nothing of that: it is counted apart from the file's (issues 70856 and
    75899 of MicrosoftDocs/azure-docs: 68 beside 135 in 2021-02, 73 beside 149 in 2021-05).

    Raises:
        SignInError, PermissionDeniedError, AzureError: as for `community_list`.
    """
    target = session.target
    # Whichever location is named, the tags of all come (Azure/azure-rest-api-specs, 2024-05-01).
    provider = f"/subscriptions/{target.subscription_id}/providers/{_PROVIDER}"
    path = f"{provider}/locations/{target.location}/serviceTags"
    pages = await _pages(session, path, "list service tags", "values", _TAGS)
    document = {**pages[0], "values": [row for page in pages for row in page["values"]], "nextLink": None}
    taken = today - BEHIND
    file = named(f"{ARM_TAGS}-{taken}.json", document, session, path)
    return replace(file, taken=taken, by_arm=True)


async def network_resource(session: AzureSession, kind: HeldKind, name: str, today: date) -> Download:
    """A route filter with its rules, or an ExpressRoute circuit with its peerings.

    Raises:
        InputError: no name that Azure accepts.
        NotFoundError: there is none of this name in the resource group.
        SignInError, PermissionDeniedError, AzureError: as for `community_list`.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"--{kind.value} {quoted(name)} is not a name that Azure accepts")
    target, called = session.target, f"{kind.words} {name}"
    collection = "routeFilters" if kind is HeldKind.ROUTE_FILTER else "expressRouteCircuits"
    group = f"/subscriptions/{target.subscription_id}/resourceGroups/{target.resource_group}"
    path = f"{group}/providers/{_PROVIDER}/{collection}/{name}"
    url = f"{target.arm_url}{path}?api-version={_VERSION}"
    needs = Permission(f"{_PROVIDER}/{collection}/read", "Reader", called)
    document = await _get(session, url, f"read {called}", needs)
    return named(f"{kind.value}-{name}-{today}.json", document, session, path)


async def _pages(
    session: AzureSession, path: str, doing: str, key: str, needs: Permission
) -> list[Mapping[str, Any]]:
    """Every page of a list, each with its rows under `key`."""
    found: list[Mapping[str, Any]] = []
    url = f"{session.target.arm_url}{path}?api-version={_VERSION}"
    while len(found) < _MOST_PAGES:
        page = await _get(session, url, doing, needs)
        if not isinstance(page.get(key), list):
            raise unreadable(doing, "it has no list in it")
        found.append(page)
        following = page.get("nextLink")
        if not following:
            return found
        # The token belongs to Resource Manager, wherever the link may lead.
        if not isinstance(following, str) or not following.startswith(f"{session.target.arm_url}/"):
            raise AzureError(f"{doing}: the next page is not at {session.target.arm_url}")
        url = following
    raise AzureError(f"{doing}: more than {_MOST_PAGES} pages")


async def _get(session: AzureSession, url: str, doing: str, needs: Permission) -> Mapping[str, Any]:
    with translated(doing, needs):
        response = await session.resources.send_request(HttpRequest("GET", url))
        response.raise_for_status()
        found = response.json()
    if not isinstance(found, dict):
        raise unreadable(doing, "it is no JSON object")
    return found


def named(name: str, document: object, session: AzureSession, path: str) -> Download:
    """What Resource Manager gave at a path, as a file.

    Raises:
        AzureError: it is too large to be kept.
    """
    data = json.dumps(document).encode()
    if len(data) > _KEPT_LIMIT:
        raise AzureError(f"{name}: larger than the {_KEPT_LIMIT:,} bytes that are kept")
    return Download(name, data, f"{session.target.arm_url}{path}")
