"""set-proxy: the proxy of the agents on the servers, each tried before it is kept."""

from arcferry.fleet.errands.errand import Errand, ErrandStep, HostNow
from arcferry.fleet.errands.task import ErrandTask
from arcferry.fleet.errands.whose import elsewhere, no_administrator
from arcferry.fleet.host_state import Decision, HostAgent, block, run, skip
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import ScriptAnswer
from arcferry.fleet.steps.check import agent_failure
from arcferry.language import marked

NONE = "none"


def _wanted(now: HostNow) -> str:
    proxy = now.wishes.proxy
    return (now.host.place.proxy if proxy is None else proxy).rstrip("/")


def _guard(now: HostNow) -> Decision | None:
    if blocked := now.objection or no_administrator(now) or elsewhere(now):
        return blocked
    if not now.agent.installed:
        return block("it has no agent", "Bring it in first: arcferry onboard apply.")
    if now.wishes.proxy is None and not now.host.place.proxy:
        return block(
            "neither its row in the inventory nor its site names a proxy",
            "Give it the column proxy; or pass --agent-proxy URL for all, or --none to take it away.",
        )
    return None


def _decide(now: HostNow) -> Decision:
    there, then = now.proxy.rstrip("/"), _wanted(now)
    if there == then:
        return skip(f"its agent uses {then or 'no proxy'}")
    return run(f"{then or 'no proxy'} in place of {there or 'none'}")


async def _set(task: ErrandTask) -> StepResult:
    """Set it and let the agent check its path by it; where that fails the one before is put back."""
    agent, _ = await task.look_again()
    before, then = task.now.proxy, _wanted(task.now)
    answer = await task.run("proxy", then or NONE, deadline=120)
    if not answer.ok:
        return _failed(answer)
    if not agent.location:
        return StepResult("proxy", StepState.DONE, f"{then or 'no proxy'}; not tried: it is not connected")
    checked = await _checked(task, agent)
    if checked.ok:
        return StepResult(
            "proxy", StepState.DONE, f"{then or 'no proxy'}; every required endpoint is reached"
        )
    failure = agent_failure("proxy", checked)
    back = await task.run("proxy", before or NONE, deadline=120)
    says = f"its agent uses {before or 'no proxy'} as before" if back.ok else "and it could not be put back"
    return StepResult(
        "proxy",
        StepState.FAILED,
        f"by {then or 'no proxy'}: {failure.says}; {says}",
        failure.hint,
        failure.code,
        output=failure.output,
    )


async def _checked(task: ErrandTask, agent: HostAgent) -> ScriptAnswer:
    return await task.run("check", agent.location, task.target.cloud.name, deadline=360)


def _failed(answer: ScriptAnswer) -> StepResult:
    says = answer.text("message") or "it could not be set"
    return StepResult(
        "proxy", StepState.FAILED, says, code=answer.text("code", limit=40), output=answer.output()
    )


SET_PROXY = Errand(
    "set-proxy", _guard, (ErrandStep("proxy", _decide, _set),), done=marked("set"), asks_azure=False
)
