"""held: an upgrade or a reconnect is for servers that hold their machine, and moves none."""

from arcferry.fleet.host_state import Decision, HostAgent, HostState, Way, block, skip
from arcferry.fleet.outcome import StepResult
from arcferry.fleet.steps.leave import of_another_service, place_of
from arcferry.fleet.task import HostTask, Step
from arcferry.text import one_line


def decide(state: HostState) -> Decision:
    """Block whatever is not connected to just the machine that the inventory means."""
    agent, name = state.agent, state.host.name
    if state.objection is not None:
        return state.objection
    if state.way is Way.RECONNECT and "connect" in state.begun and not agent.has_machine:
        return skip("it was disconnected in an earlier attempt")
    if why := of_another_service(state.machine, state.facts) or _without(agent):
        return block(
            why, "This is for servers that onboard apply has connected: bring it in, or leave it out."
        )
    if not state.connected_here:
        differs = place_of(agent, state.target, name)
        return block(
            f"its agent is connected to another {differs}",
            "Name the group and subscription that it is in. To move it: arcferry onboard apply --reconnect.",
        )
    if state.way is Way.UPGRADE and (agent.expired or (state.azure_known and state.machine is None)):
        why = "its connection to Azure has expired" if agent.expired else "ARM has its machine no longer"
        return block(why, "Connect it anew first: arcferry reconnect, which upgrades it too.")
    return skip(one_line(f"connected to {agent.resource_id or name}", limit=300))


def _without(agent: HostAgent) -> str:
    if agent.has_machine:
        return ""
    return "its agent is not connected" if agent.installed else "it has no agent"


async def perform(task: HostTask) -> StepResult:
    """Never: it is skipped, or blocks."""
    raise RuntimeError(f"{task.host.name}: nothing is done for this step")


HELD = Step("held", decide, perform)
