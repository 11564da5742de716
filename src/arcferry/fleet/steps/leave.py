"""What stands in the way of a connection: a machine that the agent holds elsewhere, and its own leftover."""

import json
import re

from arcferry import command_line, typed
from arcferry.azure import MACHINE_ID, AzureTarget, Machine, delete_machine, get_machine, is_gone
from arcferry.errors import AzureError
from arcferry.fleet.host_state import HostAgent, HostFacts, MachineSummary
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import run_to_end
from arcferry.fleet.steps.check import agent_failure
from arcferry.fleet.task import HostTask
from arcferry.text import one_line

_AT_REST = frozenset({"disconnected", "expired", "awaitingconnection"})
_PARTS = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/.*/([^/]+)", re.IGNORECASE)


def place_of(agent: HostAgent, target: AzureTarget, name: str) -> str:
    """What of the machine that the agent holds is not as this run wants it."""
    found = _PARTS.fullmatch(agent.resource_id)
    subscription, group, own = (
        found.groups()
        if found
        else (
            agent.subscription_id,
            agent.resource_group,
            agent.resource_name,
        )
    )
    differ = (
        ("tenant", other_tenant(agent, target), agent.tenant_id),
        ("subscription", subscription.lower() != target.subscription_id.lower(), subscription),
        ("resource group", group.lower() != target.resource_group.lower(), group),
        ("name", own.lower() != name.lower(), own),
    )
    return ", ".join(f"{what} {one_line(value, limit=90)}" for what, differs, value in differ if differs)


def other_tenant(agent: HostAgent, target: AzureTarget) -> bool:
    """Whether the agent says that it is of another tenant; one given by its domain cannot be compared."""
    comparable = bool(typed.guid(agent.tenant_id) and typed.guid(target.tenant_id))
    return comparable and agent.tenant_id.lower() != target.tenant_id.lower()


async def leave(task: HostTask, agent: HostAgent) -> StepResult | None:
    """Disconnect the agent from the machine that it holds; a result where that failed.

    Its resource is deleted with that, as azcmagent does, unless it is gone or of another tenant: only an
    identity of its own tenant can disconnect a server (Microsoft, azcmagent disconnect, 2026-08).
    """
    held = agent.resource_id or agent.resource_name
    script = task.payload.script_path
    foreign = other_tenant(agent, task.target)
    if foreign or await _gone(task, agent):
        task.tell(f"disconnects from {held}, here alone: it is {'of another tenant' if foreign else 'gone'}")
        answer = await run_to_end(await task.session(), script, "disconnect", "--local-only")
    else:
        task.tell(f"disconnects from {held}")
        config = json.dumps({"access-token": (await task.azure.token()).text}).encode()
        answer = await run_to_end(await task.session(), script, "disconnect", token=config)
    if answer.ok:
        return None
    failed = agent_failure("connect", answer)
    return StepResult(
        "connect",
        StepState.FAILED,
        f"it could not be disconnected from {held}: {failed.says}",
        f"Have that machine deleted. {deletion(agent.resource_id)}. Then apply again with --reconnect.",
        code=failed.code,
        meaning=failed.meaning,
        output=failed.output,
    )


async def _gone(task: HostTask, agent: HostAgent) -> bool:
    try:
        return await is_gone(task.azure, agent.resource_id)
    except AzureError:
        return False


def deletion(resource_id: str) -> str:
    """The command with which an owner deletes a machine."""
    found = _PARTS.fullmatch(resource_id) if MACHINE_ID.fullmatch(resource_id) else None
    subscription, group, name = found.groups() if found else ("SUBSCRIPTION", "", "")
    command = command_line.line(
        "az resource delete --resource-group {group} --resource-type Microsoft.HybridCompute/machines "
        "--name {name}",
        group=command_line.group(group, "RESOURCE-GROUP"),
        name=command_line.resource(name, "MACHINE"),
    )
    return f"Whoever may do that in subscription {subscription} runs: {command}"


def is_leftover(machine: Machine | MachineSummary, facts: HostFacts, agent: HostAgent) -> bool:
    """Whether a machine in Azure is provably this server's, and nothing lives on it."""
    return is_own(machine, facts, agent) and is_at_rest(machine)


def of_another_service(machine: Machine | MachineSummary | None, facts: HostFacts | None) -> str:
    """Why a machine is another service's to take away; empty where it is not.

    To disconnect a VM of Azure Local in the ordinary way may delete the VM itself, in Azure and on premises
    (learn.microsoft.com, azcmagent disconnect, read 2026-11-29).
    """
    if facts is not None and facts.azure_local:
        return "it is Azure Local, which is taken out of Azure in a way of its own"
    if machine is not None and machine.kind:
        return f"its machine is of the kind {machine.kind}, which another service has made and takes away"
    return ""


def is_at_rest(machine: Machine | MachineSummary) -> bool:
    """Whether no agent answers for a machine, as far as Azure hears."""
    return machine.status.lower() in _AT_REST


def is_own(machine: Machine | MachineSummary, facts: HostFacts, agent: HostAgent) -> bool:
    """Whether a machine in Azure is provably this server's.

    The agent's vmId is made anew with each installation, and cloned with the disk; so the firmware's id
    decides where both sides tell it.
    """
    same_firmware = bool(facts.vm_uuid) and machine.vm_uuid.lower() == facts.vm_uuid.lower()
    if machine.vm_uuid and facts.vm_uuid and not same_firmware:
        return False
    same_agent = bool(agent.vm_id) and machine.vm_id.lower() == agent.vm_id.lower()
    return same_firmware or same_agent


async def remove_leftover(task: HostTask, before: Machine | None) -> StepResult | None:
    """Delete the machine for which HIS gave no certificate, where it is provably this server's.

    Args:
        task: the host.
        before: the machine of this name as it was before the agent tried, whose vmId that may have changed;
            None where there was none.

    Returns:
        What to say where it stays; None where it was removed.
    """
    machine = await get_machine(task.azure, task.host.name)
    if machine is None:
        return None
    facts, agent = task.state.facts, task.state.agent
    # One that was not there before may be another server's, which was quicker.
    mine = any(one is not None and is_leftover(one, facts, agent) for one in (machine, before))
    owner = deletion(task.target.machine_id(task.host.name))
    if not mine or not is_at_rest(machine):
        says = (
            f"ARM's {machine.name} stands in the way, and nothing proves that it is this server's: it is "
            f"{machine.status or 'without a status'}, of {machine.fqdn or 'a server without a name'}, "
            f"vmUuid {machine.vm_uuid or 'unknown'}, and here it is {facts.vm_uuid or 'unknown'}"
        )
        return StepResult(
            "connect", StepState.FAILED, says, f"If it is a leftover, delete it in Azure. {owner}"
        )
    task.tell(f"removes this server's own leftover in Azure, {machine.name}, {machine.status}")
    try:
        await delete_machine(task.azure, task.host.name)
    except AzureError as error:
        says = f"this server's own leftover in Azure could not be removed: {error.message}"
        return StepResult("connect", StepState.FAILED, says, f"Have it deleted. {owner}")
    return None
