"""install: the agent's package, from the staged and verified file; a newer agent is never downgraded."""

from arcferry.catalog import known_code
from arcferry.fleet.host_state import Decision, HostState, at_least, block, run, skip, version_key
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import ScriptAnswer, run_to_end
from arcferry.fleet.system import System
from arcferry.fleet.task import HostTask, Step
from arcferry.times import now, to_text

_OUTPUT = 4000


def decide(state: HostState) -> Decision:
    """Skip where the version is there already; refuse to replace a newer one."""
    here, packed = state.agent.version, state.payload.version
    if state.agent.installed and version_key(here) > version_key(packed) and packed:
        if state.connected_here:
            return skip(f"agent {here} is newer than the bundle's {packed}, and connected")
        return block(
            f"agent {here} is installed, and the bundle holds the older {packed}",
            "Build a bundle with the newer agent, or remove the agent from the host.",
        )
    if not needs_install(state):
        return skip(f"agent {here} is installed")
    also = "; another installation runs there, and is waited for" if state.facts.busy else ""
    also += "; a restart is pending there" if state.facts.restart_pending else ""
    return run(f"agent {packed or 'of the bundle'}{f', now {here}' if here else ''}{also}")


async def perform(task: HostTask) -> StepResult:
    """Install through the host script, which checks the hash once more."""
    package = task.payload.package
    if package is None:
        raise RuntimeError("a host without a package was not blocked")
    staged, began = task.payload.staged(package), to_text(now())
    answer = await run_to_end(
        await task.session(), task.payload.script_path, "install", staged, package.sha256
    )
    if not answer.ok:
        return failed(answer, task.payload.system)
    says = f"agent {answer.text('version')}{'' if answer.flag('changed') else ' was there already'}"
    if answer.flag("reboot_required"):
        says += "; Windows asks for a restart, which is yours to do when it suits"
    wants_restart = answer.flag("reboot_required") is True
    return StepResult("install", StepState.DONE, says, data={"began": began, "restart": wants_restart})


def failed(answer: ScriptAnswer, system: System) -> StepResult:
    """What an installer's failure is called: what Windows Installer's code means comes first."""
    output, code = answer.output(limit=_OUTPUT), answer.text("code", limit=40)
    says, hint = answer.text("message") or "the installer failed", ""
    known = known_code(f"msiexec {answer.number('exit')}") if "msi" in system.formats else None
    if "no space left" in output.lower() or code == "no-space":
        says = "the host's disk is full"
        hint = f"Free space under {' and '.join(room.folder for room in system.rooms)}, then apply again."
    elif known:
        # After the code's own name, and before what another program calls it.
        meaning = known.meaning.partition(": ")[2].partition(". The ")[0].rstrip(".")
        says, hint = f"{meaning}: {says}", known.remedy
    return StepResult("install", StepState.FAILED, says, hint, code, output=output)


def needs_install(state: HostState) -> bool:
    """Whether the host has no agent, or an older one than the bundle."""
    agent = state.agent
    return not (agent.installed and agent.version and at_least(agent.version, state.payload.version))


INSTALL = Step("install", decide, perform, interruptible=False)
