"""Whatever is answered to any request of the preflight ends in an error of Azure's, or in a check."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest
from tests.azure.conftest import aim

from arcferry import azure, errors
from arcferry_lab.azure import authorization, private_link
from arcferry_lab.azure.state import CannedResponse
from arcferry_lab.twin import RESOURCE_GROUP, Twin

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

Examined = Callable[[], Awaitable[azure.Preflight]]

BUILT_IN = "/providers/Microsoft.Authorization/policyDefinitions/871b6d14-10aa-478d-b590-94f262ecfa99"
REQUESTS = {
    "subscription": "/subscriptions/????????-????-????-????-????????????",
    "permissions": "*/microsoft.authorization/permissions",
    "locks": "*/microsoft.authorization/locks",
    "assignments": "*/policyassignments",
    "exemptions": "*/policyexemptions",
    "definition": BUILT_IN,
    "initiative": "*/policysetdefinitions/base",
    "scope": "*/privatelinkscopes/pls",
}
BODIES = {
    "null": b"null",
    "a number": b"7",
    "a list": b"[1, 2]",
    "nothing": b"",
    "no JSON": b"<html>",
    "no UTF-8": b'{"value": "\xff\xfe"}',
    "an object": b"{}",
    "null in value": b'{"value": [null]}',
    "an object for value": b'{"value": {"a": 1}}',
    "deep": b"[" * 50_000,
    "huge": b'{"value": ' + b"9" * 5000 + b"}",
    "a link that is none": b'{"value": [], "nextLink": 5}',
    "a link that leads away": b'{"value": [], "nextLink": "https://127.0.0.1:9/x"}',
}
ODD = (None, 7, "x", [], {}, [None], [7], ["x"], {"a": None}, {"a": {"value": 7}}, [{"a": 1}], 10**30, True)
FIELDS = {
    "subscription": ("displayName", "tenantId"),
    "permissions": ("actions", "notActions"),
    "locks": ("id", "name", "properties"),
    "assignments": ("id", "name", "properties"),
    "exemptions": ("id", "properties"),
    "definition": ("name", "properties"),
    "initiative": ("name", "properties"),
    "scope": ("properties", "location"),
}
PROPERTIES = (
    "displayName", "policyDefinitionId", "parameters", "notScopes", "enforcementMode", "overrides",
    "resourceSelectors", "policyRule", "mode", "policyDefinitions", "policyAssignmentId", "expiresOn",
    "policyDefinitionReferenceIds", "level", "publicNetworkAccess",
)  # fmt: skip


@pytest.fixture
def furnished(twin: Twin) -> Twin:
    """Something of each kind, so that each request is made."""
    state = twin.azure
    subscription = f"/subscriptions/{state.subscription_id}"
    private_link.add_scope(state, RESOURCE_GROUP, "pls")
    members = [{"policyDefinitionId": BUILT_IN, "parameters": {"tagName": {"value": "a"}}}]
    made = authorization.put(
        state, subscription, authorization.INITIATIVES, "base", {"policyDefinitions": members}
    )
    authorization.assign(state, subscription, str(made["id"]))
    return twin


@pytest.fixture
async def examined(furnished: Twin) -> AsyncIterator[Examined]:
    """A preflight by one who has signed in already."""
    client = furnished.azure.add_client("reader")
    scope = private_link.scope_id(furnished.azure, RESOURCE_GROUP, "pls")
    who = azure.with_secret(client.client_id, client.secret)
    async with azure.signed_in(aim(furnished), who) as session:
        yield partial(azure.examine, session, wanted=azure.Wanted({"web01": {}}, (scope,)))


async def tried(twin: Twin, examined: Examined, request: str, body: bytes) -> None:
    twin.azure.replies = {REQUESTS[request]: CannedResponse(body)}
    try:
        told = " ".join(f"{check.says} {check.hint}" for check in (await examined()).checks)
    except errors.AzureError as error:
        told = f"{error.message} {error.hint}"
    for sign in ("NoneType", "object has no", "Expecting", "\\x", "Traceback", "<html"):
        assert sign not in told, (request, body[:40])


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_a_body_that_is_not_azures(furnished: Twin, examined: Examined, request_name: str) -> None:
    for body in BODIES.values():
        await tried(furnished, examined, request_name, body)


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_a_field_that_is_not_azures(furnished: Twin, examined: Examined, request_name: str) -> None:
    """All fields are odd at once: what fails at the first is found with the rest of its own kind."""
    for odd in ODD:
        one = dict.fromkeys(FIELDS[request_name], odd) | {"state": "Enabled"}
        one["properties"] = dict.fromkeys(PROPERTIES, odd) if odd != 7 else odd
        one["id"] = f"/subscriptions/{furnished.azure.subscription_id}" if odd == "x" else one.get("id")
        whole = (
            one if request_name in {"subscription", "definition", "initiative", "scope"} else {"value": [one]}
        )
        await tried(furnished, examined, request_name, json.dumps(whole).encode())


REFUSED = {
    "permissions": "rights", "locks": "locks", "assignments": "policies", "definition": "policies",
    "subscription": "subscription",
}  # fmt: skip


@pytest.mark.parametrize("request_name", REFUSED)
async def test_what_is_refused_is_unknown_with_the_command_that_tells(
    furnished: Twin, examined: Examined, request_name: str
) -> None:
    body = json.dumps({"error": {"code": "AuthorizationFailed", "message": "No."}}).encode()
    furnished.azure.replies = {REQUESTS[request_name]: CannedResponse(body, 403)}
    checks = [one for one in (await examined()).checks if one.name == REFUSED[request_name]]
    assert {check.answer.value for check in checks} == {"unknown"}
    assert all("An owner of the subscription can tell: az " in check.hint for check in checks)
