"""install: the agent's package, from the staged file."""

from arcferry.fleet.facts import Answer, version_key
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.script import order
from arcferry.fleet.situation import Decision, Situation, block, run, skip
from arcferry.fleet.work import Work

_OUTPUT = 4000


class Install:
    """Installs or upgrades the agent. Never downgrades it, and never installs what was not verified."""

    name = "install"
    interruptible = False

    def decide(self, situation: Situation) -> Decision:
        """Skip where the version is there already; refuse to replace a newer one."""
        here, packed = situation.agent.version, situation.packed.version
        if situation.agent.installed and version_key(here) > version_key(packed) and packed:
            if situation.connected_here:
                return skip(f"agent {here} is newer than the bundle's {packed}, and connected")
            return block(
                f"agent {here} is installed, and the bundle holds the older {packed}",
                "Build a bundle with the newer agent, or remove the agent from the host.",
            )
        if not needs_install(situation):
            return skip(f"agent {here} is installed")
        return run(f"agent {packed or 'of the bundle'}{f', now {here}' if here else ''}")

    async def perform(self, work: Work) -> StepResult:
        """Install through the host script, which checks the hash once more."""
        package = work.packed.package
        if package is None:
            raise RuntimeError("a host without a package was not blocked")
        session = await work.session()
        answer = await order(
            session, work.packed.script_path, "install", work.packed.staged(package), package.sha256
        )
        if not answer.ok:
            return _failed(answer)
        version = answer.text("version")
        changed = answer.flag("changed")
        return StepResult(
            self.name, StepState.DONE, f"agent {version}{'' if changed else ' was there already'}"
        )


def needs_install(situation: Situation) -> bool:
    """Whether the host has no agent, or an older one than the bundle."""
    agent, packed = situation.agent, situation.packed.version
    if not agent.installed or not agent.version:
        return True
    return version_key(agent.version) < version_key(packed)


def _failed(answer: Answer) -> StepResult:
    output = answer.output(limit=_OUTPUT)
    full = "no space left" in output.lower() or answer.text("code") == "no-space"
    return StepResult(
        "install",
        StepState.FAILED,
        "the host's disk is full" if full else answer.text("message") or "the installer failed",
        hint="Free space under /var and /opt, then apply again." if full else "",
        code=answer.text("code", limit=40),
        output=output,
    )
