"""connect: make the machine in Azure. The host gets a short-lived token and nothing else."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from arcferry.azure import AzureTarget, Machine, get_machine
from arcferry.errors import AzureError, ConflictError, NotFoundError, PermissionDeniedError, SignInError
from arcferry.fleet.host_state import (
    Decision,
    HostAgent,
    HostFacts,
    HostState,
    MachineSummary,
    Way,
    block,
    is_connected_to,
    read_agent,
    run,
    skip,
)
from arcferry.fleet.inventory import Host
from arcferry.fleet.inventory.tags import tags_text
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import ScriptAnswer, run_to_end
from arcferry.fleet.steps.check import agent_failure, with_path
from arcferry.fleet.steps.leave import deletion, is_leftover, leave, place_of, remove_leftover
from arcferry.fleet.task import HostTask, Step
from arcferry.times import now, to_text

NO_CERTIFICATE = "AZCM0081"
_REFUSALS: Mapping[type[AzureError], tuple[str, ...]] = {
    PermissionDeniedError: ("AuthorizationFailed",),
    NotFoundError: ("ResourceGroupNotFound",),
    SignInError: ("InvalidAuthenticationToken", "AuthenticationFailed"),
}
"""Codes of Resource Manager in the agent's words that may be of a role or a group that was just made."""

LARGEST_SKEW = 300.0
"""Seconds that a host's clock may be off; Entra and HIS refuse tokens and certificates beyond."""


def decide(state: HostState) -> Decision:
    """Block where another machine, another server or a wrong clock stands in the way."""
    name = state.host.name
    if state.connected_here and not state.moves:
        return _connected(state)
    if state.agent.has_machine and not state.moves:
        return _elsewhere(state)
    skew = state.facts.skew or 0.0
    if abs(skew) > LARGEST_SKEW:
        return block(
            f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's",
            "Set it right (NTP): Azure refuses tokens and certificates beyond five minutes.",
        )
    wanted = f"as {name} in {state.target.resource_group}"
    if state.moves:
        return run(f"disconnected from {state.agent.resource_id or state.agent.resource_name}, then {wanted}")
    if state.machine is not None and "connect" not in state.begun:
        if not is_leftover(state.machine, state.facts, state.agent):
            return _taken(state.machine, state)
        wanted += f", whose machine in Azure is this server's own ({state.machine.status})"
    return run(wanted)


async def perform(task: HostTask) -> StepResult:
    """Read host and ARM once more, then connect with a token that lies there as long as that takes."""
    began = to_text(now())
    # Through the host's lock: a connect that an earlier, killed apply left running ends first.
    shown = await run_to_end(await task.session(), task.payload.script_path, "show", deadline=120)
    agent, name = read_agent(shown), task.host.name
    here = is_connected_to(agent, task.target, name)
    machine = await task.context.settling.wait_out(lambda: get_machine(task.azure, name), waits=_told(task))
    if here and not _leaves(task, agent, gone=machine is None):
        return StepResult("connect", StepState.DONE, "was connected already", data={"changed": False})
    if agent.has_machine and (failed := await _made_free(task, agent)):
        return failed
    if machine is not None and not here and _is_anothers(machine, task.state.facts, agent):
        taken = _taken(machine, task.state)
        raise ConflictError(f"{name}: {taken.why}", code="AZCM0044", hint=taken.hint)
    answer = await _connect(task)
    if not answer.ok and answer.text("code", limit=40) == NO_CERTIFICATE:
        if kept := await remove_leftover(task, machine):
            return _kept(agent_failure("connect", answer), kept)
        answer = await _connect(task)
    if not answer.ok:
        return await with_path(agent_failure("connect", answer), task)
    changed = answer.flag("changed") is not False
    return StepResult("connect", StepState.DONE, "connected", data={"changed": changed, "began": began})


def _leaves(task: HostTask, agent: HostAgent, *, gone: bool) -> bool:
    """Whether an agent has to leave the very machine that is wanted, to connect to it anew."""
    if task.state.way is Way.RECONNECT:
        return task.state.moves
    return task.state.reconnect and (agent.expired or gone)


async def _made_free(task: HostTask, agent: HostAgent) -> StepResult | None:
    """Leave the machine that the agent holds, if the run may."""
    if task.state.reconnect or task.state.way is Way.RECONNECT:
        return await leave(task, agent)
    blocked = _elsewhere(replace(task.state, facts=replace(task.state.facts, agent=agent)))
    return StepResult("connect", StepState.FAILED, blocked.why, blocked.hint)


async def _connect(task: HostTask) -> ScriptAnswer:
    """One connect by the agent, and more while what ARM refuses it may pass."""
    # Whether Azure hears from the agent is what the step `verified` waits for. Older scripts do not wait.
    system = task.payload.system
    script, at_once = task.context.scripts[system.name], system.at_once
    words = at_once if at_once[0].partition("=")[0].encode() in script else ()
    words += system.proxied(task.host.place.proxy)
    answer: ScriptAnswer | None = None

    async def once() -> ScriptAnswer:
        nonlocal answer
        token = await task.azure.token()
        options = connect_options(task.target, task.host) | {"access-token": token.text}
        config = json.dumps(options).encode()
        path = task.payload.script_path
        answer = await run_to_end(await task.session(), path, "connect", *words, token=config)
        if not answer.ok and (refusal := refusal_in(answer)):
            raise refusal
        return answer

    try:
        return await task.context.settling.wait_out(once, waits=_told(task))
    except AzureError:
        if answer is None or answer.ok:
            raise
        return answer


def refusal_in(answer: ScriptAnswer) -> AzureError | None:
    """What Resource Manager refused the agent, where such a refusal may pass."""
    for kind, codes in _REFUSALS.items():
        found = re.search(rf"\b({'|'.join(codes)})\b", answer.output())
        if found:
            return kind(f"the agent was refused: {found[1]}", code=found[1])
    return None


def _told(task: HostTask) -> Callable[[AzureError], None]:
    return lambda error: task.tell(
        f"Azure says {error.code or 'no'}, as it may for minutes after a role or a group was made"
    )


def _kept(failure: StepResult, why: StepResult) -> StepResult:
    return replace(failure, says=f"{failure.says} {why.says}", hint=why.hint)


def _elsewhere(state: HostState) -> Decision:
    """Its agent holds another machine, which is left only where that was asked for."""
    agent = state.agent
    differs = place_of(agent, state.target, state.host.name)
    return block(
        f"its agent is connected to {agent.resource_id or agent.resource_name}"
        + (f", which is another {differs}" if differs else ""),
        "Take the host out of the inventory if that is right. To move it, apply with --reconnect: it is "
        "disconnected there, which deletes that machine in Azure with its extensions, and connected here.",
    )


def _connected(state: HostState) -> Decision:
    if state.agent.expired:
        return block(
            "its connection to Azure has expired",
            "Apply with --reconnect: it is disconnected (azcmagent disconnect) and connected anew.",
        )
    if state.azure_known and state.machine is None:
        return block(
            "its agent is connected to a machine that ARM no longer has",
            "Apply with --reconnect: it is disconnected (azcmagent disconnect --force-local-only) and "
            "connected anew.",
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
    more = {
        "tags": tags_text(dict(host.tags)),
        "private-link-scope": host.place.private_link_scope,
        "gateway-id": host.place.gateway_id,
    }
    return options | {name: value for name, value in more.items() if value}


def _is_anothers(machine: Machine, facts: HostFacts, agent: HostAgent) -> bool:
    """Whether the machine is known to be another server's, or alive under an id that is not this agent's."""
    if is_leftover(machine, facts, agent):
        return False
    for theirs, ours in ((machine.vm_id, agent.vm_id), (machine.vm_uuid, facts.vm_uuid)):
        if theirs and ours and theirs.lower() != ours.lower():
            return True
    return False


def _taken(machine: Machine | MachineSummary, state: HostState) -> Decision:
    """A machine of this name that is not provably this server's is never taken over."""
    name, here = state.host.name, state.facts.vm_uuid
    is_other = here and machine.vm_uuid and machine.vm_uuid.lower() != here.lower()
    proof = "and this host is not it" if is_other else "and nothing proves that this host is it"
    return block(
        f"ARM has a machine {name} already ({machine.status or 'no status'}, of "
        f"{machine.fqdn or 'a server without a name'}, vmId {machine.vm_id or 'none'}), {proof}",
        "Another server may have this name: give this host another one in the inventory (AZCM0044). If the "
        f"machine is a leftover, delete it in Azure. {deletion(state.target.machine_id(name))}",
    )


CONNECT = Step("connect", decide, perform, interruptible=False)
