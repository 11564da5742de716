"""Machines: Azure's resources for servers, as Azure Resource Manager reports them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.mgmt.hybridcompute.models import Machine as ArmMachine

from arcferry.azure.mapping import translated
from arcferry.azure.session import AzureSession
from arcferry.errors import AzureUnavailableError, NotFoundError
from arcferry.text import one_line

MOST_MACHINES = 50_000


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine. Texts are empty and instants None where ARM does not say."""

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

    @property
    def connected(self) -> bool:
        """Whether Azure says so."""
        return self.status.lower() == "connected"


async def get_machine(session: AzureSession, name: str) -> Machine | None:
    """The machine of that name in the target's resource group, None where there is none.

    Raises:
        AzureError: any other answer than the machine or 404.
    """
    try:
        with translated(f"read machine {name}"):
            return _machine(await session.machines.machines.get(session.target.resource_group, name))
    except NotFoundError as error:
        if error.code.lower() == "resourcegroupnotfound":
            raise
        return None


async def list_machines(session: AzureSession) -> dict[str, Machine]:
    """All machines of the target's resource group, by lower-case name: one request a page, not one a host.

    Raises:
        AzureError: the list cannot be had.
    """
    machines: dict[str, Machine] = {}
    group = session.target.resource_group
    with translated(f"list machines in {group}"):
        async for item in session.machines.machines.list_by_resource_group(group):
            machine = _machine(item)
            machines[machine.name.lower()] = machine
            if len(machines) > MOST_MACHINES:
                raise AzureUnavailableError(f"list machines in {group}: the list does not end")
    return machines


def _machine(item: ArmMachine) -> Machine:
    def text(value: object) -> str:
        return "" if value is None else one_line(str(getattr(value, "value", value)))

    changed = item.last_status_change
    if isinstance(changed, datetime) and changed.tzinfo is None:
        changed = changed.replace(tzinfo=UTC)
    return Machine(
        name=text(item.name),
        id=text(item.id),
        status=text(item.status),
        vm_id=text(item.vm_id),
        location=text(item.location),
        agent_version=text(item.agent_version),
        os=text(item.os_sku) or text(item.os_name),
        fqdn=text(item.machine_fqdn),
        last_status_change=changed if isinstance(changed, datetime) else None,
        tags={text(key): text(value) for key, value in (item.tags or {}).items()},
    )
