"""verified: Azure itself says Connected, of this very server, with a heartbeat newer than the run."""

from contextlib import suppress
from datetime import datetime, timedelta

from arcferry.azure import Machine
from arcferry.errors import HostCommandError
from arcferry.fleet.facts import AgentState, read_agent
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import ask_unstaged
from arcferry.fleet.situation import Decision, Situation, run
from arcferry.fleet.work import Work
from arcferry.times import from_text, now, to_text

SILENCE = timedelta(minutes=15)
"""How long Azure takes an agent without a heartbeat for Connected (agent overview, 2026-08)."""

_TOLERANCE = timedelta(seconds=2)


class Verified:
    """Believes only Azure Resource Manager, and only about this server."""

    name = "verified"
    interruptible = True

    def decide(self, situation: Situation) -> Decision:
        """Always: what an agent says of itself is no proof."""
        del situation
        return run("ARM reports it Connected")

    async def perform(self, work: Work) -> StepResult:
        """Wait for ARM, then compare its vmId with the host's, and the heartbeat with the run's start."""
        if work.shared.poller is None:
            raise RuntimeError("verifying needs a session with Azure")
        machine, good = await work.shared.poller.wait_for(
            work.host.name, lambda seen: seen.connected, patience=work.shared.patience
        )
        if machine is None or not good:
            return self._not_connected(machine, work.shared.patience)
        agent = await self._show(work)
        if agent.vm_id.lower() != machine.vm_id.lower():
            return self._failed(
                f"ARM's {machine.name} is Connected, but it is another server: its vmId is "
                f"{machine.vm_id or 'empty'}, here it is {agent.vm_id or 'empty'}",
                hint="Two servers share one name or were cloned. Give one another name; on a clone, "
                "azcmagent disconnect --force-local-only first.",
            )
        heartbeat = _latest(agent, machine, work)
        if heartbeat is None or heartbeat < self._oldest(work):
            return self._failed(
                f"ARM says Connected, but the last heartbeat is {_ago(heartbeat)}",
                hint="Look at /var/opt/azcmagent/log/himds.log on the host.",
            )
        return StepResult(
            self.name,
            StepState.DONE,
            f"Connected, heartbeat {to_text(heartbeat)}",
            data={"vm_id": machine.vm_id, "id": machine.id},
        )

    def _oldest(self, work: Work) -> datetime:
        """A host that this run connects beats at once; one that was connected beats every five minutes."""
        was_connected = work.situation is not None and work.situation.connected_here
        return now() - SILENCE if was_connected else work.started - _TOLERANCE

    async def _show(self, work: Work) -> AgentState:
        session = await work.session()
        answer = await ask_unstaged(session, work.shared.script, "show")
        if not answer.ok:
            raise HostCommandError(f"{session.place}: the agent's state cannot be read")
        return read_agent(answer)

    def _not_connected(self, machine: Machine | None, patience: float) -> StepResult:
        if machine is None:
            return self._failed(f"ARM has no such machine, also after {patience:.0f} s")
        return self._failed(
            f"ARM still shows {machine.status or 'no status'} after {patience:.0f} s",
            hint="The agent is connected, but its heartbeats do not arrive: on the host, azcmagent show, and "
            "azcmagent check for the regional his.arc endpoint.",
        )

    def _failed(self, says: str, hint: str = "") -> StepResult:
        return StepResult(self.name, StepState.FAILED, says, hint=hint)


def _latest(agent: AgentState, machine: Machine, work: Work) -> datetime | None:
    """The newest sign of life, on our clock: the host's heartbeat, or ARM's last change of status."""
    skew = work.situation.facts.skew if work.situation else None
    instants = [machine.last_status_change] if machine.last_status_change else []
    with suppress(ValueError):
        instants.append(from_text(agent.last_heartbeat) - timedelta(seconds=skew or 0.0))
    return max(instants, default=None)


def _ago(instant: datetime | None) -> str:
    return "unknown" if instant is None else f"of {to_text(instant)}, before this run"
