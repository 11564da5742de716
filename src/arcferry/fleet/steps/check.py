"""check: the agent's own connectivity check, on the host, before it is connected."""

from arcferry.fleet.agent_says import agent_failure
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import ask
from arcferry.fleet.situation import Decision, Situation, run, skip
from arcferry.fleet.work import Work


class Check:
    """Asks the agent whether every endpoint that Azure Arc requires can be reached from there."""

    name = "check"
    interruptible = True

    def decide(self, situation: Situation) -> Decision:
        """Not for a connected host, and not again where it passed in an earlier attempt."""
        if situation.connected_here:
            return skip("already connected")
        if self.name in situation.finished:
            return skip("passed in an earlier attempt")
        return run(f"azcmagent check for {situation.target.location}")

    async def perform(self, work: Work) -> StepResult:
        """Run the check; what cannot be reached is named."""
        target = work.shared.target
        answer = await ask(
            await work.session(),
            work.packed.script_path,
            "check",
            target.location,
            target.cloud.name,
            deadline=360,
        )
        if answer.ok:
            return StepResult(self.name, StepState.DONE, "every required endpoint is reached")
        return agent_failure(self.name, answer)
