"""stage: carry the bundle's files for this host to it."""

from arcferry.fleet.host_state import Decision, HostState, block, run, skip
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.steps.install import needs_install
from arcferry.fleet.system import SYSTEMS
from arcferry.fleet.task import HostTask, Step
from arcferry.fleet.transport.upload import make_folder, put

_SPARE = 16 * 1024 * 1024


def decide(state: HostState) -> Decision:
    """Block a host that the agent cannot be installed on, before anything is written to it."""
    if state.connected_here and not needs_install(state):
        return skip("nothing to install or to connect")
    problem = _unsupported(state) or _too_small(state)
    if problem:
        return problem
    there = state.facts.staged
    missing = [file for file in state.payload.files if there.get(file.name) != file.sha256]
    if not missing:
        return skip("already on the host, with the right SHA-256")
    size = sum(file.length for file in missing)
    return run(f"{len(missing)} files, {megabytes(size)}, to {state.payload.folder}")


async def perform(task: HostTask) -> StepResult:
    """Carry what is not there yet."""
    session = await task.session()
    await make_folder(session, task.payload.folder)
    travelled = {file: await put(session, file, task.payload.staged(file)) for file in task.payload.files}
    says = f"{megabytes(sum(travelled.values()))} carried"
    if any(0 < size < file.length for file, size in travelled.items()):
        says += ", continued from an earlier try"
    return StepResult("stage", StepState.DONE, says)


def _unsupported(state: HostState) -> Decision | None:
    facts, payload = state.facts, state.payload
    if facts.azure_vm:
        return block(
            "it is an Azure virtual machine, on which the Arc agent is not supported",
            "Take it out of the inventory; Azure manages it already.",
        )
    system = payload.system
    if facts.os != system.name:
        taken = " and ".join(SYSTEMS)
        return block(f"its operating system is {facts.os or 'unknown'}; this version takes {taken}")
    if facts.arch not in system.architectures:
        made = " and ".join(sorted(system.architectures))
        return block(f"its processor is {facts.arch or 'unknown'}; the agent is made for {made}")
    if facts.package_format not in system.formats:
        return block(f"it has neither {' nor '.join(system.formats.values())} to install the agent with")
    if payload.package is None:
        return block(
            f"the bundle holds no agent as {facts.package_format} for {facts.arch}",
            "Build a bundle with that package: arcferry bundle build.",
        )
    return None


def _too_small(state: HostState) -> Decision | None:
    facts, package = state.facts, state.payload.package
    if package is None or state.agent.installed:
        return None
    for room in state.payload.system.rooms:
        free, needed = getattr(facts, room.fact), room.copies * package.length + _SPARE
        if free is not None and free < needed:
            return block(
                f"{megabytes(free)} free under {room.folder}, and the agent needs {megabytes(needed)}",
                f"Free space under {room.folder}, then apply again.",
            )
    return None


def megabytes(size: int) -> str:
    """A size for people."""
    if size < 10_000:  # noqa: PLR2004  # small files are told in bytes
        return f"{size} bytes"
    return f"{size / 1_000_000:.1f} MB"


STAGE = Step("stage", decide, perform)
