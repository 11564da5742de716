"""verify: the staged files are, on the host, what the bundle's seal covers.

The script's own hash is told by the host's sha256sum, the others' by the script.
"""

from arcferry.errors import HostCommandError
from arcferry.fleet.host_state import Decision, HostState, run, skip
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import ask
from arcferry.fleet.steps.install import needs_install
from arcferry.fleet.task import HostTask, Step
from arcferry.fleet.transport.upload import checksums


def decide(state: HostState) -> Decision:
    """Nothing to verify where nothing will be installed."""
    if not needs_install(state):
        return skip("nothing to install")
    return run("SHA-256 of script and package, on the host")


async def perform(task: HostTask) -> StepResult:
    """Compare hashes; the script is not run before its own is right."""
    session, payload = await task.session(), task.payload
    script = payload.script_path
    if (await checksums(session, [script])).get(script) != payload.script.sha256:
        raise HostCommandError(
            f"{session.place}: the staged host script is not what the bundle holds",
            hint=f"Something changes files in {payload.folder}. Find out what, then apply again.",
        )
    pairs = [word for file in payload.files for word in (payload.staged(file), file.sha256)]
    answer = await ask(session, script, "verify", *pairs, deadline=120)
    if not answer.ok:
        raise HostCommandError(
            f"{session.place}: {answer.text('message') or 'a staged file is not what the bundle holds'}",
            hint=f"Remove {payload.folder} on the host and apply again.",
        )
    return StepResult("verify", StepState.DONE, f"{len(payload.files)} files are as sealed")


VERIFY = Step("verify", decide, perform)
