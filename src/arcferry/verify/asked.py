"""What Azure says of the machines in some groups, each subscription asked once; and what it did not say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from arcferry.azure import (
    AzureSession,
    AzureTarget,
    Identity,
    Machine,
    graph_machines,
    list_machines,
)
from arcferry.errors import AzureError, SignInError
from arcferry.fleet.in_azure import sessions_at

GroupKey = tuple[str, str]
"""A subscription's id and a resource group's name, both in lower case."""


class Source(StrEnum):
    """Who is asked first."""

    GRAPH = "graph"
    ARM = "arm"


@dataclass(slots=True)
class Answer:
    """All that Azure said.

    Attributes:
        machines: by their ids in lower case: all of the subscriptions, or but those of the groups where
            Resource Graph was not asked or did not answer.
        unasked: the groups of which it is not known whether these are all.
        notes: what else is to be said of it.
    """

    machines: dict[str, Machine] = field(default_factory=dict)
    unasked: dict[GroupKey, AzureError] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def in_group(self, key: GroupKey) -> dict[str, Machine]:
        """The machines of a group, by their names in lower case."""
        return self.by_group().get(key, {})

    def by_group(self) -> dict[GroupKey, dict[str, Machine]]:
        """The machines of every group, likewise."""
        found: dict[GroupKey, dict[str, Machine]] = {}
        for machine in self.machines.values():
            key = key_of(machine.subscription_id, machine.resource_group)
            found.setdefault(key, {})[machine.name.lower()] = machine
        return found


def key_of(subscription_id: str, group: str) -> GroupKey:
    """A group's key."""
    return subscription_id.lower(), group.lower()


async def ask(
    target: AzureTarget, who: Identity, wanted: Mapping[GroupKey, Iterable[str]], source: Source
) -> Answer:
    """What Azure says of these groups' machines.

    Resource Graph does not tell what an identity may not read from what is not there, and may be behind. So
    of a group in which it lacks a name, Resource Manager is asked too, and has the last word: no machine is
    called missing that it did not say is not there.

    Args:
        target: how Azure is reached.
        who: the identity.
        wanted: the groups, each with the names of the machines that should be in it.
        source: who is asked first.

    Raises:
        SignInError: no token.
        InputError: as for `azure.signed_in`.
    """
    answer = Answer()
    names = {key: {name.lower() for name in some} for key, some in wanted.items()}
    subscriptions = dict.fromkeys(subscription for subscription, _ in wanted)
    targets = [replace(target, subscription_id=subscription) for subscription in subscriptions]
    async with sessions_at(targets, who) as sessions:
        for session in sessions.values():
            groups = [key for key in wanted if key[0] == session.target.subscription_id]
            if source is Source.ARM or not await _by_graph(session, answer):
                doubtful = groups
            else:
                seen = answer.by_group()
                doubtful = [key for key in groups if not _is_told(seen.get(key, {}), names[key])]
            for key in doubtful:
                await _by_arm(session, key, answer, names[key])
    return answer


def _is_told(seen: Mapping[str, Machine], names: set[str]) -> bool:
    return bool(seen) and names <= seen.keys()


async def _by_graph(session: AzureSession, answer: Answer) -> bool:
    """Whether Resource Graph gave a whole answer."""
    try:
        found = await graph_machines(session)
    except SignInError:
        raise
    except AzureError as error:
        answer.notes.append(
            f"{error.message}. Resource Manager's own lists were asked in its place, of the inventory's "
            "groups alone, so a machine in another group is not seen"
        )
        return False
    answer.machines |= {machine.id.lower(): machine for machine in found}
    return True


async def _by_arm(session: AzureSession, key: GroupKey, answer: Answer, names: set[str]) -> None:
    """Let Resource Manager's list of a group stand in the place of what was known of it."""
    known = answer.in_group(key)
    try:
        found = await list_machines(session, key[1])
    except SignInError:
        raise
    except AzureError as error:
        answer.unasked[key] = error
        return
    late = [name for name in sorted(names & found.keys()) if known and name not in known]
    if late:
        answer.notes.append(
            f"Resource Graph does not show {len(late)} of the machines that Resource Manager has in "
            f"{key[1]}, such as {late[0]}: it is behind, or this identity may not read them all"
        )
    for machine in known.values():
        del answer.machines[machine.id.lower()]
    answer.machines |= {machine.id.lower(): machine for machine in found.values()}
