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
    path = (
        f"/subscriptions/{session.target.subscription_id}/providers/Microsoft.Network/bgpServiceCommunities"
    )
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


async def route_filter(session: AzureSession, name: str, today: date) -> Download:
    """A route filter with its rules.

    Raises:
        InputError: no name that Azure accepts.
        NotFoundError: there is none of this name in the resource group.
        SignInError, PermissionDeniedError, AzureError: as for `community_list`.
    """
    path = _path(session, "routeFilters", name, "--route-filter")
    needs = Permission(f"{_PROVIDER}/routeFilters/read", "Reader", f"route filter {name}")
    document = await _get(session, _url(session, path), f"read route filter {name}", needs)
    return _named(f"route-filter-{name}-{today}.json", document, session, path)


async def circuit(session: AzureSession, name: str, today: date) -> Download:
    """An ExpressRoute circuit with its peerings.

    Raises:
        InputError: no name that Azure accepts.
        NotFoundError: there is none of this name in the resource group.
        SignInError, PermissionDeniedError, AzureError: as for `community_list`.
    """
    path = _path(session, "expressRouteCircuits", name, "--circuit")
    needs = Permission(f"{_PROVIDER}/expressRouteCircuits/read", "Reader", f"circuit {name}")
    document = await _get(session, _url(session, path), f"read circuit {name}", needs)
    return _named(f"circuit-{name}-{today}.json", document, session, path)


def _path(session: AzureSession, kind: str, name: str, option: str) -> str:
    if not _NAME.fullmatch(name):
        raise InputError(f"{option} {quoted(name)} is not a name that Azure accepts")
    target = session.target
    group = f"/subscriptions/{target.subscription_id}/resourceGroups/{target.resource_group}"
    return f"{group}/providers/Microsoft.Network/{kind}/{name}"


def _url(session: AzureSession, path: str) -> str:
    return f"{session.target.arm_url}{path}?api-version={_VERSION}"


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
