"""Machines: Azure's resources for servers, as Azure Resource Manager reports them."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core.pipeline import PipelineResponse
from azure.mgmt.hybridcompute.models import MachineUpdate

from arcferry.azure.mapping import Permission, missing, translated, unreadable
from arcferry.azure.session import AzureSession
from arcferry.errors import AzureError, AzureUnavailableError, NotFoundError
from arcferry.text import from_json, one_line
from arcferry.times import from_text

MOST_MACHINES = 50_000
MOST_PAGES = 5_000
MACHINE_ID = re.compile(
    r"/subscriptions/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/resourceGroups/[\w().-]{1,90}"
    r"/providers/Microsoft\.HybridCompute/machines/[\w.-]{1,54}",
    re.IGNORECASE,
)
"""The ARM id of a machine."""

ONBOARDING = "Azure Connected Machine Onboarding"
ADMINISTRATOR = "Azure Connected Machine Resource Administrator"
_API_VERSION = "2024-07-10"
_LONGEST_DELETE = 300.0
_HTTP_OK = 200
_YEARS = range(2000, 2200)
"""Those that an instant of a machine may be of."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine. Texts are empty and instants None where ARM does not say.

    Attributes:
        auto_upgrade: whether Azure is to upgrade its agent; None where ARM does not say.
        upgrade_failure: why the last upgrade by Azure failed; empty where it did not.
        kind: whose it is, where another service has made it: HCI (Azure Local), VMware, SCVMM, AVS, EPS, AWS,
            GCP. One that an agent's own connect has made has none.
    """

    name: str
    id: str
    status: str
    vm_id: str
    location: str
    agent_version: str
    os: str
    fqdn: str
    last_status_change: datetime | None
    tags: Mapping[str, str]
    vm_uuid: str = ""
    auto_upgrade: bool | None = None
    upgrade_failure: str = ""
    kind: str = ""

    @property
    def connected(self) -> bool:
        """Whether Azure says so."""
        return self.status.lower() == "connected"

    @property
    def subscription_id(self) -> str:
        """The subscription that it lies in, by its id, in lower case; empty where it is of another form."""
        return self._of_id(2).lower()

    @property
    def resource_group(self) -> str:
        """The resource group that it lies in, likewise, in whatever letter case the id has."""
        return self._of_id(4)

    def _of_id(self, place: int) -> str:
        parts = self.id.split("/") if MACHINE_ID.fullmatch(self.id) else ()
        return parts[place] if parts else ""


async def get_machine(session: AzureSession, name: str) -> Machine | None:
    """The machine of that name in the target's resource group, None where there is none.

    Raises:
        AzureError: any other answer than the machine, or ARM's word that it does not exist. A missing group
            or subscription is no missing machine.
    """
    doing = f"read machine {name}"
    try:
        with translated(doing, _needs(session)):
            return machine_from(
                await session.machines.machines.get(session.target.resource_group, name), doing
            )
    except NotFoundError as error:
        if missing(error) != "resource":
            raise
        return None


async def delete_machine(session: AzureSession, name: str) -> None:
    """Delete the machine of that name in the target's resource group; one that is gone is as good.

    Raises:
        AzureError: it was not deleted.
    """
    group = session.target.resource_group
    with translated(f"delete machine {name}", may(session, "machines/delete")):
        async with asyncio.timeout(_LONGEST_DELETE):
            await (await session.machines.machines.begin_delete(group, name)).result()


async def is_gone(session: AzureSession, resource_id: str) -> bool:
    """Whether Azure says that there is no machine of this id, of whatever subscription and group it is.

    Raises:
        AzureError: it did not say.
    """
    if not MACHINE_ID.fullmatch(resource_id):
        raise AzureError("the id that the agent names is not that of a machine")
    try:
        with translated(f"read {resource_id}", _needs(session)):
            await session.resources.resources.get_by_id(resource_id, api_version=_API_VERSION)
    except NotFoundError as error:
        if missing(error) in ("resource", "group"):
            return True
        raise
    return False


async def list_machines(session: AzureSession, group: str = "") -> dict[str, Machine]:
    """All machines of a resource group, by lower-case name: one request a page, not one a host.

    Args:
        session: with the group's subscription.
        group: its name; without one, the target's own.

    Raises:
        AzureError: the list cannot be had.
    """
    machines: dict[str, Machine] = {}
    group = group or session.target.resource_group
    doing = f"list machines in {group}"
    pages = 0

    def look_at_page(response: PipelineResponse[Any, Any]) -> None:
        """Before the SDK does, which takes an answer without a list for an empty one."""
        nonlocal pages
        if response.http_response.status_code != _HTTP_OK:
            return
        pages += 1
        if pages > MOST_PAGES:
            raise AzureUnavailableError(f"{doing}: the list does not end")
        body = from_json(response.http_response.text())
        if not isinstance(body, dict) or not isinstance(body.get("value"), list):
            raise unreadable(doing, "it has no list in it")

    with translated(doing, _needs(session, group)):
        listed = session.machines.machines.list_by_resource_group(group, raw_response_hook=look_at_page)
        async for item in listed:
            machine = machine_from(item, doing)
            machines[machine.name.lower()] = machine
            if len(machines) > MOST_MACHINES:
                raise AzureUnavailableError(f"{doing}: the list does not end")
    return machines


async def set_machine_tags(session: AzureSession, name: str, tags: Mapping[str, str]) -> Machine:
    """Give the machine of that name just these tags, and change nothing else of it.

    Raises:
        AzureError: they were not set.
    """
    doing, group = f"set the tags of machine {name}", session.target.resource_group
    with translated(doing, may(session, "machines/write", ONBOARDING)):
        change = MachineUpdate(tags=dict(tags))
        return machine_from(await session.machines.machines.update(group, name, change), doing)


def may(session: AzureSession, what: str, role: str = ADMINISTRATOR, group: str = "") -> Permission:
    """What doing something with machines of a resource group, or of the target's, takes."""
    place = f"resource group {group or session.target.resource_group}"
    return Permission(f"Microsoft.HybridCompute/{what}", role, place)


def _needs(session: AzureSession, group: str = "") -> Permission:
    return may(session, "machines/read", ONBOARDING, group)


def machine_from(item: object, doing: str) -> Machine:
    """A machine from what the SDK read: a mapping of the very names that ARM's JSON has.

    Args:
        item: the machine.
        doing: what was tried, for the error's message.

    Raises:
        AzureUnavailableError: it is no machine.
    """
    shown = item if isinstance(item, Mapping) else {}
    said = shown.get("properties")
    properties: Mapping[str, object] = said if isinstance(said, Mapping) else {}
    name, resource_id = _text(shown.get("name")), _text(shown.get("id"))
    if not name or not resource_id:
        raise unreadable(doing, "a machine in it has no name or no id")
    tags = shown.get("tags")
    return Machine(
        name=name,
        id=resource_id,
        status=_text(properties.get("status")),
        vm_id=_text(properties.get("vmId")),
        location=_text(shown.get("location")),
        agent_version=_text(properties.get("agentVersion")),
        os=_text(properties.get("osSku")) or _text(properties.get("osName")),
        fqdn=_text(properties.get("machineFqdn")),
        last_status_change=_instant(properties.get("lastStatusChange")),
        tags={_text(key): _text(value) for key, value in tags.items()} if isinstance(tags, Mapping) else {},
        vm_uuid=_text(properties.get("vmUuid")),
        **_upgrade(properties.get("agentUpgrade")),
        kind=_text(shown.get("kind")),
    )


def _upgrade(told: object) -> dict[str, Any]:
    """What ARM says of upgrades by Azure."""
    upgrade = told if isinstance(told, Mapping) else {}
    wanted = upgrade.get("enableAutomaticUpgrade")
    failed = _text(upgrade.get("lastAttemptStatus")).lower() == "failed"
    return {
        "auto_upgrade": wanted if isinstance(wanted, bool) else None,
        "upgrade_failure": (_text(upgrade.get("lastAttemptMessage")) or "failed") if failed else "",
    }


def _instant(value: object) -> datetime | None:
    """An instant; None where ARM does not say, which it may write as the first day of the year 1."""
    try:
        found = from_text(_text(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in _YEARS else None


def _text(value: object) -> str:
    """A text, empty where ARM does not say or says something else."""
    return one_line(value) if isinstance(value, str) else ""
