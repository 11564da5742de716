"""offboard and uninstall: out of Azure Arc, step by step, and then the agent off the server."""

import json
from dataclasses import replace

from arcferry.azure import delete_extension, delete_machine, get_machine, list_extensions
from arcferry.fleet.errands.errand import Errand, ErrandStep, HostNow
from arcferry.fleet.errands.task import ErrandTask
from arcferry.fleet.errands.whose import answering_guard, machine_guard, no_administrator
from arcferry.fleet.host_state import Decision, block, run, skip
from arcferry.fleet.networks import named
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.steps.check import agent_failure
from arcferry.fleet.steps.install import failed
from arcferry.fleet.steps.leave import deletion, is_own
from arcferry.fleet.system import system_of
from arcferry.language import marked


def _guard(now: HostNow) -> Decision | None:
    return machine_guard(now) if now.facts is None else answering_guard(now)


def _extensions(now: HostNow) -> Decision:
    names = now.extensions
    if not names:
        return skip("Azure shows none")
    if now.wishes.keep_extensions:
        return skip(f"{named(names)}: kept on the server, as --keep-extensions says")
    if now.facts is None or not now.connected_here:
        return skip(f"{named(names)}: no agent is there to remove them; Azure forgets them with the machine")
    if now.machine is None or not now.machine.connected:
        return block(
            f"{named(names)} are to be removed by the agent, and Azure does not hear from it",
            "Let it connect first (arcferry check on the server says what is in the way); or pass "
            "--keep-extensions: what they have installed then stays on the server.",
        )
    return run(f"remove {named(names)}")


async def _remove_extensions(task: ErrandTask) -> StepResult:
    """One after the other, as the agent works on them."""
    name, removed = task.host.name, list[str]()
    for extension in await list_extensions(task.azure, name):
        agent, machine = await task.look_again()
        if machine is None or not agent.has_machine:
            return StepResult("extensions", StepState.DONE, f"{machine_text(removed)}; the machine is gone")
        task.tell(f"removes the extension {extension}")
        await delete_extension(task.azure, name, extension)
        removed.append(extension)
    if left := await list_extensions(task.azure, name):
        says = f"Azure still shows {named(left)}"
        return StepResult("extensions", StepState.FAILED, says, "Run the same command again.")
    return StepResult("extensions", StepState.DONE, machine_text(removed))


def machine_text(removed: list[str]) -> str:
    """What was removed, in words."""
    return f"removed {named(removed)}" if removed else "none was left"


def _disconnect(now: HostNow) -> Decision:
    if now.facts is None:
        return skip("the server is not asked")
    if not now.agent.has_machine:
        return skip("its agent holds no machine" if now.agent.installed else "it has no agent")
    here = ", on the server alone: the machine is gone in Azure" if now.machine is None else ""
    return run(f"azcmagent disconnect from {now.agent.resource_id or now.host.name}{here}")


async def _leave(task: ErrandTask) -> StepResult:
    """The agent deletes its machine in Azure with that, where it is still there."""
    agent, machine = await task.look_again()
    if not agent.has_machine:
        return StepResult("disconnect", StepState.DONE, "was disconnected already")
    if machine is None:
        answer = await task.run("disconnect", "--local-only")
    else:
        config = json.dumps({"access-token": (await task.azure.token()).text}).encode()
        answer = await task.run("disconnect", token=config)
    if not answer.ok:
        return agent_failure("disconnect", answer)
    held = agent.resource_id or task.host.name
    return StepResult("disconnect", StepState.DONE, f"disconnected from {held}, vmId {agent.vm_id}")


def _resource(now: HostNow) -> Decision:
    if now.machine is None:
        return skip("Azure has no such machine")
    return run(f"delete {now.machine.id}, vmId {now.machine.vm_id}, if it is still there then")


async def _delete(task: ErrandTask) -> StepResult:
    _, machine = await task.look_again()
    if machine is None:
        return StepResult("resource", StepState.DONE, "it is gone, with the disconnect")
    if task.now.facts is None and (blocked := machine_guard(task.now, machine)):
        return StepResult("resource", StepState.FAILED, blocked.why, blocked.hint)
    await delete_machine(task.azure, task.host.name)
    if await get_machine(task.azure, task.host.name) is not None:
        says = f"Azure still has {machine.id}, although it took the deletion"
        return StepResult("resource", StepState.FAILED, says, deletion(machine.id))
    says = f"deleted {machine.id}, vmId {machine.vm_id}, which was {machine.status}"
    return StepResult("resource", StepState.DONE, says)


OFFBOARD = Errand(
    "offboard",
    _guard,
    (
        ErrandStep("extensions", _extensions, _remove_extensions),
        ErrandStep("disconnect", _disconnect, _leave),
        ErrandStep("resource", _resource, _delete),
    ),
    done=marked("offboarded"),
    reads=frozenset({"extensions"}),
)


def _uninstall_guard(now: HostNow) -> Decision | None:
    if blocked := now.objection or no_administrator(now):
        return blocked
    agent, facts = now.agent, now.facts
    first = "Take it out of Azure first: arcferry offboard INVENTORY --apply."
    if agent.has_machine:
        return block(f"its agent is connected to {agent.resource_id or agent.resource_name}", first)
    if now.machine is not None and facts is not None and is_own(now.machine, facts, agent):
        return block(f"its machine is still in Azure: {now.machine.id}, {now.machine.status}", first)
    return None


def _uninstall(now: HostNow) -> Decision:
    if not now.agent.installed:
        return skip("it has no agent")
    return run(f"remove the agent {now.agent.version}")


async def _remove_package(task: ErrandTask) -> StepResult:
    await task.look_again()
    answer = await task.run("uninstall", deadline=3900)
    if not answer.ok:
        system = system_of((await task.session()).system)
        return replace(failed(answer, system), step="uninstall")
    says = "the agent is removed" if answer.flag("changed") else "it was removed already"
    if answer.flag("reboot_required"):
        says += "; Windows asks for a restart, which is yours to do when it suits"
    return StepResult("uninstall", StepState.DONE, says)


def _sweep(now: HostNow) -> Decision:
    if not now.left and not now.agent.installed:
        return skip("nothing of arcferry's is there")
    return run(f"remove what arcferry keeps there{f': {named(now.left)}' if now.left else ''}")


async def _remove_left(task: ErrandTask) -> StepResult:
    if kept := await task.left(remove=True):
        says = f"{named(kept)} could not be removed whole"
        return StepResult("sweep", StepState.FAILED, says, "Something holds a file there: see what runs.")
    return StepResult("sweep", StepState.DONE, "nothing of arcferry's is left there")


UNINSTALL = Errand(
    "uninstall",
    _uninstall_guard,
    (
        ErrandStep("uninstall", _uninstall, _remove_package),
        ErrandStep("sweep", _sweep, _remove_left),
    ),
    done=marked("uninstalled"),
    asks_azure=False,
    reads=frozenset({"left"}),
)
