"""Changes that go on after their answer, conditions on them, and what is refused before any handler."""

import pytest
from tests.lab.azure.control import Control

from arcferry_lab.azure.roles import ROLES

pytestmark = pytest.mark.lab
FILTER = "Microsoft.Network/routeFilters/rf-other"
OWN = "Microsoft.Network/routeFilters/rf-microsoft-peering"
LICENSE = "Microsoft.HybridCompute/licenses/esu"
BODY = {"location": "eastasia"}
GROUP = "resourceGroups/rg-new"


async def test_an_operation_is_running_as_often_as_it_was_told(control: Control) -> None:
    control.twin.azure.plane.looks = 3
    begun = await control.ask("PUT", FILTER, BODY)
    seen = [(await control.follow(begun.headers["Azure-AsyncOperation"])).body["status"] for _ in range(5)]
    assert seen == ["InProgress"] * 3 + ["Succeeded"] * 2


async def test_looking_at_the_resource_alone_moves_its_operation_too(control: Control) -> None:
    await control.ask("PUT", FILTER, BODY)
    seen = [(await control.ask("GET", FILTER)).body["properties"]["provisioningState"] for _ in range(2)]
    assert seen == ["Updating", "Succeeded"]


async def test_what_is_being_changed_takes_no_other_change(control: Control) -> None:
    await control.ask("PUT", FILTER, BODY)
    for method in ("PUT", "DELETE"):
        answer = await control.ask(method, FILTER, BODY if method == "PUT" else None)
        assert (answer.status, answer.code) == (409, "AnotherOperationInProgress")


async def test_an_operation_that_nobody_began(control: Control) -> None:
    place = "providers/Microsoft.Network/locations/eastasia/{}/0"
    for kind in ("operations", "operationResults"):
        answer = await control.ask("GET", place.format(kind))
        assert (answer.status, answer.code) == (404, "OperationNotFound")


async def test_a_condition_holds_for_what_was_seen(control: Control) -> None:
    seen = (await control.ask("GET", OWN)).body
    changed = await control.ask("PATCH", OWN, {"tags": {"site": "one"}}, If_Match=seen["etag"])
    assert (changed.status, changed.body["etag"] == seen["etag"]) == (200, False)
    for method, body in (("PATCH", {"tags": {}}), ("PUT", seen), ("DELETE", None)):
        late = await control.ask(method, OWN, body, If_Match=seen["etag"])
        assert (late.status, late.code) == (412, "PreconditionFailed"), method
    again = await control.ask("PUT", OWN, seen, If_None_Match="*")
    assert (again.status, again.code) == (412, "PreconditionFailed")
    missing = await control.ask("PUT", FILTER, BODY, If_Match="*")
    assert (missing.status, missing.code) == (412, "PreconditionFailed")
    assert (await control.ask("PUT", FILTER, BODY, If_None_Match="*")).status == 201


@pytest.mark.parametrize(
    ("path", "version", "status", "code", "says"),
    [
        (OWN, "2024-05-02", 400, "NoRegisteredProviderFound", "for type 'routeFilters'"),
        (LICENSE, "2020-01-01", 400, "NoRegisteredProviderFound", "'2026-09-01, 2026-07-15"),
        (OWN, "latest", 400, "InvalidApiVersionParameter", "'latest' is invalid"),
        ("resourceGroups/rg-arc", "2025-01-13", 400, "InvalidApiVersionParameter", "are '2025-04-01,"),
        ("resources", "2011-01-01", 400, "InvalidApiVersionParameter", "'2011-01-01' is invalid"),
        ("/tenants", "2022-12-01", 200, "", ""),
        ("resourceGroups/rg-arc", "2021-04-01", 200, "", ""),
    ],
)
async def test_an_api_version_that_is_not_there(
    *, control: Control, path: str, version: str, status: int, code: str, says: str
) -> None:
    answer = await control.ask("GET", path, version=version)
    assert (answer.status, answer.code) == (status, code)
    assert says in str(answer.body)


async def test_a_provider_shows_the_versions_that_it_takes(control: Control) -> None:
    answer = await control.ask("GET", "providers/Microsoft.Network", version="2021-04-01")
    assert "2024-05-01" in answer.body["resourceTypes"][0]["apiVersions"]


async def test_a_group_is_deleting_until_it_is_gone(control: Control) -> None:
    await control.ask("PUT", GROUP, BODY)
    place = f"{control.place(GROUP)}/providers/{LICENSE}"
    await control.ended(await control.ask("PUT", place, BODY))
    begun = await control.ask("DELETE", GROUP)
    assert (begun.status, begun.headers["Retry-After"]) == (202, "1")
    refused = await control.ask("PUT", place, BODY)
    assert (refused.status, refused.code) == (409, "ResourceGroupBeingDeleted")
    assert (await control.ask("DELETE", GROUP)).headers["Location"] == begun.headers["Location"]
    shown = await control.ask("GET", GROUP)
    assert shown.body["properties"]["provisioningState"] == "Deleting"
    assert (await control.follow(begun.headers["Location"])).status == 200
    assert (await control.ask("GET", GROUP)).code == "ResourceGroupNotFound"
    await control.ask("PUT", GROUP, BODY)
    assert (await control.ask("GET", place)).code == "ResourceNotFound"


async def test_a_tag_of_a_group_is_changed(control: Control) -> None:
    answer = await control.ask("PATCH", "resourceGroups/rg-arc", {"tags": {"site": "one"}})
    assert answer.body["tags"] == {"site": "one"}


@pytest.mark.parametrize(("level", "writes"), [("CanNotDelete", 200), ("ReadOnly", 409)])
async def test_a_lock_holds_for_all_that_lies_in_its_scope(control: Control, level: str, writes: int) -> None:
    control.twin.client.roles = (ROLES["owner"],)
    lock = control.place("Microsoft.Authorization/locks/keep")
    await control.ask("PUT", lock, {"properties": {"level": level}})
    for path in ("resourceGroups/rg-arc", OWN):
        answer = await control.ask("DELETE", path)
        assert (answer.status, answer.code) == (409, "ScopeLocked")
    assert (await control.ask("PATCH", OWN, {"tags": {}})).status == writes
    assert (await control.ask("GET", OWN)).status == 200
    await control.ask("DELETE", lock)
    assert (await control.ask("DELETE", OWN)).code == "InUseRouteFilterCannotBeDeleted"


async def test_a_role_that_is_new_settles_anew(control: Control) -> None:
    azure = control.twin.azure
    control.twin.client.roles = (ROLES["owner"],)
    client = azure.add_client("none")
    other = Control(control.twin, control.browser, await control.browser.token(client))
    assert (await other.ask("GET", "resources")).status == 403
    await control.twin.add_fault("arm/role-settling")
    azure.plane.refused[control.twin.client.client_id] = azure.plane.refused[client.client_id] = 3
    role = {"roleDefinitionId": "/x/acdd72a7-3385-48ef-bd42-f606fba81ae7", "principalId": client.object_id}
    await control.ask("PUT", "Microsoft.Authorization/roleAssignments/0", {"properties": role})
    assert [(await other.ask("GET", "resources")).status for _ in range(4)] == [403, 403, 403, 200]
