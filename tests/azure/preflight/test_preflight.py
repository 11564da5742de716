"""The preflight as a whole, on the twin: what each kind of identity sees, and all that hinders at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from tests.azure.conftest import aim

from arcferry import azure, errors
from arcferry.azure.preflight.check import CheckStatus
from arcferry_lab.azure import authorization, private_link
from arcferry_lab.azure.state import ArcMachine, AzureState
from arcferry_lab.twin import RESOURCE_GROUP, Twin

pytestmark = pytest.mark.lab

LOCATIONS = "e56962a6-4747-49cd-b67b-bf8b01975c4c"
NOT_ALLOWED = "6c112d4e-5bc7-47ae-a041-ea2d9dccd749"
REQUIRE_TAG = "871b6d14-10aa-478d-b590-94f262ecfa99"
INHERIT_TAG = "ea3f2387-9b95-492a-a190-fcdc54f7b070"
MACHINES = "Microsoft.HybridCompute/machines"


async def examined(
    twin: Twin, role: str = "reader-and-onboarding", wanted: azure.Wanted | None = None
) -> azure.Preflight:
    client = twin.azure.add_client("onboarding" if role == "reader-and-onboarding" else role)
    if role == "reader-and-onboarding":
        client.roles = (*client.roles, *twin.azure.add_client("reader").roles)
    who = azure.with_secret(client.client_id, client.secret)
    async with azure.signed_in(aim(twin), who) as session:
        return await azure.examine(session, wanted=wanted or azure.Wanted())


def group(state: AzureState) -> str:
    return f"/subscriptions/{state.subscription_id}/resourceGroups/{RESOURCE_GROUP}"


def subscription(state: AzureState) -> str:
    return f"/subscriptions/{state.subscription_id}"


def answers(found: azure.Preflight) -> dict[str, str]:
    return {check.name: check.answer.value for check in found.checks}


@dataclass(frozen=True)
class Sight:
    """A role, and what somebody with it sees; whatever is not named is ok."""

    role: str
    sees: Mapping[str, str]
    said: str = ""


SIGHTS = {
    "onboarding": Sight(
        "onboarding",
        dict.fromkeys(("subscription", "provider", "location", "rights", "locks", "policies"), "unknown"),
        "az role assignment list --assignee-object-id",
    ),
    "reader": Sight("reader", {"rights": "hindrance"}, "it lacks Microsoft.HybridCompute/machines/write"),
    "contributor": Sight("contributor", {"rights": "warning"}, "run programs on every connected server"),
    "owner": Sight("owner", {"rights": "warning"}, "give roles to anybody"),
    "both": Sight("reader-and-onboarding", {}),
}


@pytest.mark.parametrize("case", SIGHTS)
async def test_what_an_identity_sees(twin: Twin, case: str) -> None:
    sight = SIGHTS[case]
    found = await examined(twin, sight.role)
    expected = dict.fromkeys(
        ("sign-in", "subscription", "provider", "location", "resource group", "rights", "locks", "policies"),
        "ok",
    )
    assert answers(found) == expected | {"credential": "unknown"} | sight.sees
    assert sight.said in " ".join(f"{check.says} {check.hint}" for check in found.checks)
    for check in found.checks:
        assert check.answer is not CheckStatus.UNKNOWN or "az " in check.hint, check


@dataclass(frozen=True)
class Trouble:
    """Something in the twin, and the check that it must turn out in."""

    make: Callable[[AzureState], object]
    name: str
    answer: str
    says: str
    hint: str = ""
    wanted: Callable[[AzureState], azure.Wanted] = field(default=lambda _: azure.Wanted())


def two(_: AzureState) -> azure.Wanted:
    return azure.Wanted({"web01": {"environment": "prod"}, "web02": {}})


def nothing(_: AzureState) -> None:
    pass


def exempted(state: AzureState, reference: str = "") -> None:
    identity = authorization.assign(
        state, subscription(state), NOT_ALLOWED, {"listOfResourceTypesNotAllowed": [MACHINES]}
    )
    given = {"policyAssignmentId": identity, "exemptionCategory": "Waiver"}
    authorization.put(state, group(state), authorization.EXEMPTIONS, "x", given)


def initiative(state: AzureState) -> None:
    identity = authorization.put(
        state, "/providers/Microsoft.Management/managementGroups/corp", authorization.INITIATIVES, "base",
        {
            "displayName": "Baseline",
            "parameters": {"places": {"type": "Array"}},
            "policyDefinitions": [
                {
                    "policyDefinitionId": f"/providers/Microsoft.Authorization/policyDefinitions/{LOCATIONS}",
                    "policyDefinitionReferenceId": "places",
                    "parameters": {"listOfAllowedLocations": {"value": "[parameters('places')]"}},
                }
            ],
        },
    )["id"]  # fmt: skip
    at = "/providers/Microsoft.Management/managementGroups/corp"
    authorization.assign(
        state, at, str(identity), {"places": ["westeurope"]}, {"displayName": "Corp baseline"}
    )


def denies(state: AzureState, **properties: object) -> None:
    authorization.assign(
        state,
        subscription(state),
        NOT_ALLOWED,
        {"listOfResourceTypesNotAllowed": [MACHINES.upper()]},
        properties,
    )


def taken(state: AzureState) -> None:
    state.machines[RESOURCE_GROUP, "web01"] = ArcMachine(RESOURCE_GROUP, "Web01", "eastasia", {}, {})


def scoped(state: AzureState) -> azure.Wanted:
    return azure.Wanted(private_link_scopes=(private_link.scope_id(state, RESOURCE_GROUP, "pls"),))


TROUBLES = {
    "disabled": Trouble(
        lambda state: setattr(state, "subscription_state", "Disabled"),
        "subscription", "hindrance", "is Disabled"
    ),
    "warned": Trouble(
        lambda state: setattr(state, "subscription_state", "Warned"), "subscription", "hindrance", "is Warned"
    ),
    "past due": Trouble(
        lambda state: setattr(state, "subscription_state", "PastDue"),
        "subscription", "warning", "unpaid bill"
    ),
    "read-only group": Trouble(
        lambda state: authorization.lock(state, group(state), "ReadOnly"),
        "locks", "hindrance", "makes resource group rg-arc read-only", "az lock delete --ids /subscriptions/",
    ),
    "read-only subscription": Trouble(
        lambda state: authorization.lock(state, subscription(state), "ReadOnly"),
        "locks", "hindrance", "makes the subscription read-only",
    ),
    "undeletable": Trouble(
        lambda state: authorization.lock(state, group(state),
        "CanNotDelete"), "locks", "warning", "not removed"
    ),
    "a lock elsewhere": Trouble(
        lambda state: authorization.lock(
            state, f"{group(state)}/providers/Microsoft.Storage/storageAccounts/logs", "ReadOnly"
        ),
        "locks", "ok", "neither",
    ),
    "location denied": Trouble(
        lambda state: authorization.assign(
            state, subscription(state), LOCATIONS, {"listOfAllowedLocations": ["westeurope", "northeurope"]}
        ),
        "policies", "hindrance", "denies machines in eastasia", "by --location or the inventory's column",
    ),
    "location allowed": Trouble(
        lambda state: authorization.assign(
            state, subscription(state), LOCATIONS, {"listOfAllowedLocations": ["East Asia"]}
        ),
        "policies", "ok", "none of 1",
    ),
    "type denied": Trouble(
        denies, "policies", "hindrance", f"denies resources of the type {MACHINES}", "notScopes",
    ),
    "type denied, audited alone": Trouble(
        lambda state: authorization.assign(
            state, group(state), NOT_ALLOWED, {"listOfResourceTypesNotAllowed": [MACHINES], "effect": "Audit"}
        ),
        "policies", "ok", "none",
    ),
    "not enforced": Trouble(
        lambda state: denies(state, enforcementMode="DoNotEnforce"), "policies", "ok", "none of 0"
    ),
    "left out": Trouble(
        lambda state: denies(state, notScopes=[group(state).upper()]), "policies", "ok", "none of 0"
    ),
    "overridden": Trouble(
        lambda state: denies(state, overrides=[{"kind": "policyEffect", "value": "audit"}]),
        "policies", "ok", "none"
    ),
    "selected": Trouble(
        lambda state: denies(state, resourceSelectors=[{"name": "x", "selectors": []}]),
        "policies", "unknown", "resourceSelectors", "az policy assignment list",
    ),
    "exempt": Trouble(exempted, "policies", "ok", "none"),
    "initiative of a management group": Trouble(
        initiative, "policies", "hindrance", "“Corp baseline: Allowed locations” denies machines in eastasia"
    ),
    "tag wanted": Trouble(
        lambda state: authorization.assign(state, group(state), REQUIRE_TAG, {"tagName": "environment"}),
        "policies", "hindrance", "demands tags that are not right: environment (web02)",
        "--tags environment=VALUE",
        two,
    ),
    "tag wanted, no inventory": Trouble(
        lambda state: authorization.assign(state, group(state), REQUIRE_TAG, {"tagName": "environment"}),
        "policies", "unknown", "name the inventory", "az policy assignment list",
    ),
    "tag wanted and added": Trouble(
        lambda state: [
            authorization.assign(state, group(state), one, {"tagName": "environment"})
            for one in (REQUIRE_TAG, INHERIT_TAG)
        ],
        "policies", "unknown", "another policy may add the tags", "", two,
    ),
    "a definition that is gone": Trouble(
        lambda state: authorization.assign(state, group(state), f"{subscription(state)}/providers/x/y/z"),
        "policies", "unknown", "cannot be judged",
    ),
    "names taken": Trouble(taken, "names", "warning", "1 of 2 names are machines", "rename it", two),
    "names free": Trouble(nothing, "names", "ok", "none of the 2 names", "", two),
    "quota": Trouble(nothing, "quota", "unknown", "2 new machines", "az rest", two),
    "no scope": Trouble(
        nothing, "private link scope", "hindrance", "there is no private link scope pls",
        "az resource show", scoped
    ),
    "a scope": Trouble(
        lambda state: private_link.add_scope(state, RESOURCE_GROUP, "pls"),
        "private link scope", "ok", "may be joined", "", scoped,
    ),
    "a closed scope": Trouble(
        lambda state: private_link.add_scope(state, RESOURCE_GROUP, "pls", "Disabled"),
        "private link scope", "warning", "private endpoints alone", "", scoped,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TROUBLES)
async def test_what_is_in_the_way_is_named(twin: Twin, case: str) -> None:
    trouble = TROUBLES[case]
    trouble.make(twin.azure)
    found = await examined(twin, wanted=trouble.wanted(twin.azure))
    checks = [check for check in found.checks if check.name == trouble.name]
    assert [check.answer.value for check in checks] == [trouble.answer], found.checks
    assert trouble.says in checks[0].says
    assert trouble.hint in checks[0].hint


async def test_all_that_hinders_is_told_at_once(twin: Twin) -> None:
    twin.azure.registered["Microsoft.GuestConfiguration"] = False
    twin.azure.registered["Microsoft.HybridConnectivity"] = False
    authorization.lock(twin.azure, group(twin.azure), "ReadOnly")
    denies(twin.azure)
    found = await examined(twin, "reader")
    names = [check.name for check in found.hindrances]
    assert names == ["provider", "provider", "rights", "locks", "policies"]
    error = azure.blocked(found.hindrances)
    assert type(error) is errors.BlockedError
    assert "5 things in Azure hinder: (1) " in error.message
    assert "(5) " in error.hint


async def test_rights_alone_are_a_matter_of_permission(twin: Twin) -> None:
    found = await examined(twin, "reader")
    assert azure.blocked(found.hindrances).exit_code == 4


async def test_the_role_is_given_by_the_commands_own_words(twin: Twin) -> None:
    client = twin.azure.add_client("reader")
    who = azure.with_secret(client.client_id, client.secret)
    async with azure.signed_in(aim(twin), who) as session:
        (hindrance,) = (await azure.examine(session)).hindrances
    assert (
        f"az role assignment create --assignee-object-id {client.object_id} "
        '--assignee-principal-type ServicePrincipal --role "Azure Connected Machine Onboarding" '
        f"--scope {group(twin.azure)}"
    ) in hindrance.hint


async def test_lists_are_read_to_their_end(twin: Twin) -> None:
    twin.azure.page = 2
    for _ in range(4):
        authorization.lock(twin.azure, subscription(twin.azure), "CanNotDelete")
    authorization.lock(twin.azure, group(twin.azure), "ReadOnly")
    found = await examined(twin)
    assert [check.name for check in found.hindrances] == ["locks"]
