"""The path to Azure as a failed server itself measures it: what the diagnosis of the run can be made of."""

import json
from dataclasses import replace

from arcferry.errors import HostError
from arcferry.fleet.failure import agent_code
from arcferry.fleet.outcome import StepResult
from arcferry.fleet.script import ask
from arcferry.fleet.task import HostTask
from arcferry.text import one_line

MOST_PATH = 64 * 1024
"""Bytes that are kept of one host: an honest one has some 10 KB, and 1,000 hosts of a run may fail."""

_DEADLINE = 180.0


async def with_path(failure: StepResult, task: HostTask) -> StepResult:
    """The failure with the path evidence beside it, if the network may be to blame.

    What `azcmagent` prints names an endpoint that was not reached, and neither its address nor its aliases.
    If the path cannot be measured, the failure stays what it is, and the run's journal says why.
    """
    if failure.step != "check" and not (failure.unreachable or _is_network_code(failure.code)):
        return failure
    if task.payload.network_script is None:
        task.tell("the path to Azure was not measured: the bundle is older than that")
        return failure
    task.tell("what the server itself sees of the path to Azure")
    location, cloud = task.context.target.location, task.context.target.cloud.name
    script = task.payload.script_path
    try:
        answer = await ask(await task.session(), script, "facts", location, cloud, deadline=_DEADLINE)
    except HostError as error:
        task.tell(one_line(f"the path to Azure was not measured: {error.message}"))
        return failure
    path = answer.fields.get("path")
    text = json.dumps(path, separators=(",", ":")) if isinstance(path, dict) else ""
    if not text or len(text) > MOST_PATH:
        why = f"it is more than {MOST_PATH:,} bytes" if text else answer.text("message") or "it gave none"
        task.tell(f"the path to Azure was not kept: {why}")
        return failure
    return replace(failure, path=text)


def _is_network_code(code: str) -> bool:
    known = agent_code(code)
    return known is not None and known.phase == "network"
