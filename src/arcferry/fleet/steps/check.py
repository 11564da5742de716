"""check: the agent's own connectivity check, on the host; and what its failure, or that of connect, means."""

from collections.abc import Callable
from dataclasses import replace

from arcferry import catalog
from arcferry.catalog import Code
from arcferry.errors import HostError
from arcferry.evidence.case import Document
from arcferry.evidence.readers import agent_check, agent_log
from arcferry.evidence.readers.guard import kept_apart
from arcferry.fleet.host_state import Decision, HostState, run, skip
from arcferry.fleet.measured import DEADLINE, MOST_PATH, path_text
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import ScriptAnswer, ask
from arcferry.fleet.task import HostTask, Step
from arcferry.text import one_line

_MOST_NAMED = 4


def decide(state: HostState) -> Decision:
    """Not for a connected host, and not again where it passed in an earlier attempt."""
    if state.connected_here:
        return skip("already connected")
    if "check" in state.finished:
        return skip("passed in an earlier attempt")
    return run(f"azcmagent check for {state.target.location}")


async def perform(task: HostTask) -> StepResult:
    """Run the check; where it fails, measure the path too."""
    location, cloud = task.target.location, task.target.cloud.name
    script = task.payload.script_path
    answer = await ask(await task.session(), script, "check", location, cloud, deadline=360)
    if answer.ok:
        return StepResult("check", StepState.DONE, "every required endpoint is reached")
    return await with_path(agent_failure("check", answer), task)


def agent_failure(step: str, answer: ScriptAnswer) -> StepResult:
    """The failed step, with the code's meaning from the catalogue and the endpoints behind it."""
    output = answer.output()
    code = answer.text("code", limit=40)
    hosts = unreachable(output)
    known = agent_code(code)
    meaning, hint = (known.meaning, known.remedy) if known else ("", "")
    if hosts:
        says = f"{code or 'the agent'}: cannot reach {', '.join(hosts[:_MOST_NAMED])}"
        says += f" and {len(hosts) - _MOST_NAMED} more" if len(hosts) > _MOST_NAMED else ""
        hint = "Save the output to a file; arcferry explain FILE names the cause and who can change it."
    elif meaning:
        document = _document(agent_log.read_console, output)
        own = document.codes[0].says if document is not None and document.codes else ""
        says = f"{code}: {meaning}" + (f" The agent says: {own}" if own else "")
    else:
        says = answer.text("message") or f"azcmagent {step} failed"
    return StepResult(
        step, StepState.FAILED, says, hint, code=code, meaning=meaning, unreachable=hosts, output=output
    )


def unreachable(output: str) -> tuple[str, ...]:
    """The endpoints that a `check` table or a `connect` output gives up on."""
    hosts: dict[str, None] = {}
    for reader in (agent_check.read, agent_log.read_console):
        document = _document(reader, output)
        if document is not None:
            hosts.update((seen.host, None) for seen in document.attempts if not seen.reachable)
    return tuple(hosts)


def _document(reader: Callable[[str, str], Document | None], output: str) -> Document | None:
    """What the reader finds; nothing where it meets a surprise, which the diagnosis of the run tells."""
    return kept_apart(lambda: reader("agent", output), lambda _: None)


def agent_code(code: str) -> Code | None:
    """What the catalogue knows about an agent's code."""
    return catalog.known_code(code) if code.upper().startswith("AZCM") else None


async def with_path(failure: StepResult, task: HostTask) -> StepResult:
    """The failure with the path evidence beside it, if the network may be to blame.

    What `azcmagent` prints names an endpoint that was not reached, and neither its address nor its aliases.
    If the path cannot be measured, the failure stays what it is, and the run's journal says why.
    """
    known = agent_code(failure.code)
    of_network = failure.unreachable or (known is not None and known.phase == "network")
    if failure.step != "check" and not of_network:
        return failure
    if task.payload.network_script is None:
        task.tell("the path to Azure was not measured: the bundle is older than that")
        return failure
    task.tell("what the server itself sees of the path to Azure")
    location, cloud = task.target.location, task.target.cloud.name
    script = task.payload.script_path
    try:
        answer = await ask(await task.session(), script, "facts", location, cloud, deadline=DEADLINE)
    except HostError as error:
        task.tell(one_line(f"the path to Azure was not measured: {error.message}"))
        return failure
    text = path_text(answer)
    if not text:
        given = isinstance(answer.fields.get("path"), dict)
        why = f"it is more than {MOST_PATH:,} bytes" if given else answer.text("message") or "it gave none"
        task.tell(f"the path to Azure was not kept: {why}")
        return failure
    return replace(failure, path=text)


CHECK = Step("check", decide, perform)
