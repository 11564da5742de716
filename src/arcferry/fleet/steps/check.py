"""check: the agent's own connectivity check, on the host, before it is connected."""

from arcferry.fleet.failure import agent_failure, with_path
from arcferry.fleet.host_state import Decision, HostState, run, skip
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import ask
from arcferry.fleet.task import HostTask


class Check:
    """Asks the agent whether every endpoint that Azure Arc requires can be reached from there."""

    name = "check"
    interruptible = True

    def decide(self, state: HostState) -> Decision:
        """Not for a connected host, and not again where it passed in an earlier attempt."""
        if state.connected_here:
            return skip("already connected")
        if self.name in state.finished:
            return skip("passed in an earlier attempt")
        return run(f"azcmagent check for {state.target.location}")

    async def perform(self, task: HostTask) -> StepResult:
        """Run the check; where it fails, measure the path too."""
        location, cloud = task.target.location, task.target.cloud.name
        script = task.payload.script_path
        answer = await ask(await task.session(), script, "check", location, cloud, deadline=360)
        if answer.ok:
            return StepResult(self.name, StepState.DONE, "every required endpoint is reached")
        return await with_path(agent_failure(self.name, answer), task)
