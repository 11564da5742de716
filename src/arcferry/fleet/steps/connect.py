"""connect: make the machine in Azure. The host gets a short-lived token and nothing else."""

import json

from arcferry.azure import AzureTarget, Machine, get_machine
from arcferry.errors import ConflictError
from arcferry.fleet.host_state import (
    Decision,
    HostState,
    MachineSummary,
    block,
    is_connected_to,
    read_agent,
    run,
    skip,
)
from arcferry.fleet.inventory import Host
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import run_to_end
from arcferry.fleet.steps.check import agent_failure, with_path
from arcferry.fleet.tags import tags_text
from arcferry.fleet.task import HostTask, Step

LARGEST_SKEW = 300.0
"""Seconds that a host's clock may be off; Entra and HIS refuse tokens and certificates beyond."""


def decide(state: HostState) -> Decision:
    """Block where another machine, another server or a wrong clock stands in the way."""
    agent, name = state.agent, state.host.name
    if state.connected_here:
        return _connected(state)
    if agent.has_machine:
        return block(
            f"its agent is connected to {agent.resource_id or agent.resource_name}",
            "Disconnect it there first, or take the host out of the inventory.",
        )
    skew = state.facts.skew or 0.0
    if abs(skew) > LARGEST_SKEW:
        return block(
            f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's",
            "Set it right (NTP): Azure refuses tokens and certificates beyond five minutes.",
        )
    if state.machine is not None and "connect" not in state.begun:
        return _taken(state.machine, state.host)
    return run(f"as {name} in {state.target.resource_group}")


async def perform(task: HostTask) -> StepResult:
    """Read host and ARM once more, then connect with a token that lies there as long as that takes."""
    # Through the host's lock: a connect that an earlier, killed apply left running ends first.
    shown = await run_to_end(await task.session(), task.payload.script_path, "show", deadline=120)
    agent = read_agent(shown)
    if is_connected_to(agent, task.target, task.host.name):
        return StepResult("connect", StepState.DONE, "was connected already", data={"changed": False})
    machine = await get_machine(task.azure, task.host.name)
    if machine is not None and agent.vm_id and machine.vm_id.lower() != agent.vm_id.lower():
        taken = _taken(machine, task.host)
        raise ConflictError(f"{task.host.name}: {taken.why}", code="AZCM0044", hint=taken.hint)
    token = await task.azure.token()
    options = connect_options(task.target, task.host) | {"access-token": token.text}
    config = json.dumps(options).encode()
    # Whether Azure hears from the agent is what the step `verified` waits for. Older scripts do not wait.
    script, at_once = task.context.scripts[task.payload.system.name], task.payload.system.at_once
    words = at_once if at_once[0].partition("=")[0].encode() in script else ()
    words += task.payload.system.proxied(task.host.place.proxy)
    answer = await run_to_end(await task.session(), task.payload.script_path, "connect", *words, token=config)
    if not answer.ok:
        return await with_path(agent_failure("connect", answer), task)
    changed = answer.flag("changed") is not False
    return StepResult("connect", StepState.DONE, "connected", data={"changed": changed})


def _connected(state: HostState) -> Decision:
    if state.agent.status.lower() == "expired":
        return block(
            "its connection to Azure has expired",
            "Disconnect it (azcmagent disconnect), then apply again.",
        )
    if state.azure_known and state.machine is None:
        return block(
            "its agent is connected to a machine that ARM no longer has",
            "On the host: azcmagent disconnect --force-local-only. Then apply again.",
        )
    if state.azure_error:
        return skip(f"already connected to this machine; Azure does not show it: {state.azure_error}")
    return skip("already connected to this machine")


def connect_options(target: AzureTarget, host: Host) -> dict[str, str]:
    """The options of `azcmagent connect`, but for the token."""
    options = {
        "subscription-id": target.subscription_id,
        "resource-group": target.resource_group,
        "tenant-id": target.tenant_id,
        "location": target.location,
        "cloud": target.cloud.name,
        "resource-name": host.name,
    }
    more = {"tags": tags_text(dict(host.tags)), "private-link-scope": host.place.private_link_scope}
    return options | {name: value for name, value in more.items() if value}


def _taken(machine: Machine | MachineSummary, host: Host) -> Decision:
    """A machine of this name that belongs to another server is never taken over."""
    return block(
        f"ARM has a machine {host.name} already ({machine.status or 'no status'}, "
        f"vmId {machine.vm_id or 'none'}), and this host is not it",
        "Another server may have this name. If the machine is a leftover, delete it in Azure; else give this "
        "host another name in the inventory (AZCM0044).",
    )


CONNECT = Step("connect", decide, perform, interruptible=False)
