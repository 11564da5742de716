"""Machines by Azure Resource Graph: those of a whole subscription, a thousand a request."""

import re
from collections.abc import Mapping
from typing import Any

from azure.core.rest import AsyncHttpResponse, HttpRequest

from arcferry.azure.machines import MOST_MACHINES, Machine, machine_from
from arcferry.azure.mapping import translated, unreadable
from arcferry.azure.session import AzureSession
from arcferry.errors import AzureUnavailableError
from arcferry.text import from_json, whole

QUERY = """resources
| where type =~ 'microsoft.hybridcompute/machines'
| project id = tostring(id), name = tostring(name), location = tostring(location), tags,
    status = tostring(properties.status), lastStatusChange = tostring(properties.lastStatusChange),
    agentVersion = tostring(properties.agentVersion), vmId = tostring(properties.vmId),
    vmUuid = tostring(properties.vmUuid), osSku = tostring(properties.osSku),
    osName = tostring(properties.osName), machineFqdn = tostring(properties.machineFqdn),
    agentUpgrade = properties.agentUpgrade
| order by id asc"""
"""Ordered, and with columns that are not all dynamic: else no page leads to the next one (paging-results.md,
2026-02-06). Without all of `properties`, of which a thousand machines have more than an answer may hold."""

_PATH, _VERSION = "/providers/Microsoft.ResourceGraph/resources", "2022-10-01"
_PAGE = 1000
_MOST_PAGES = 500
_OF_RESOURCE = ("id", "name", "location", "tags")
_LEFT, _RESETS = "x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"
_SPAN = re.compile(r"(\d{2}):(\d{2}):(\d{2})")
_LONGEST_REST = 30

Page = Mapping[str, Any]


async def graph_machines(session: AzureSession) -> list[Machine]:
    """All machines of the target's subscription that this identity may see, whatever group they are in.

    Resource Graph leaves out what the identity may not read, without a word, and may be some minutes behind:
    that a machine is not among these does not say that it is gone.

    Raises:
        AzureError: no whole answer could be had.
    """
    subscription = session.target.subscription_id
    doing = f"ask Resource Graph for the machines of subscription {subscription}"
    found: dict[str, Machine] = {}
    options: dict[str, object] = {"$top": _PAGE, "resultFormat": "objectArray"}
    for _ in range(_MOST_PAGES):
        body = {"subscriptions": [subscription], "query": QUERY, "options": options}
        page = await _page(session, body, doing)
        for row in page["data"]:
            machine = _machine(row, doing)
            found[machine.id.lower()] = machine
        token = page.get("$skipToken")
        if not token:
            _check_whole(page, len(found), doing)
            return list(found.values())
        if len(found) > MOST_MACHINES:
            break
        options["$skipToken"] = token
    raise AzureUnavailableError(f"{doing}: the list does not end")


async def _page(session: AzureSession, body: Mapping[str, object], doing: str) -> Page:
    url = f"{session.target.arm_url}{_PATH}?api-version={_VERSION}"
    with translated(doing):
        response = await session.resources.send_request(HttpRequest("POST", url, json=body))
        response.raise_for_status()
        page = from_json(response.text()) if response.content else None
    if not isinstance(page, Mapping) or not isinstance(page.get("data"), list):
        raise unreadable(doing, "it has no list of rows in it")
    _heed(session, url, response)
    return page


def _heed(session: AzureSession, url: str, response: AsyncHttpResponse) -> None:
    """Let the next request wait where the quota is used up, before Resource Graph refuses it."""
    span = _SPAN.fullmatch(response.headers.get(_RESETS, ""))
    if response.headers.get(_LEFT) == "0" and span:
        hours, minutes, seconds = map(int, span.groups())
        session.turns.of(url).rest(min(hours * 3600 + minutes * 60 + seconds, _LONGEST_REST))


def _machine(row: object, doing: str) -> Machine:
    """A machine from a row, which has the columns of the query and not the form of a resource."""
    columns = row if isinstance(row, Mapping) else {}
    properties = {key: value for key, value in columns.items() if key not in _OF_RESOURCE}
    return machine_from({key: columns.get(key) for key in _OF_RESOURCE} | {"properties": properties}, doing)


def _check_whole(page: Page, count: int, doing: str) -> None:
    """Refuse half an answer.

    Raises:
        AzureUnavailableError: Resource Graph says that there are more rows than it gave, and no way to them.
    """
    total = whole(str(page.get("totalRecords", "")), most=10**9)
    cut = str(page.get("resultTruncated", "")).lower() == "true"
    if cut or (total is not None and count < total):
        of = f"{count} of {total}" if total is not None else f"{count} of more"
        raise AzureUnavailableError(f"{doing}: only a part of the answer came, {of} machines")
