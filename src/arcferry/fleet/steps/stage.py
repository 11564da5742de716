"""stage: carry the bundle's files for this host to it."""

from arcferry.bundle import BundleFile
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.situation import Decision, Situation, block, run, skip
from arcferry.fleet.steps.install import needs_install
from arcferry.fleet.transport.upload import Carried, make_folder, put
from arcferry.fleet.work import Work

_SPARE = 16 * 1024 * 1024
_UNPACKED = 3
_COPIES = 2
_ARCHITECTURES = {"x86_64", "amd64", "aarch64", "arm64"}


class Stage:
    """Puts the host script and the agent package into a folder of root's, unless they lie there already."""

    name = "stage"
    interruptible = True

    def decide(self, situation: Situation) -> Decision:
        """Block a host that the agent cannot be installed on, before anything is written to it."""
        if situation.connected_here and not needs_install(situation):
            return skip("nothing to install or to connect")
        problem = _unsupported(situation) or _too_small(situation)
        if problem:
            return problem
        missing = [file for file in situation.packed.files if not _is_there(situation, file)]
        if not missing:
            return skip("already on the host, with the right SHA-256")
        size = sum(file.length for file in missing)
        return run(f"{len(missing)} files, {megabytes(size)}, to {situation.packed.folder}")

    async def perform(self, work: Work) -> StepResult:
        """Carry what is not there yet."""
        session = await work.session()
        await make_folder(session, work.packed.folder)
        uploads = [await put(session, file, work.packed.staged(file)) for file in work.packed.files]
        travelled = sum(upload.travelled for upload in uploads)
        resumed = any(upload.carried is Carried.RESUMED for upload in uploads)
        says = f"{megabytes(travelled)} carried{', continued from an earlier try' if resumed else ''}"
        return StepResult(self.name, StepState.DONE, says)


def _is_there(situation: Situation, file: BundleFile) -> bool:
    return situation.facts.staged.get(file.name) == file.sha256


def _unsupported(situation: Situation) -> Decision | None:
    facts, packed = situation.facts, situation.packed
    if facts.azure_vm:
        return block(
            "it is an Azure virtual machine, on which the Arc agent is not supported",
            "Take it out of the inventory; Azure manages it already.",
        )
    if facts.os != "linux":
        return block(f"its operating system is {facts.os or 'unknown'}; this version takes Linux")
    if facts.arch not in _ARCHITECTURES:
        return block(f"its processor is {facts.arch or 'unknown'}; the agent is made for x86_64 and arm64")
    if facts.package_format not in {"deb", "rpm"}:
        return block("it has neither dpkg nor rpm to install the agent with")
    if packed.package is None:
        return block(
            f"the bundle holds no agent as {facts.package_format} for {facts.arch}",
            "Build a bundle with that package: arcferry bundle build.",
        )
    return None


def _too_small(situation: Situation) -> Decision | None:
    facts, package = situation.facts, situation.packed.package
    if package is None or situation.agent.installed:
        return None
    for folder, free, needed in (
        ("/var", facts.disk_free, _COPIES * package.length + _SPARE),
        ("/opt", facts.opt_free, _UNPACKED * package.length + _SPARE),
    ):
        if free is not None and free < needed:
            return block(
                f"{megabytes(free)} free under {folder}, and the agent needs {megabytes(needed)}",
                f"Free space under {folder}, then apply again.",
            )
    return None


def megabytes(size: int) -> str:
    """A size for people."""
    if size < 10_000:  # noqa: PLR2004  # small files are told in bytes
        return f"{size} bytes"
    return f"{size / 1_000_000:.1f} MB"
