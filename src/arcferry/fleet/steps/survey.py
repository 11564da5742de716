"""facts: what the host is, before anything is staged on it."""

import time
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from arcferry.azure import AzureSession, get_machine
from arcferry.errors import AzureError
from arcferry.fleet.facts import Answer, Facts, read_facts
from arcferry.fleet.script import ask_unstaged
from arcferry.fleet.situation import STAGING, MachineSeen, is_connected_to, linux_files, survey_to_json
from arcferry.fleet.transport.upload import checksums
from arcferry.fleet.work import Work
from arcferry.times import from_text

NAME = "facts"


async def survey(work: Work) -> dict[str, Any]:
    """The host's facts, and its machine as ARM has it, as JSON for the run's record.

    That is the preflight's one list for all, and a question of its own for a machine that the agent names and
    the list lacks: another apply, a policy or a person may have connected it since.

    Raises:
        HostError: the host cannot be reached, or does not answer as the host script does.
    """
    facts = await read_host(work)
    shared = work.shared
    machine = MachineSeen.of(shared.machines.get(work.host.name.lower()))
    silence = ""
    if machine is None and shared.azure and is_connected_to(facts.agent, shared.target, work.host.name):
        machine, silence = await _asked(shared.azure, work.host.name)
    return survey_to_json(
        facts, machine, azure_known=shared.azure is not None and not silence, azure_silence=silence
    )


async def _asked(azure: AzureSession, name: str) -> tuple[MachineSeen | None, str]:
    """The machine as ARM has it now, or why ARM does not tell: what may not be seen is not gone."""
    try:
        return MachineSeen.of(await get_machine(azure, name)), ""
    except AzureError as error:
        return None, error.message


async def read_host(work: Work) -> Facts:
    """The facts, the host's clock beside ours, and what of the bundle lies there already."""
    session = await work.session()
    before = time.time()
    answer = await ask_unstaged(session, work.shared.script, "facts")
    skew = _skew(answer, before, time.time())
    files = linux_files(work.shared.bundle)
    folder = f"{STAGING}/{work.shared.bundle.id}"
    paths = {f"{folder}/{PurePosixPath(file.name).name}": file.name for file in files}
    sums = await checksums(session, paths)
    return read_facts(answer, skew=skew, staged={paths[path]: digest for path, digest in sums.items()})


def _skew(answer: Answer, before: float, after: float) -> float | None:
    """The host's clock minus ours; what lies within the call's own length counts as none."""
    try:
        host: datetime = from_text(answer.text("time", limit=40))
    except ValueError:
        return None
    stamp = host.timestamp()
    if before - 1 <= stamp <= after + 1:
        return 0.0
    return stamp - (before if stamp < before else after)
