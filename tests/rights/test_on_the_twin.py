"""Each task with exactly its rights, and without each one that arcferry itself uses."""

import asyncio
import os
import subprocess
from typing import Any

import pytest
from azure.core.rest import HttpRequest
from tests import forked
from tests.azure.conftest import aim

from arcferry import azure, rights
from arcferry.azure import AzureSession, CheckStatus
from arcferry.azure.mapping import translated
from arcferry.errors import PermissionDeniedError
from arcferry.rights import Scope, User
from arcferry_lab.azure import authorization
from arcferry_lab.azure.ids import CIRCUIT, peering_id
from arcferry_lab.azure.rights import granted as role_of
from arcferry_lab.azure.state import ROUTE_FILTER, Application, ArcMachine
from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import RESOURCE_GROUP, Twin

pytestmark = pytest.mark.lab

UPDATE = ("data", "update", "--circuit", CIRCUIT, "--route-filter-name", ROUTE_FILTER, "--from", "arm")
SHOW = ("circuits", "show", "--circuit", CIRCUIT)
OWN = [
    (SHOW if "/peerings/" in right.action else UPDATE, right.action)
    for task in rights.rights().task
    for right in task.rights
    if right.by is User.ARCFERRY and task.name in {"data", "circuits"}
]


def granted(twin: Twin, *names: str, without: str = "") -> Application:
    """An application with the rights of these tasks, each on its own scope."""
    place = rights.Place(twin.azure.subscription_id, RESOURCE_GROUP)
    grants = []
    for task in map(rights.task, names):
        # The twin's circuit lies in the group of the machines.
        scope = Scope.SUBSCRIPTION if task.scope is Scope.SUBSCRIPTION else Scope.GROUP
        actions = tuple(action for action in task.actions if action != without)
        grants.append(role_of(actions, place.scope(scope)))
    return twin.azure.add_client_with(*grants)


def signed_in_as(twin: Twin, client: Application) -> "Any":  # noqa: ANN401 - a context manager of the session
    return azure.signed_in(aim(twin), azure.with_secret(client.client_id, client.secret))


def put_machine(twin: Twin, name: str) -> None:
    twin.azure.machines[RESOURCE_GROUP, name] = ArcMachine(
        RESOURCE_GROUP, name, "eastasia", {}, {"vmId": "v"}
    )


def allow_here(twin: Twin) -> None:
    """Assign the built-in policy Allowed locations, with the twin's own."""
    group = f"/subscriptions/{twin.azure.subscription_id}/resourceGroups/{RESOURCE_GROUP}"
    values = {"listOfAllowedLocations": [twin.azure.location]}
    authorization.assign(twin.azure, group, "e56962a6-4747-49cd-b67b-bf8b01975c4c", values)


def refused(twin: Twin) -> list[str]:
    return [call.path for call in twin.azure.journal if call.status == 403]


async def asked(twin: Twin, client: Application, *command: str) -> tuple[int, str]:
    """What a command that reads what Azure has makes of it."""
    twin.azure.plane.retry_after = 0
    environment = os.environ | lab_document(twin)["environment"] | {"AZURE_CLIENT_SECRET": client.secret}
    del environment["ARCFERRY_SECRET_FILE"]
    environment["ARCFERRY_CLIENT_ID"] = client.client_id
    line = [*forked.arcferry(), *command, "--output", "json"]
    done = await asyncio.to_thread(
        subprocess.run, line, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("command", [UPDATE, SHOW], ids=["data update", "circuits show"])
async def test_data_and_circuits_are_enough(twin: Twin, command: tuple[str, ...]) -> None:
    code, told = await asked(twin, granted(twin, "data", "circuits"), *command)
    assert (code, refused(twin)) == (0, []), told


@pytest.mark.parametrize(("command", "action"), OWN)
async def test_without_one_of_its_rights_a_command_names_it(
    twin: Twin, command: tuple[str, ...], action: str
) -> None:
    code, told = await asked(twin, granted(twin, "data", "circuits", without=action), *command)
    assert code != 0
    assert action in told


async def test_circuits_is_enough_for_the_tables_that_reader_cannot_ask_for(twin: Twin) -> None:
    task = rights.task("circuits")
    tables = [right.action.split("/")[-2] for right in task.rights if right.action.endswith("/action")]
    client = granted(twin, "circuits")
    reader = twin.azure.add_client("reader")

    async def ask(session: AzureSession, table: str) -> int:
        url = f"{twin.azure.arm_url}{peering_id(twin.azure)}/{table}/primary?api-version=2024-05-01"
        response = await session.resources.send_request(HttpRequest("POST", url))
        return int(response.status_code)

    assert len(tables) == 3
    async with signed_in_as(twin, client) as session, signed_in_as(twin, reader) as other:
        for table in tables:
            assert await ask(session, table) in {200, 202}, table
            assert await ask(other, table) == 403, "Reader would be enough"


async def test_verify_is_enough_to_see_a_machine_and_no_more(twin: Twin) -> None:
    put_machine(twin, "web01")
    async with signed_in_as(twin, granted(twin, "verify")) as session:
        found = await azure.get_machine(session, "web01")
        assert found is not None
        with pytest.raises(PermissionDeniedError, match="machines/delete"), translated("delete"):
            await session.machines.machines.begin_delete(RESOURCE_GROUP, "web01")
    async with signed_in_as(
        twin, granted(twin, "verify", without="Microsoft.HybridCompute/machines/read")
    ) as session:
        with pytest.raises(PermissionDeniedError) as caught:
            await azure.get_machine(session, "web01")
    assert "Microsoft.HybridCompute/machines/read" in caught.value.message
    assert f"resourceGroups/{RESOURCE_GROUP}" in caught.value.message


async def test_verify_is_enough_for_resource_graph(twin: Twin) -> None:
    put_machine(twin, "web01")
    async with signed_in_as(twin, granted(twin, "verify")) as session:
        assert [machine.name for machine in await azure.graph_machines(session)] == ["web01"]
    lacking = granted(twin, "verify", without="Microsoft.HybridCompute/machines/read")
    async with signed_in_as(twin, lacking) as session:
        assert await azure.graph_machines(session) == []


async def test_a_right_on_one_group_is_none_on_another(twin: Twin) -> None:
    twin.azure.add_group("rg-other")
    client = granted(twin, "verify")
    principal = azure.with_secret(client.client_id, client.secret)
    async with azure.signed_in(aim(twin, resource_group="rg-other"), principal) as session:
        with pytest.raises(PermissionDeniedError, match="resourceGroups/rg-other"):
            await azure.list_machines(session)


async def test_offboard_is_enough_to_take_a_machine_and_its_extensions_away(twin: Twin) -> None:
    put_machine(twin, "web01")
    async with signed_in_as(twin, granted(twin, "offboard")) as session:
        place = f"{session.target.machine_id('web01')}/extensions/one"
        kind = "Microsoft.HybridCompute/machines/extensions"
        twin.azure.plane.documents[place.lower()] = {
            "id": place, "name": "one", "type": kind, "location": "eastasia", "tags": {},
            "properties": {"publisher": "p", "type": "t"}, "changed": "2026-11-29T00:00:00Z",
        }  # fmt: skip
        assert await azure.list_extensions(session, "web01") == ("one",)
        await azure.delete_extension(session, "web01", "one")
        assert await azure.list_extensions(session, "web01") == ()
        await azure.delete_machine(session, "web01")
        assert await azure.get_machine(session, "web01") is None
    assert refused(twin) == []


async def test_tags_is_enough_to_set_them_and_no_more(twin: Twin) -> None:
    put_machine(twin, "web01")
    async with signed_in_as(twin, granted(twin, "tags")) as session:
        found = await azure.set_machine_tags(session, "web01", {"site": "tpe"})
        assert found.tags == {"site": "tpe"}
        with pytest.raises(PermissionDeniedError, match="machines/delete"):
            await azure.delete_machine(session, "web01")


async def test_preflight_is_enough_for_every_question_of_it(twin: Twin) -> None:
    allow_here(twin)
    async with signed_in_as(twin, granted(twin, "preflight")) as session:
        found = await azure.examine(session)
    answers = {check.name: check.answer for check in found.checks}
    # When a secret ends stands in Microsoft Graph; and who may look only may not make machines.
    assert answers.pop("credential") is CheckStatus.UNKNOWN
    assert answers.pop("rights") is CheckStatus.HINDRANCE
    assert set(answers.values()) == {CheckStatus.OK}
    assert refused(twin) == []


async def test_onboard_beside_preflight_lets_a_run_begin(twin: Twin) -> None:
    async with signed_in_as(twin, granted(twin, "preflight", "onboard")) as session:
        assert (await azure.prepare(session)).hindrances == ()


async def test_each_right_of_preflight_is_asked_for(twin: Twin) -> None:
    allow_here(twin)
    # These two are asked where an initiative is assigned, and where a scope is to be joined.
    spared = {
        "Microsoft.Authorization/policySetDefinitions/read",
        "Microsoft.HybridCompute/privateLinkScopes/read",
    }
    for action in set(rights.task("preflight").actions) - spared:
        twin.azure.journal.clear()
        async with signed_in_as(twin, granted(twin, "preflight", "onboard", without=action)) as session:
            await azure.examine(session)
        assert refused(twin), f"nobody asks for {action}"


async def test_register_is_enough_to_register_and_nothing_else(twin: Twin) -> None:
    namespaces = ("Microsoft.HybridCompute", "Microsoft.GuestConfiguration", "Microsoft.HybridConnectivity")
    twin.azure.registered.update(dict.fromkeys(namespaces, False))
    async with signed_in_as(twin, granted(twin, "register")) as session:
        for namespace in namespaces:
            await session.resources.providers.register(namespace)
            assert (await session.resources.providers.get(namespace)).registration_state == "Registered"
        with pytest.raises(PermissionDeniedError), translated("unregister"):
            await session.resources.providers.unregister("Microsoft.HybridCompute")
