"""What Azure Resource Manager tells of Microsoft peering: communities, a route filter, a circuit."""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from azure.core.rest import HttpRequest

from arcferry.azure import AzureSession
from arcferry.azure.mapping import Permission, translated, unreadable
from arcferry.data.download import Download
from arcferry.data.store import HeldKind
from arcferry.errors import AzureError, InputError
from arcferry.text import quoted

# Microsoft.Network, Azure/azure-rest-api-specs, 2024-05-01.
_VERSION = "2024-05-01"
_PAGES = 100
_PROVIDER = "Microsoft.Network"
# Reader allows */read. The list belongs to the subscription, so that a role on a group is not enough for it.
_COMMUNITIES = Permission(f"{_PROVIDER}/bgpServiceCommunities/read", "Reader", "the subscription")
_LIMIT = 64 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,79}")


async def community_list(session: AzureSession, today: date) -> Download:
    """Every BGP service community with its prefixes, as Azure lists them today.

    Raises:
        SignInError: no token.
        PermissionDeniedError: this identity may not read them.
        AzureError: no usable answer.
    """
    path = f"/subscriptions/{session.target.subscription_id}/providers/{_PROVIDER}/bgpServiceCommunities"
    doing = "list BGP service communities"
    rows: list[object] = []
    url = f"{session.target.arm_url}{path}?api-version={_VERSION}"
    for _ in range(_PAGES):
        page = await _get(session, url, doing, _COMMUNITIES)
        if not isinstance(page.get("value"), list):
            raise unreadable(doing, "it has no list in it")
        rows += page["value"]
        following = page.get("nextLink")
        if not following:
            return _named(f"bgp-service-communities-{today}.json", {"value": rows}, session, path)
        # The token belongs to Resource Manager, wherever the link may lead.
        if not isinstance(following, str) or not following.startswith(f"{session.target.arm_url}/"):
            raise AzureError(f"{doing}: the next page is not at {session.target.arm_url}")
        url = following
    raise AzureError(f"{doing}: more than {_PAGES} pages")


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
    return _named(f"{kind.value}-{name}-{today}.json", document, session, path)


async def _get(session: AzureSession, url: str, doing: str, needs: Permission) -> Mapping[str, Any]:
    with translated(doing, needs):
        response = await session.resources.send_request(HttpRequest("GET", url))
        response.raise_for_status()
        found = response.json()
    if not isinstance(found, dict):
        raise unreadable(doing, "it is no JSON object")
    return found


def _named(name: str, document: object, session: AzureSession, path: str) -> Download:
    data = json.dumps(document).encode()
    if len(data) > _LIMIT:
        raise AzureError(f"{name}: larger than the {_LIMIT:,} bytes that are kept")
    return Download(name, data, f"{session.target.arm_url}{path}")
