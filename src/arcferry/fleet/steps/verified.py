"""verified: Azure itself says Connected, of this very server, with a heartbeat newer than what was done."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from arcferry.azure import Machine
from arcferry.errors import HostCommandError
from arcferry.fleet.host_state import Decision, HostAgent, HostState, at_least, read_agent, run
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import sweep
from arcferry.fleet.task import HostTask, Step
from arcferry.times import from_text, to_text

_TOLERANCE = timedelta(seconds=2)
_SHORTEST, _LONGEST, _GROWTH = 1.0, 15.0, 1.5
CHANGING = ("install", "connect")
"""The steps after which an agent has to be heard from anew, in their order."""


def decide(_: HostState) -> Decision:
    """Always: what an agent says of itself is no proof."""
    return run("ARM reports it Connected")


async def perform(task: HostTask) -> StepResult:
    """Wait for ARM, whose machine must have the host's vmId, and then for a heartbeat newer than all changes.

    ARM's document has no instant of the last heartbeat, and goes on saying Connected for fifteen minutes
    without one. So the instant is the agent's own, or ARM's change to Connected since the host was surveyed.
    """
    await sweep(await task.session())
    patience, wanted = task.context.request.patience, task.payload.version
    deadline = time.monotonic() + patience
    agent = await _show(task)
    if task.context.poller is None:
        raise RuntimeError("verifying needs a session with Azure")
    machine = await task.context.poller.wait_for(
        task.host.name,
        # Another server's machine is settled too: waiting would not make it this one.
        lambda seen: seen.connected and (not _same(seen, agent) or at_least(seen.agent_version, wanted)),
        patience=patience,
    )
    if machine is None:
        return _failed(f"ARM has no such machine, also after {patience:.0f} s")
    problem = _problem(machine, agent, wanted, patience)
    if problem is not None:
        return problem
    heartbeat = await _heartbeat(task, machine, agent, deadline)
    if heartbeat is None:
        last = _last_heartbeat(agent, task)
        return _failed(
            f"ARM says Connected, but there was no heartbeat newer than {_what(task)} within {patience:.0f} "
            f"s; the last one is {f'of {to_text(last)}' if last else 'unknown'}",
            f"Look at {task.payload.system.agent_log} on the host.",
        )
    return StepResult(
        "verified",
        StepState.DONE,
        f"Connected, heartbeat {to_text(heartbeat)}",
        data={"vm_id": machine.vm_id, "id": machine.id, "version": wanted},
    )


async def _heartbeat(task: HostTask, machine: Machine, agent: HostAgent, deadline: float) -> datetime | None:
    """The newest sign of life since the host was last changed, once there is one; None after that."""
    pause = _SHORTEST
    while True:
        seen = _sign_of_life(agent, machine, task)
        if seen is not None:
            return seen
        if pause == _SHORTEST:
            task.tell(
                f"a heartbeat newer than {_what(task)}, which an agent sends every five minutes, for at most "
                f"{task.context.request.patience:.0f} s"
            )
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        await asyncio.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST)
        agent = await _show(task)


async def _show(task: HostTask) -> HostAgent:
    answer = await task.ask("show")
    if not answer.ok:
        place = (await task.session()).place
        raise HostCommandError(f"{place}: the agent's state cannot be read")
    return read_agent(answer)


def _problem(machine: Machine, agent: HostAgent, wanted: str, patience: float) -> StepResult | None:
    """Why ARM does not show this very server as Connected with the wanted version; None if it does."""
    look = "on the host, azcmagent show, and azcmagent check for the regional his.arc endpoint."
    if not machine.connected:
        return _failed(
            f"ARM still shows {machine.status or 'no status'} after {patience:.0f} s",
            f"The agent is connected, but its heartbeats do not arrive: {look}",
        )
    if not _same(machine, agent):
        return _failed(
            f"ARM's {machine.name} is Connected, but it is another server: its vmId is "
            f"{machine.vm_id or 'empty'}, here it is {agent.vm_id or 'empty'}",
            "Two servers share one name or were cloned. Give one another name; on a clone, "
            "azcmagent disconnect --force-local-only first.",
        )
    # An upgrade counts once the agent and Azure both report it.
    meant = f"and {wanted} is what it should be"
    if not at_least(agent.version, wanted):
        return _failed(f"the agent says version {agent.version or 'unknown'}, {meant}")
    if not at_least(machine.agent_version, wanted):
        return _failed(
            f"ARM shows agent {machine.agent_version or 'unknown'} also after {patience:.0f} s, {meant}",
            f"The upgraded agent's heartbeats do not arrive: {look}",
        )
    return None


def _failed(says: str, hint: str = "") -> StepResult:
    return StepResult("verified", StepState.FAILED, says, hint=hint)


def _same(machine: Machine, agent: HostAgent) -> bool:
    return machine.vm_id.lower() == agent.vm_id.lower()


def _sign_of_life(agent: HostAgent, machine: Machine, task: HostTask) -> datetime | None:
    """The newest sign of life that is newer than what was done; None where there is none."""
    before = task.state.machine
    changed = machine.last_status_change
    # Compared with what ARM itself said before, so that its clock and ours do not matter. After an upgrade it
    # may be the old agent's.
    by_arm = changed is not None and (before is None or str(changed) != before.changed)
    instants = [changed] if changed is not None and by_arm and not _upgraded(task) else []
    last = _last_heartbeat(agent, task)
    if last is not None and last >= since(task.started, task.results) - _TOLERANCE:
        instants.append(last)
    return max(instants, default=None)


def _upgraded(task: HostTask) -> bool:
    """Whether this attempt installed an agent on a host that was connected already."""
    return task.state.connected_here and "began" in _data(task, "install")


def since(started: datetime, results: Mapping[str, StepResult]) -> datetime:
    """From when on a heartbeat counts: when the last step began that changed the agent, or the attempt.

    Its begin, since an agent that is connected or upgraded is first heard from before the step ends; of an
    upgrade Azure's word for the version tells the new agent from the old.
    """
    began = [started]
    for name in CHANGING:
        if name in results:
            with suppress(KeyError, ValueError):
                began.append(from_text(str(results[name].data["began"])))
    return max(began)


def _what(task: HostTask) -> str:
    """What a heartbeat has to be newer than, in words."""
    done = [name for name in CHANGING if "began" in _data(task, name)]
    return {"install": "the upgrade", "connect": "the connection"}[done[-1]] if done else "this run"


def _data(task: HostTask, name: str) -> Mapping[str, object]:
    result = task.results.get(name)
    return result.data if result is not None else {}


def _last_heartbeat(agent: HostAgent, task: HostTask) -> datetime | None:
    """The agent's last heartbeat on our clock; None where it does not say."""
    skew = task.state.facts.skew
    with suppress(ValueError):
        return from_text(agent.last_heartbeat) - timedelta(seconds=skew or 0.0)
    return None


VERIFIED = Step("verified", decide, perform)
