"""What an answer at the wire means, whoever gave it: the right error, and advice that fits."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from arcferry import azure, errors
from arcferry.times import to_text
from arcferry_lab.azure.errors import ArmError, EntraError
from arcferry_lab.azure.state import CannedResponse
from arcferry_lab.twin import Twin

from .conftest import aim, principal

pytestmark = pytest.mark.lab

ELSEWHERE = str(UUID(int=7))
MACHINES, GROUP, PROVIDER = "*/machines", "*/resourceGroups/rg-arc", "*/providers/Microsoft.HybridCompute"
TOKEN = "*/oauth2/v2.0/token"


def arm_error(status: int, code: str, message: str = "No.") -> CannedResponse:
    body = ArmError(status, code, message).response().body
    assert isinstance(body, bytes)
    return CannedResponse(body, status)


def entra_error(status: int, error: str, number: int) -> CannedResponse:
    body = EntraError(status, error, number, "Entra's own words.").response().body
    assert isinstance(body, bytes)
    return CannedResponse(body, status)


async def prepared(twin: Twin, **changes: str) -> azure.Preflight:
    async with azure.signed_in(aim(twin, **changes), principal(twin)) as session:
        return await azure.prepare(session)


async def test_a_wrong_subscription_is_no_missing_group(twin: Twin) -> None:
    with pytest.raises(errors.BlockedError) as caught:
        await prepared(twin, subscription_id=ELSEWHERE)
    assert f"there is no subscription {ELSEWHERE}, or this identity cannot see it" in caught.value.message
    assert "--subscription-id" in caught.value.hint
    assert "create" not in caught.value.hint


async def test_a_missing_group_is_made_in_the_same_subscription(twin: Twin) -> None:
    with pytest.raises(errors.BlockedError) as caught:
        await prepared(twin, resource_group="rg(1)")
    subscription = twin.azure.subscription_id
    assert f"resource group rg(1) does not exist in subscription {subscription}" in caught.value.message
    assert f'az group create --subscription {subscription} --name "rg(1)" --location' in caught.value.hint


MISSING = {
    "ResourceNotFound": False,
    "HCRP404": False,
    "ResourceGroupNotFound": True,
    "SubscriptionNotFound": True,
    "InvalidResourceType": True,
}


@pytest.mark.parametrize("code", MISSING)
async def test_only_a_missing_machine_is_none(twin: Twin, code: str) -> None:
    twin.azure.replies["*/machines/web01"] = arm_error(404, code)
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        if MISSING[code]:
            with pytest.raises(errors.NotFoundError):
                await azure.get_machine(session, "web01")
        else:
            assert await azure.get_machine(session, "web01") is None


@pytest.mark.parametrize("role", ["onboarding", "contributor"])
async def test_a_provider_that_is_not_registered_is_named_with_its_command(twin: Twin, role: str) -> None:
    client = twin.azure.add_client(role)
    twin.azure.registered["Microsoft.HybridCompute"] = False
    async with azure.signed_in(aim(twin), azure.with_secret(client.client_id, client.secret)) as session:
        with pytest.raises(errors.BlockedError) as caught:
            await azure.prepare(session)
    subscription = twin.azure.subscription_id
    assert (
        f"subscription {subscription} is not registered for resource provider Microsoft.HybridCompute"
        in caught.value.message
    )
    assert (
        f"az provider register --namespace Microsoft.HybridCompute --subscription {subscription} --wait"
        in caught.value.hint
    )
    assert {call.method for call in twin.azure.journal if "/providers/" in call.path} == {"GET"}


@pytest.mark.parametrize("namespace", ["Microsoft.GuestConfiguration", "Microsoft.HybridConnectivity"])
async def test_three_providers_must_be_registered(twin: Twin, namespace: str) -> None:
    twin.azure.registered[namespace] = False
    with pytest.raises(errors.BlockedError, match=f"not registered for resource provider {namespace}"):
        await prepared(twin)


@pytest.mark.parametrize("answer", [(403, "AuthorizationFailed"), (404, "ResourceGroupNotFound")])
async def test_a_role_or_group_that_was_just_made_is_waited_for(twin: Twin, answer: tuple[int, str]) -> None:
    pattern = "*/providers/microsoft.hybridcompute/machines"
    twin.azure.replies[pattern] = arm_error(*answer)

    def pauses() -> Iterator[float]:
        yield 0.0
        del twin.azure.replies[pattern]
        yield 0.0

    async with azure.signed_in(aim(twin), principal(twin)) as session:
        assert (await azure.prepare(session, pauses=pauses())).machines == {}


async def test_the_wait_for_a_new_role_has_an_end(twin: Twin) -> None:
    twin.azure.replies["*/providers/microsoft.hybridcompute/machines"] = arm_error(403, "AuthorizationFailed")
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        with pytest.raises(errors.PermissionDeniedError):
            await azure.prepare(session, pauses=[0.01, 0.01])
    assert sum(call.path.lower().endswith("/machines") for call in twin.azure.journal) == 3


async def test_a_registration_that_is_under_way(twin: Twin) -> None:
    shown = {"namespace": "Microsoft.HybridCompute", "registrationState": "Registering", "resourceTypes": []}
    twin.azure.replies[PROVIDER] = CannedResponse(json.dumps(shown).encode())
    with pytest.raises(errors.BlockedError, match="is not complete") as caught:
        await prepared(twin)
    assert "--wait" in caught.value.hint


COMPARE = "Compare tenant id, client id and secret"


@dataclass(frozen=True)
class SignIn:
    reply: CannedResponse
    hint: str
    passing: bool = False
    compares: bool = False


PAGE = b"<html><body>Sign in to the network</body></html>"
SIGN_IN = {
    "conditional access": SignIn(entra_error(400, "access_denied", 53003), "Conditional Access"),
    "its second factor": SignIn(entra_error(400, "interaction_required", 50076), "second factor"),
    "disabled": SignIn(entra_error(400, "unauthorized_client", 7000112), "Enable the service principal"),
    "clock": SignIn(entra_error(401, "invalid_client", 700024), "Correct the clock"),
    "restricted 1": SignIn(entra_error(400, "access_denied", 500021), "own proxy"),
    "restricted 2": SignIn(entra_error(400, "access_denied", 500022), "own proxy"),
    "restricted 3": SignIn(entra_error(400, "access_denied", 50002), "own proxy"),
    "tenant": SignIn(entra_error(400, "invalid_tenant", 90002), "Correct --tenant-id"),
    "client": SignIn(entra_error(400, "unauthorized_client", 700016), "Compare the client id"),
    "no principal": SignIn(
        entra_error(401, "invalid_client", 7000229), "no service principal in this tenant"
    ),
    "secret": SignIn(entra_error(401, "invalid_client", 7000215), "value of the secret, not its id"),
    "expired": SignIn(entra_error(401, "invalid_client", 7000222), "have expired"),
    "unknown code": SignIn(entra_error(400, "invalid_request", 987654), "error?code=987654"),
    "passing 90033": SignIn(entra_error(400, "temporarily_unavailable", 90033), "in a few minutes", True),
    "passing 5xx": SignIn(entra_error(500, "server_error", 987654), "in a few minutes", True),
    "too many": SignIn(entra_error(429, "temporarily_unavailable", 987654), "in a few minutes", True),
    "empty 5xx": SignIn(CannedResponse(b"", 502), "answered in Azure's place", True),
    "a gateway's 200": SignIn(CannedResponse(PAGE, 200, "text/html"), "answered in Azure's place", True),
    "a gateway's 403": SignIn(CannedResponse(PAGE, 403, "text/html"), "answered in Azure's place", True),
    "a gateway's lie": SignIn(CannedResponse(PAGE, 200), "answered in Azure's place", True),
    "no token": SignIn(
        CannedResponse(b'{"token_type": "Bearer", "expires_in": 3600}'), "in Azure's place", True
    ),
    "no life": SignIn(
        CannedResponse(b'{"token_type": "Bearer", "access_token": "x"}'), "in Azure's place", True
    ),
    "no code": SignIn(CannedResponse(b'{"error": "invalid_client"}', 401), COMPARE, compares=True),
}


@pytest.mark.parametrize("case", SIGN_IN)
async def test_the_advice_fits_what_entra_said(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setattr("arcferry.azure.session.RETRIES", 0)
    wanted = SIGN_IN[case]
    twin.azure.replies[TOKEN] = wanted.reply
    with pytest.raises(errors.SignInError) as caught:
        await prepared(twin)
    assert wanted.hint in caught.value.hint
    assert (COMPARE in caught.value.hint) == wanted.compares
    assert isinstance(caught.value, errors.AzureUnavailableError) == wanted.passing
    assert caught.value.exit_code == 4
    for sign in ("{", "Content:", "Trace ID", "object has no attribute", "<html"):
        assert sign not in caught.value.message


async def test_a_passing_fault_of_entras_is_waited_out(twin: Twin) -> None:
    await twin.add_fault("entra/unavailable", times=2)
    assert (await prepared(twin)).machines == {}


DEEP = b"[" * 100_000
HUGE = b'{"value": ' + b"9" * 5000 + b"}"
BODIES = {
    "null": b"null",
    "true": b"true",
    "a number": b"7",
    "a text": b'"x"',
    "a list": b"[1,2]",
    "nothing": b"",
    "no JSON": b"<html>",
    "no UTF-8": b'{"value": "\xff\xfe"}',
    "cut": b'{"value": [',
    "an object": b"{}",
    "null value": b'{"value": null}',
    "null in value": b'{"value": [null]}',
    "numbers in value": b'{"value": [1, 2]}',
    "a list in value": b'{"value": [[]]}',
    "an object for value": b'{"value": {"a": 1}}',
    "a nameless machine": b'{"value": [{"properties": {}}]}',
    "a numbered machine": b'{"value": [{"name": 5, "id": 6}]}',
    "an error": b'{"error": {"code": "X", "message": "y"}}',
    "deep": DEEP,
    "huge": HUGE,
}
PLACES = {"list": MACHINES, "group": GROUP, "provider": PROVIDER, "token": TOKEN}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("body", BODIES)
async def test_whatever_azure_answers_ends_in_an_error_of_azures(twin: Twin, place: str, body: str) -> None:
    twin.azure.replies[PLACES[place]] = CannedResponse(BODIES[body])
    with pytest.raises(errors.AzureError) as caught:
        await prepared(twin)
    assert isinstance(caught.value, errors.AzureUnavailableError | errors.SignInError)
    assert caught.value.hint
    for sign in ("NoneType", "object has no", "Expecting", "{", "\\x"):
        assert sign not in caught.value.message + caught.value.hint


STATUSES = (201, 204, 302, 400, 401, 403, 404, 409, 418, 500, 502)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("body", ["nothing", "no JSON", "a list", "null", "an object"])
async def test_a_refusal_without_a_code_of_azures_is_no_word_of_azures(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, status: int, body: str
) -> None:
    monkeypatch.setattr("arcferry.azure.session.RETRIES", 0)
    content = b"" if status == 204 else BODIES[body]
    twin.azure.replies["*/machines/web01"] = CannedResponse(
        content, status, "text/html" if body == "no JSON" else ""
    )
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        with pytest.raises(errors.AzureUnavailableError) as caught:
            await azure.get_machine(session, "web01")
    assert "answered in Azure's place" in caught.value.hint


WRONG_FIELDS = {
    "status": 5,
    "agentVersion": ["1.67"],
    "vmId": {"a": 1},
    "lastStatusChange": 10**30,
    "osSku": False,
    "machineFqdn": None,
}


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, 10**30, True])
async def test_a_field_of_another_type_reads_as_not_said(twin: Twin, value: object) -> None:
    fields = dict.fromkeys(WRONG_FIELDS, value) if value != "x" else WRONG_FIELDS
    tags = {"a": value} if value == [] else value
    shown = {"name": "web01", "id": "/x", "location": value, "tags": tags, "properties": fields}
    twin.azure.replies[MACHINES] = CannedResponse(json.dumps({"value": [shown]}).encode())
    machine = (await prepared(twin)).machines["web01"]
    assert (machine.status, machine.agent_version, machine.vm_id, machine.os) == ("", "", "", "")
    assert machine.last_status_change is None
    assert machine.tags == ({"a": ""} if value == [] else {})


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-11-23T09:02:03.1234567+08:00", "2026-11-23T01:02:03Z"),
        ("0001-01-01T00:00:00Z", ""),  # how .NET writes that there is none
        ("9999-12-31T23:59:59-12:00", ""),
        ("9999-12-31T23:59:59Z", ""),
        ("yesterday", ""),
    ],
)
async def test_an_instant_that_none_can_be_reads_as_not_said(twin: Twin, said: str, read: str) -> None:
    shown = {"name": "web01", "id": "/x", "properties": {"lastStatusChange": said}}
    twin.azure.replies[MACHINES] = CannedResponse(json.dumps({"value": [shown]}).encode())
    found = (await prepared(twin)).machines["web01"].last_status_change
    assert (to_text(found) if found else "") == read


@pytest.mark.parametrize("properties", [None, 7, "x", []])
async def test_a_machine_without_properties_is_one_of_which_nothing_is_said(
    twin: Twin, properties: object
) -> None:
    shown = {"name": "web01", "id": "/x", "properties": properties}
    twin.azure.replies[MACHINES] = CannedResponse(json.dumps({"value": [shown]}).encode())
    assert (await prepared(twin)).machines["web01"].vm_id == ""


async def test_a_list_that_does_not_end(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcferry.azure.machines.MOST_PAGES", 3)
    link = f"{twin.azure.arm_url}/again/machines"
    twin.azure.replies[MACHINES] = CannedResponse(json.dumps({"value": [], "nextLink": link}).encode())
    with pytest.raises(errors.AzureUnavailableError, match="does not end"):
        await prepared(twin)


async def test_a_link_that_leads_away_is_not_followed(twin: Twin) -> None:
    link = "https://127.0.0.1:9/machines"
    twin.azure.replies[MACHINES] = CannedResponse(json.dumps({"value": [], "nextLink": link}).encode())
    with pytest.raises(errors.AzureError, match="leads away from Resource Manager"):
        await prepared(twin)


@pytest.mark.parametrize("life", ["3600", 10**30, "soon", -1, None, 1e308])
async def test_a_life_of_a_token_that_none_has(twin: Twin, life: object) -> None:
    answer = {"token_type": "Bearer", "expires_in": life, "access_token": "x" * 20}
    twin.azure.replies[TOKEN] = CannedResponse(json.dumps(answer).encode())
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        if life in {"3600", -1}:
            assert (await session.token()).text
            return
        with pytest.raises(errors.AzureUnavailableError):
            await session.token()


@pytest.mark.parametrize("text", ["a\nb", "", 7, ["x"], None, "é", "x y"])
async def test_a_token_that_no_header_takes(twin: Twin, text: object) -> None:
    answer = {"token_type": "Bearer", "expires_in": 3600, "access_token": text}
    twin.azure.replies[TOKEN] = CannedResponse(json.dumps(answer).encode())
    with pytest.raises(errors.SignInUnavailableError):
        await prepared(twin)


REFUSALS = {
    "RequestDisallowedByPolicy": (403, "have an exemption made. arcferry explain arm/policy-forbids has"),
    "ScopeLocked": (409, "arcferry explain arm/locked has"),
    "InvalidAuthenticationTokenTenant": (401, "compare --tenant-id and --subscription-id, and the cloud"),
    "ReadOnlyDisabledSubscription": (409, "Have the subscription enabled again"),
    "ATermThatNobodyKnows": (404, "Compare the name"),
}


@pytest.mark.parametrize("code", REFUSALS)
async def test_the_causes_have_the_way_out_of_what_resource_manager_refuses(twin: Twin, code: str) -> None:
    status, hint = REFUSALS[code]
    twin.azure.replies["*/machines/web01"] = arm_error(status, code)
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        with pytest.raises(errors.AzureError) as caught:
            await azure.get_machine(session, "web01")
    assert hint in caught.value.hint


async def test_a_gateways_page_is_named_with_the_host_it_stands_before(twin: Twin) -> None:
    twin.azure.replies["*/machines/web01"] = CannedResponse(PAGE, 403, "text/html")
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        with pytest.raises(errors.AzureUnavailableError) as caught:
            await azure.get_machine(session, "web01")
    assert "answered in Azure's place" in caught.value.hint
    host = urlsplit(twin.azure.arm_url).hostname
    assert f"Exempt {host} from the page" in caught.value.hint
