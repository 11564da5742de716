"""Policies that would deny a machine, or deny one without certain tags."""

from collections.abc import Iterable, Mapping

from arcferry.azure.preflight.check import Inquiry, PreflightCheck, Topic, hindrance, ok, unknown
from arcferry.azure.preflight.policy.assigned import Assigned, Policy, assigned
from arcferry.azure.preflight.policy.expression import UNKNOWN
from arcferry.azure.preflight.policy.rule import TYPE, Candidate, holds
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.language import marked
from arcferry.text import one_line

TOPIC = Topic(marked("policies"))
_LIST = "az policy assignment list --scope {scope} --disable-scope-strict-match --output json"
_CHANGE_TAGS = {"modify", "append", "addtonetworkgroup", "mutate"}
_SHOWN = 5
_ELSEWHERE = "Choose a location that it allows, by --location or the inventory's column"
_EXCEPT = "the policy's owner leaves the resource group out (notScopes) or makes an exemption for it"


async def policies(asked: Inquiry) -> list[PreflightCheck]:
    """What the policies that count at the group would say to the wanted machines."""
    try:
        found = await assigned(asked)
    except (PermissionDeniedError, NotFoundError):
        says = "this identity may not read which policies count at the resource group"
        return [unknown(TOPIC, says, asked.line(_LIST))]
    changes_tags = _changes_tags(asked, found)
    checks = [
        check for policy in found.policies if (check := _judged(asked, policy, changes_tags=changes_tags))
    ]
    checks += [
        unknown(TOPIC, f"policy “{name}” cannot be judged: {why}", asked.line(_LIST))
        for name, why in found.unread
    ]
    return checks or [ok(TOPIC, f"none of {len(found.policies)} policies denies the machines")]


def _changes_tags(asked: Inquiry, found: Assigned) -> bool:
    """Whether a policy may add tags, which Azure does before any other may deny their lack."""
    return any(
        policy.effect in _CHANGE_TAGS
        and any(_answer(asked, policy, name, tags) is not False for name, tags in _machines(asked))
        for policy in found.policies
    )


def _judged(asked: Inquiry, policy: Policy, *, changes_tags: bool) -> PreflightCheck | None:
    general = _answer(asked, policy, "", None) if policy.effect in {"deny", ""} else False
    if general is False:
        return None
    answers = {name: _answer(asked, policy, name, tags) for name, tags in _machines(asked)}
    denied = [name for name, answer in answers.items() if answer]
    if not denied and None not in answers.values():
        return None
    tags = _tags_of(asked, policy)
    unsure = policy.unsure or _unsure(policy, tags, changes_tags=changes_tags)
    if denied and not unsure:
        return _denies(asked, policy, denied, tags)
    if not unsure and tags and not asked.wanted.machines:
        unsure = "name the inventory to have its servers' tags judged"
    of = f" by their tags ({', '.join(tags)})" if tags else ""
    says = f"whether policy “{policy.name}” denies machines{of} cannot be told from here"
    return unknown(TOPIC, f"{says}: {unsure}" if unsure else says, asked.line(_LIST))


def _unsure(policy: Policy, tags: list[str], *, changes_tags: bool) -> str:
    if not policy.effect:
        return "its effect cannot be told"
    return "another policy may add the tags before" if tags and changes_tags else ""


def _denies(asked: Inquiry, policy: Policy, denied: list[str], tags: list[str]) -> PreflightCheck:
    place = asked.session.target.location
    if tags:
        says, way = f"demands tags that are not right: {', '.join(tags)}", _by_tags(tags)
    elif _depends_on_place(asked, policy, denied):
        says, way = f"denies machines in {place}", f"{_ELSEWHERE}; or "
    else:
        says, way = f"denies resources of the type {TYPE}", ""
    names = list(filter(None, denied))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    of = f" ({', '.join(names[:_SHOWN])}{more})" if names else ""
    way = f"{way}{_EXCEPT}. Where it is assigned, and by whom, tells:"
    says = f"policy “{policy.name}” {says}{of}"
    return hindrance(TOPIC, says, f"{way[0].upper()}{way[1:]}", asked.line(_LIST))


def _by_tags(tags: list[str]) -> str:
    given = " ".join(f"--tags {one_line(tag, limit=60)}=VALUE" for tag in tags)
    return f"Put them into the inventory's column tags, or pass {given}; or "


def _machines(asked: Inquiry) -> Iterable[tuple[str, Mapping[str, str] | None]]:
    """Each wanted machine with its tags; without an inventory one of which nothing is known."""
    return asked.wanted.machines.items() or (("", None),)


def _candidate(asked: Inquiry, policy: Policy, name: str, tags: Mapping[str, str] | None) -> Candidate:
    target = asked.session.target
    return Candidate(
        name or UNKNOWN,
        target.location,
        tags,
        group=target.resource_group,
        subscription=target.subscription_id,
        parameters=policy.parameters,
    )


def _answer(asked: Inquiry, policy: Policy, name: str, tags: Mapping[str, str] | None) -> bool | None:
    return holds(policy.rule, _candidate(asked, policy, name, tags))


def _tags_of(asked: Inquiry, policy: Policy) -> list[str]:
    """The tags that the answer depends on; none where it is the same whatever they are."""
    machine = _candidate(asked, policy, "", None)
    return sorted(machine.seen) if holds(policy.rule, machine) is None else []


def _depends_on_place(asked: Inquiry, policy: Policy, denied: list[str]) -> bool:
    machine = _candidate(asked, policy, denied[0], None)
    machine.location = UNKNOWN
    return holds(policy.rule, machine) is None
