"""The resource group that machines are made in."""

from azure.mgmt.resource.resources.models import ResourceGroup

from arcferry import command_line
from arcferry.azure.mapping import missing, translated, unreadable
from arcferry.azure.preflight.check import Inquiry, PreflightCheck, Topic, hindrance, ok
from arcferry.azure.target import AzureTarget
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.language import marked
from arcferry.text import one_line

TOPIC = Topic(marked("resource group"))


async def group(asked: Inquiry) -> list[PreflightCheck]:
    """Whether it is there and stays."""
    called = asked.session.target.resource_group
    doing = f"read resource group {called}"
    held = asked.machines
    machines = f"{len(held)} machines" if held is not None else "its machines cannot be read"
    try:
        with translated(doing):
            found = await asked.once.of(asked.group, lambda: _read(asked, called))
            if not isinstance(found.name, str):
                raise unreadable(doing)
            state = one_line(str(getattr(found.properties, "provisioning_state", "") or ""))
    except NotFoundError as error:
        if missing(error) != "group":
            raise
        return [missing_group(asked.session.target)]
    except PermissionDeniedError:
        if held is None:
            return []  # told once, by the check of the rights
        return [ok(TOPIC, f"{called}: {machines} can be read, the group itself not")]
    if state.lower() == "deleting":
        way = "Nobody can stop that. Name another group, or make this one again once it is gone:"
        says = f"resource group {called} is being deleted"
        return [hindrance(TOPIC, says, way, _create(asked.session.target))]
    return [ok(TOPIC, f"{called}, {machines}")]


async def _read(asked: Inquiry, called: str) -> ResourceGroup:
    return await asked.session.resources.resource_groups.get(called)


def missing_group(target: AzureTarget) -> PreflightCheck:
    """There is no such group, or it is not seen yet."""
    way = (
        "Compare --resource-group, or the inventory's column; a new group takes minutes to be seen. Where "
        "there is none, an owner or contributor of the subscription makes it:"
    )
    says = (
        f"resource group {target.resource_group} does not exist in subscription {target.subscription_id}, "
        "or this identity cannot see it"
    )
    return hindrance(TOPIC, says, way, _create(target))


def _create(target: AzureTarget) -> str:
    return command_line.line(
        "az group create --subscription {subscription} --name {group} --location {location}",
        subscription=command_line.guid(target.subscription_id, "SUBSCRIPTION"),
        group=command_line.group(target.resource_group),
        location=command_line.location(target.location),
    )
