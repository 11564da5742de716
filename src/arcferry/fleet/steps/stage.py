"""stage: carry the bundle's files for this host to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

from arcferry.fleet.host_state import Decision, HostState, at_least, block, run, skip
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.steps.install import needs_install
from arcferry.fleet.system import SYSTEMS
from arcferry.fleet.task import HostTask, Step
from arcferry.fleet.transport.upload import make_folder, put_all

_SPARE = 16 * 1024 * 1024
_TELL_EVERY = 3.0


def decide(state: HostState) -> Decision:
    """Block a host that the agent cannot be installed on, before anything is written to it."""
    if state.objection is not None:
        return state.objection
    if state.stays and not needs_install(state):
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
    files = {task.payload.staged(file): file for file in task.payload.files}
    travelled = await put_all(session, files, Rate(task.tell).add)
    says = f"{megabytes(sum(travelled.values()))} carried"
    if any(0 < size < files[path].length for path, size in travelled.items()):
        says += ", continued from an earlier try"
    return StepResult("stage", StepState.DONE, says)


@dataclass
class Rate:
    """Tells now and then how much has been carried, and how fast."""

    tell: Callable[[str], None]
    clock: Callable[[], float] = monotonic
    carried: int = 0
    began: float = 0.0
    told: float = 0.0

    def add(self, size: int) -> None:
        """Take note of bytes that were carried."""
        now = self.clock()
        self.began = self.began or now
        self.told = self.told or now
        self.carried += size
        if now - self.told >= _TELL_EVERY:
            self.told = now
            self.tell(f"{megabytes(self.carried)} carried, {megabytes(self.speed(now))}/s")

    def speed(self, now: float) -> int:
        """Bytes a second, so far."""
        return round(self.carried / (now - self.began)) if now > self.began else 0


def _unsupported(state: HostState) -> Decision | None:
    return next((block(why, hint) for bad, why, hint in _hindrances(state) if bad), None)


def _hindrances(state: HostState) -> Iterator[tuple[bool, str, str]]:
    """Each thing that keeps the agent off a host: whether it is so, how it is said, the way out."""
    facts, payload = state.facts, state.payload
    system, takes = payload.system, payload.system.dotnet
    yield (
        facts.azure_vm is True,
        "it is an Azure virtual machine, on which the Arc agent is not supported",
        "Take it out of the inventory; Azure manages it already.",
    )
    yield (
        facts.azure_local is True,
        "it is Azure Local, which Azure Arc takes in by a way of its own",
        "Take it out of the inventory.",
    )
    known = " and ".join(SYSTEMS)
    yield (
        facts.os != system.name,
        f"its operating system is {facts.os or 'unknown'}; this version takes {known}",
        "",
    )
    yield (
        facts.arch not in system.architectures,
        f"its processor is {facts.arch or 'unknown'}; the agent is made for {system.processors}",
        "",
    )
    yield (
        facts.package_format not in system.formats,
        f"it has neither {' nor '.join(system.formats.values())} to install the agent with",
        "",
    )
    yield (
        facts.root is False,
        "the user is no administrator there",
        "Name another user, or put this one into the server's group Administrators.",
    )
    yield (
        bool(takes) and needs_install(state) and not at_least(facts.dotnet, takes),
        f"its .NET Framework is {facts.dotnet or 'too old'}, and the host script needs {takes}",
        f"Install .NET Framework {takes} or newer there first.",
    )
    yield (
        payload.package is None,
        f"the bundle holds no agent as {facts.package_format} for {facts.arch}",
        "Build a bundle with that package: arcferry bundle build.",
    )


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
