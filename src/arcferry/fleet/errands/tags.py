"""set-tags: the inventory's tags on the machines in Azure; those of others stay unless they are to go."""

from collections.abc import Mapping

from arcferry.azure import set_machine_tags
from arcferry.fleet.errands.errand import Errand, ErrandStep, HostNow
from arcferry.fleet.errands.task import ErrandTask
from arcferry.fleet.host_state import Decision, block, run, skip
from arcferry.fleet.inventory.tags import tags_text
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.language import marked

_MOST = 50
"""Tags that a resource takes (learn.microsoft.com, tag-resources, 2025)."""


def _guard(now: HostNow) -> Decision | None:
    if now.machine is None:
        return block(
            f"there is no machine {now.host.name} in {now.target.resource_group}",
            "Bring it in first: arcferry onboard apply.",
        )
    if not now.host.tags:
        return block("its row in the inventory has no tags", "Give it the column tags, or pass --tags K=V.")
    count = len(wanted(now, now.machine.tags))
    if count > _MOST:
        return block(f"it would have {count} tags, and a resource takes {_MOST}")
    return None


def wanted(now: HostNow, there: Mapping[str, str]) -> dict[str, str]:
    """The tags as they are to be. Azure takes a tag's name in any case: one that is there keeps its own."""
    own = {name.casefold(): value for name, value in now.host.tags.items()}
    kept = {
        name: own.get(name.casefold(), value)
        for name, value in there.items()
        if name.casefold() in own or not now.wishes.replace
    }
    known = {name.casefold() for name in kept}
    return kept | {name: value for name, value in now.host.tags.items() if name.casefold() not in known}


def _changes(there: Mapping[str, str], then: Mapping[str, str]) -> str:
    """What differs, in words; empty where nothing does."""
    new = {name: value for name, value in then.items() if there.get(name) != value}
    gone = [name for name in there if name not in then]
    parts = (f"set {tags_text(new)}" if new else "", f"take away {', '.join(gone)}" if gone else "")
    return " and ".join(filter(None, parts))


def _decide(now: HostNow) -> Decision:
    there = now.machine.tags if now.machine else {}
    says = _changes(there, wanted(now, there))
    return run(says) if says else skip("it has these tags")


async def _set(task: ErrandTask) -> StepResult:
    """From what is there right now, so that a tag which somebody has set meanwhile stays."""
    _, machine = await task.look_again()
    if machine is None:
        return StepResult("tags", StepState.FAILED, "the machine is gone meanwhile")
    then = wanted(task.now, machine.tags)
    says = _changes(machine.tags, then)
    if not says:
        return StepResult("tags", StepState.DONE, "it has these tags already")
    found = await set_machine_tags(task.azure, task.host.name, then)
    if dict(found.tags) != then:
        return StepResult("tags", StepState.FAILED, f"Azure shows {tags_text(dict(found.tags))} afterwards")
    return StepResult("tags", StepState.DONE, says)


SET_TAGS = Errand(
    "set-tags", _guard, (ErrandStep("tags", _decide, _set),), done=marked("tagged"), asks_host=False
)
