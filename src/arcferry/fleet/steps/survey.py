"""facts: what the host is, before anything is staged on it."""

import time
from typing import Any

from arcferry.azure import get_machine
from arcferry.errors import AzureError, HostCommandError
from arcferry.fleet.host_state import (
    HostFacts,
    MachineSummary,
    host_scripts,
    is_connected_to,
    read_facts,
    survey_to_json,
)
from arcferry.fleet.script import ScriptAnswer
from arcferry.fleet.system import SYSTEMS
from arcferry.fleet.task import HostTask
from arcferry.fleet.transport.upload import checksums
from arcferry.times import from_text

SURVEY = "facts"


async def survey(task: HostTask) -> dict[str, Any]:
    """The host's facts, and its machine as ARM has it, as JSON for the run's record.

    That is the preflight's one list for all, and a question of its own for a machine that the agent names and
    the list lacks: another apply, a policy or a person may have connected it since.

    Raises:
        HostError: the host cannot be reached, or does not answer as the host script does.
    """
    facts = await _read_host(task)
    context, name = task.context, task.host.name
    machine = MachineSummary.of(context.machines.get(name.lower()))
    error = ""
    if machine is None and context.azure and is_connected_to(facts.agent, task.target, name):
        try:
            machine = MachineSummary.of(await get_machine(context.azure, name))
        except AzureError as failed:
            # A machine that may not be seen is not gone: `connect` would block the host for that.
            error = failed.message
    azure_known = context.azure is not None and not error
    return survey_to_json(facts, machine, azure_known=azure_known, azure_error=error)


async def _read_host(task: HostTask) -> HostFacts:
    """The facts, the host's clock beside ours, and what of the bundle lies there already."""
    session = await task.session()
    system = SYSTEMS[session.system]
    before = time.time()
    answer = await task.ask("facts")
    skew = _skew(answer, before, time.time())
    says = answer.text("os").lower()
    if says != system.name and says in SYSTEMS:
        raise HostCommandError(
            f"{session.place}: it takes commands as {system.name} does, and says that it is {says}",
            hint="Look at what answers there: one machine may stand before another.",
        )
    bundle = task.context.request.bundle
    # Every package for the system, as each look costs a round trip, whichever one it takes.
    packages = [
        bundle.file(agent.file) for agent in bundle.manifest.agents if agent.format.lower() in system.formats
    ]
    files = (*host_scripts(bundle, system), *packages)
    paths = {system.staged(bundle.id, file.name): file.name for file in files}
    sums = await checksums(session, paths)
    return read_facts(answer, skew=skew, staged={paths[path]: digest for path, digest in sums.items()})


def _skew(answer: ScriptAnswer, before: float, after: float) -> float | None:
    """The host's clock minus ours; what lies within the call's own length counts as none."""
    try:
        stamp = from_text(answer.text("time", limit=40)).timestamp()
    except ValueError:
        return None
    if before - 1 <= stamp <= after + 1:
        return 0.0
    return stamp - (before if stamp < before else after)
