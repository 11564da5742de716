"""The policies that count at the resource group: assignments and what they assign, with the values given."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from arcferry.azure.arm import Document, properties
from arcferry.azure.preflight.check import Inquiry
from arcferry.azure.preflight.policy.expression import UNKNOWN, value_of
from arcferry.azure.preflight.policy.rule import TYPE, Answer, Candidate
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.text import one_line
from arcferry.times import from_text

MOST_DEFINITIONS = 1000
_AT_ONE_TIME = 8
# As azure-mgmt-resource-policy 1.0 has them (2026-11-29).
_ASSIGNMENTS = "2023-04-01"
_DEFINITIONS = "2023-04-01"
_EXEMPTIONS = "2022-07-01-preview"
_HERE = "?$filter=atScope()"
_ID = re.compile(r"(?:/[\w.() -]{1,128}){1,12}")


@dataclass(frozen=True, slots=True)
class Policy:
    """One definition with the values that an assignment gives it.

    Attributes:
        name: what its assignment is called, and its own name where that is another.
        effect: in lower case; empty where it cannot be told.
        parameters: by lower-case name.
        unsure: why it cannot be told whether it counts; empty where it does.
    """

    name: str
    rule: object
    effect: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    unsure: str = ""


@dataclass(frozen=True, slots=True)
class Assigned:
    """What counts at the group.

    Attributes:
        unread: assignments whose definition cannot be had, with the reason.
    """

    policies: tuple[Policy, ...]
    unread: tuple[tuple[str, str], ...]


async def assigned(asked: Inquiry) -> Assigned:
    """Every policy that counts at the group, its own and inherited ones.

    Raises:
        PermissionDeniedError: this identity may not read policies.
        AzureError: Azure gave no usable answer.
    """
    path = f"{asked.group}/providers/Microsoft.Authorization/policyAssignments{_HERE}"
    listed = await asked.get_list(path, _ASSIGNMENTS, "read the policy assignments")
    exemptions = await _exemptions(asked)
    library = _Library(asked)
    found = await asyncio.gather(
        *(_policies_of(one, library, exemptions) for one in listed if _counts(one, asked.group))
    )
    policies = tuple(one for some in found for one in some if isinstance(one, Policy))
    unread = tuple(one for some in found for one in some if not isinstance(one, Policy))
    return Assigned(policies, unread)


def _counts(assignment: Document, group: str) -> bool:
    said = properties(assignment)
    left_out = said.get("notScopes")
    outside = [one for one in left_out if isinstance(one, str)] if isinstance(left_out, list) else []
    if any(f"{group.lower()}/".startswith(f"{one.lower().rstrip('/')}/") for one in outside):
        return False
    return str(said.get("enforcementMode") or "").lower() != "donotenforce"


async def _exemptions(asked: Inquiry) -> list[Document] | None:
    """Those that are in force at the group; None where they cannot be read."""
    path = f"{asked.group}/providers/Microsoft.Authorization/policyExemptions{_HERE}"
    try:
        listed = await asked.get_list(path, _EXEMPTIONS, "read the policy exemptions")
    except (PermissionDeniedError, NotFoundError):
        return None
    beneath = f"{asked.group.lower()}/providers/"
    here = f"{beneath}microsoft.authorization/"
    inside = [str(one.get("id") or "").lower() for one in listed]
    return [
        one
        for one, place in zip(listed, inside, strict=True)
        if _in_force(one) and (not place.startswith(beneath) or place.startswith(here))
    ]


def _in_force(exemption: Document) -> bool:
    ends = properties(exemption).get("expiresOn")
    try:
        return not isinstance(ends, str) or from_text(ends) > datetime.now(UTC)
    except ValueError:
        return True


class _Library:
    """Definitions, each read once."""

    def __init__(self, asked: Inquiry) -> None:
        self._asked = asked
        self._turns = asyncio.Semaphore(_AT_ONE_TIME)
        self._read: dict[str, asyncio.Task[Document]] = {}

    async def definition(self, identity: str) -> Document:
        """The definition or initiative of this id.

        Raises:
            AzureError: it cannot be had.
        """
        key = identity.lower()
        if key not in self._read:
            if len(self._read) >= MOST_DEFINITIONS:
                raise NotFoundError(f"more than {MOST_DEFINITIONS:,} definitions are assigned")
            self._read[key] = asyncio.ensure_future(self._ask(identity))
        return await asyncio.shield(self._read[key])

    async def _ask(self, identity: str) -> Document:
        async with self._turns:
            return await self._asked.get(identity, _DEFINITIONS, "read a policy definition")


@dataclass(frozen=True, slots=True)
class _Part:
    """What an assignment assigns, or one of the policies of an initiative."""

    assignment: Document
    name: str
    definition: Document
    given: Mapping[str, object]
    reference: str = ""


_Found = list[Policy | tuple[str, str]]


async def _policies_of(assignment: Document, library: _Library, exemptions: list[Document] | None) -> _Found:
    name = _called(assignment)
    found: _Found = []
    try:
        for part in await _parts(assignment, name, library):
            found += [part] if isinstance(part, tuple) else _one(part, exemptions)
    except (PermissionDeniedError, NotFoundError):
        found.append((name, "this identity may not read its definition"))
    return found


async def _parts(assignment: Document, name: str, library: _Library) -> list[_Part | tuple[str, str]]:
    said = properties(assignment)
    identity = _definition_id(said)
    if not identity:
        return [(name, "it names no definition")]
    given = _values(said.get("parameters"))
    definition = await library.definition(identity)
    if "/policysetdefinitions/" not in identity.lower():
        return [_Part(assignment, name, definition, given)]
    around = Candidate(UNKNOWN, UNKNOWN, None, parameters=_with_defaults(definition, given))
    members = properties(definition).get("policyDefinitions")
    found: list[_Part | tuple[str, str]] = []
    for member in members if isinstance(members, list) else ():
        part = member if isinstance(member, Mapping) else {}
        inner = _definition_id(part)
        if not inner:
            found.append((name, "a part of it names no definition"))
            continue
        one = await library.definition(inner)
        values = {key: value_of(value, around) for key, value in _values(part.get("parameters")).items()}
        reference = str(part.get("policyDefinitionReferenceId") or "")
        found.append(_Part(assignment, f"{name}: {_called(one)}", one, values, reference))
    return found


def _definition_id(document: Document) -> str:
    found = document.get("policyDefinitionId")
    return found if isinstance(found, str) and _ID.fullmatch(found) else ""


def _one(part: _Part, exemptions: list[Document] | None) -> _Found:
    said = properties(part.definition)
    if str(said.get("mode") or "all").lower() not in {"all", "indexed"}:
        return []  # of another service's data, such as Kubernetes'
    rule, values = said.get("policyRule"), _with_defaults(part.definition, part.given)
    then = rule.get("then") if isinstance(rule, Mapping) else None
    if not isinstance(rule, Mapping) or not isinstance(then, Mapping):
        return [(part.name, "its definition has no rule")]
    exempt, unsure = _exempt(part.assignment, part.reference, exemptions)
    if exempt:
        return []
    effect = value_of(then.get("effect"), Candidate(UNKNOWN, UNKNOWN, None, parameters=values))
    if properties(part.assignment).get("overrides"):
        effect = _overridden(part.assignment, part.reference, effect)
    if properties(part.assignment).get("resourceSelectors"):
        unsure = "it is assigned to chosen resources alone (resourceSelectors)"
    text = effect.lower() if isinstance(effect, str) else ""
    return [Policy(part.name, rule.get("if"), text, values, unsure)]


def _exempt(assignment: Document, reference: str, exemptions: list[Document] | None) -> tuple[bool, str]:
    if exemptions is None:
        return False, "this identity may not read whether it has an exemption"
    for exemption in exemptions:
        said = properties(exemption)
        if str(said.get("policyAssignmentId") or "").lower() != str(assignment.get("id") or "-").lower():
            continue
        listed = said.get("policyDefinitionReferenceIds")
        named = [str(one).lower() for one in listed] if isinstance(listed, list) else []
        if named and reference.lower() not in named:
            continue
        if said.get("resourceSelectors"):
            return False, "it has an exemption for chosen resources alone (resourceSelectors)"
        return True, ""
    return False, ""


def _overridden(assignment: Document, reference: str, effect: object) -> object:
    """The effect that an assignment sets in place of the definition's; `UNKNOWN` where it depends."""
    overrides = properties(assignment).get("overrides")
    for override in overrides if isinstance(overrides, list) else ():
        part = override if isinstance(override, Mapping) else {}
        selectors = part.get("selectors")
        answer = _selected(selectors if isinstance(selectors, list) else [], reference)
        if answer is None:
            return UNKNOWN
        if answer and str(part.get("kind") or "").lower() == "policyeffect":
            return part.get("value")
    return effect


def _selected(selectors: list[object], reference: str) -> Answer:
    wanted = {"policydefinitionreferenceid": reference, "resourcetype": TYPE}
    for selector in selectors:
        part = selector if isinstance(selector, Mapping) else {}
        value = wanted.get(str(part.get("kind") or "").lower())
        listed, left_out = part.get("in"), part.get("notIn")
        if value is None:
            return None
        if isinstance(listed, list) and value.lower() not in [str(one).lower() for one in listed]:
            return False
        if isinstance(left_out, list) and value.lower() in [str(one).lower() for one in left_out]:
            return False
    return True


def _values(given: object) -> dict[str, object]:
    """Parameters by lower-case name, of `{"name": {"value": …}}`."""
    if not isinstance(given, Mapping):
        return {}
    return {
        str(name).lower(): one["value"]
        for name, one in given.items()
        if isinstance(one, Mapping) and "value" in one
    }


def _with_defaults(definition: Document, given: Mapping[str, object]) -> dict[str, object]:
    declared = properties(definition).get("parameters")
    defaults = {
        str(name).lower(): one["defaultValue"]
        for name, one in (declared.items() if isinstance(declared, Mapping) else ())
        if isinstance(one, Mapping) and "defaultValue" in one
    }
    return defaults | dict(given)


def _called(document: Document) -> str:
    name = properties(document).get("displayName") or document.get("name") or "without a name"
    return one_line(str(name), limit=120)
