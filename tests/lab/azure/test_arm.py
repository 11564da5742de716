from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from arcferry_lab.azure.state import CannedResponse
from arcferry_lab.azure.tokens import TokenSigner
from arcferry_lab.twin import RESOURCE_GROUP, Twin

if TYPE_CHECKING:
    from tests.lab.conftest import Browser

pytestmark = pytest.mark.lab
AUDIENCE = "https://management.azure.com"


def url(twin: Twin, rest: str = "", *, group: str = RESOURCE_GROUP, version: str = "2024-07-01") -> str:
    base = f"https://management.azure.com/subscriptions/{twin.azure.subscription_id}/resourceGroups/{group}"
    return f"{base}{rest}?api-version={version}"


def machine_url(twin: Twin, name: str = "web01", **options: str) -> str:
    path = f"/providers/Microsoft.HybridCompute/machines/{name}"
    return url(twin, path, **({"version": "2025-01-13"} | options))


def body(**changes: object) -> dict[str, Any]:
    return {"location": "eastasia", "properties": {"vmId": str(uuid4())}} | changes


def token(twin: Twin, signer: TokenSigner | None = None, **changes: object) -> str:
    fields = {
        "tenant": twin.azure.tenant_id,
        "client": twin.client.client_id,
        "object_id": "o",
        "audience": AUDIENCE,
    }
    return (signer or twin.azure.signer).access_token(**(fields | changes))


async def test_each_way_in_which_a_token_can_be_wrong(twin: Twin, browser: "Browser") -> None:
    wrong = {
        "": "AuthenticationFailed",
        "garbage": "InvalidAuthenticationToken",
        token(twin, TokenSigner()): "InvalidAuthenticationToken",
        token(twin, life=timedelta(seconds=-1)): "ExpiredAuthenticationToken",
        token(twin, audience="https://graph.microsoft.com"): "InvalidAuthenticationTokenAudience",
        token(twin, tenant=str(uuid4())): "InvalidAuthenticationTokenTenant",
        token(twin, client=str(uuid4())): "InvalidAuthenticationTokenTenant",
    }
    for bearer, code in wrong.items():
        status, answer, headers = await browser.ask("GET", url(twin), token=bearer)
        assert (status, answer["error"]["code"]) == (401, code)
        assert twin.azure.tenant_id in headers["WWW-Authenticate"]
    assert (await browser.ask("GET", url(twin), token=token(twin)))[0] == 200


async def test_what_is_asked_wrongly_has_arms_code(twin: Twin, browser: "Browser") -> None:
    good = token(twin)
    elsewhere = machine_url(twin).replace(twin.azure.subscription_id, str(uuid4()))
    cases: list[tuple[str, str, object, int, str]] = [
        ("GET", machine_url(twin), None, 404, "ResourceNotFound"),
        ("GET", machine_url(twin, group="rg-none"), None, 404, "ResourceGroupNotFound"),
        ("PUT", machine_url(twin, group="rg-none"), body(), 404, "ResourceGroupNotFound"),
        ("GET", elsewhere, None, 404, "SubscriptionNotFound"),
        ("GET", machine_url(twin, version=""), None, 400, "MissingApiVersionParameter"),
        ("GET", machine_url(twin, version="latest"), None, 400, "InvalidApiVersionParameter"),
        ("PUT", machine_url(twin), body(location=""), 400, "LocationRequired"),
        ("PUT", machine_url(twin), body(location="mars"), 400, "LocationNotAvailableForResourceType"),
        ("PUT", machine_url(twin), body(properties=[]), 200, ""),
        ("PUT", machine_url(twin), body(properties="x"), 400, "InvalidRequestContent"),
        ("PUT", machine_url(twin), ["no", "object"], 400, "InvalidRequestContent"),
        ("PUT", machine_url(twin, "x" * 55), body(), 400, "InvalidResourceName"),
        ("PUT", machine_url(twin, "a%20b"), body(), 400, "InvalidResourceName"),
        ("PUT", machine_url(twin), body(tags={str(n): "" for n in range(51)}), 400, "TooManyTags"),
        ("PUT", machine_url(twin), body(location="japaneast"), 409, "InvalidResourceLocation"),
        (
            "GET",
            "https://management.azure.com/nothing?api-version=2024-07-01",
            None,
            404,
            "InvalidResourceType",
        ),
    ]
    for method, path, content, status, code in cases:
        answer = await browser.ask(method, path, token=good, body=content)
        assert (answer[0], answer[1].get("error", {}).get("code", "")) == (status, code), (method, path)


async def test_names_are_the_same_in_any_letter_case(twin: Twin, browser: "Browser") -> None:
    good = token(twin)
    await browser.ask("PUT", machine_url(twin, "Web01"), token=good, body=body())
    path = machine_url(twin, "WEB01", group=RESOURCE_GROUP.upper()).replace("machines", "MACHINES")
    status, answer, _ = await browser.ask("GET", path, token=good)
    assert (status, answer["name"]) == (200, "Web01")
    assert (await browser.ask("DELETE", path, token=good))[0] == 204
    assert (await browser.ask("GET", path, token=good))[0] == 404


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("contributor", {"GET", "PUT", "DELETE"}),
        ("onboarding", {"GET", "PUT"}),
        ("reader", {"GET"}),
        ("none", set()),
    ],
)
async def test_a_role_decides(twin: Twin, browser: "Browser", role: str, allowed: set[str]) -> None:
    await browser.ask("PUT", machine_url(twin), token=token(twin), body=body())
    bearer = await browser.token(twin.azure.add_client(role))
    for method in ("GET", "PUT", "DELETE"):
        vm_id = twin.azure.machines[RESOURCE_GROUP, "web01"].vm_id
        content = body(properties={"vmId": vm_id}) if method == "PUT" else None
        status, answer, _ = await browser.ask(method, machine_url(twin), token=bearer, body=content)
        assert (status < 300) == (method in allowed)
        if method not in allowed:
            assert (status, answer["error"]["code"]) == (403, "AuthorizationFailed")


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("namespace", ["HybridCompute/machines/web01", "Network/routeFilters/x"])
async def test_an_unregistered_provider_answers_nothing(
    twin: Twin, browser: "Browser", method: str, namespace: str
) -> None:
    twin.azure.registered[f"Microsoft.{namespace.partition('/')[0]}"] = False
    address = url(twin, f"/providers/Microsoft.{namespace}")
    status, answer, _ = await browser.ask(method, address, token=token(twin), body=body())
    assert (status, answer["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    assert f"namespace 'Microsoft.{namespace.partition('/')[0]}'" in answer["error"]["message"]


async def test_a_registration_that_never_ends(twin: Twin, browser: "Browser") -> None:
    await twin.add_fault("arm/provider-not-registered")
    subscription = f"https://management.azure.com/subscriptions/{twin.azure.subscription_id}"
    provider = f"{subscription}/providers/Microsoft.HybridCompute"
    for method, address in (("POST", f"{provider}/register"), ("GET", provider)):
        _, answer, _ = await browser.ask(method, f"{address}?api-version=2022-09-01", token=token(twin))
        assert answer["registrationState"] == "Registering"
    status, _, _ = await browser.ask("GET", machine_url(twin), token=token(twin))
    assert status == 409


async def test_a_reply_stands_for_a_services_own(twin: Twin, browser: "Browser") -> None:
    twin.azure.replies["*/machines/*"] = CannedResponse(b"[1, 2]", status=202)
    assert (await browser.ask("GET", machine_url(twin)))[:2] == (202, [1, 2])
    assert (await browser.ask("GET", url(twin), token=token(twin)))[0] == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("arm/401", 401, "InvalidAuthenticationToken"),
        ("arm/403", 403, "AuthorizationFailed"),
        ("arm/404", 404, "ResourceNotFound"),
        ("arm/409", 409, "Conflict"),
        ("arm/429", 429, "TooManyRequests"),
        ("arm/500", 500, "InternalServerError"),
    ],
)
async def test_a_fault_strikes_as_often_as_it_was_told(
    twin: Twin, browser: "Browser", fault: str, status: int, code: str
) -> None:
    twin.azure.faults.add(fault, times=2)
    for _ in range(2):
        answer = await browser.ask("GET", url(twin), token=token(twin))
        assert (answer[0], answer[1]["error"]["code"]) == (status, code)
        assert answer[2].get("Retry-After") == ("1" if status == 429 else None)
    assert (await browser.ask("GET", url(twin), token=token(twin)))[0] == 200
    assert twin.azure.faults.active() == ()


async def test_route_filter_communities_and_tags_come_in_azures_shapes(
    twin: Twin, browser: "Browser"
) -> None:
    good = token(twin)
    path = url(twin, "/providers/Microsoft.Network/routeFilters/rf-microsoft-peering")
    _, shown, _ = await browser.ask("GET", path, token=good)
    rule = shown["properties"]["rules"][0]
    assert rule["properties"]["communities"] == ["12076:51010", "12076:5060", "12076:5070"]
    rule["properties"]["communities"].append("12076:51012")
    status, changed, _ = await browser.ask("PUT", path, token=good, body=shown)
    assert status == 200
    assert changed["properties"]["rules"][0]["properties"]["communities"][-1] == "12076:51012"
    assert await browser.status("agentserviceapi.guestconfiguration.azure.com") == 404
    subscription = url(twin).partition("/resourceGroups")[0]
    _, communities, _ = await browser.ask(
        "GET",
        f"{subscription}/providers/Microsoft.Network/bgpServiceCommunities?api-version=2024-05-01",
        token=good,
    )
    values = [row["properties"]["bgpCommunities"][0]["communityValue"] for row in communities["value"]]
    assert {"12076:5060", "12076:5070", "12076:51010", "12076:51011", "12076:51012"} == set(values)
    _, tags, _ = await browser.ask(
        "GET",
        f"{subscription}/providers/Microsoft.Network/locations/eastasia/serviceTags?api-version=2024-05-01",
        token=good,
    )
    assert tags["changeNumber"] == "1"
    assert "AzureArcInfrastructure.EastAsia" in [row["name"] for row in tags["values"]]


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("none", "InvalidRequestFormat"),
        ([{"properties": {"access": "Allow", "communities": ["65000:1"]}}], "InvalidBgpCommunity"),
        (
            [{"properties": {"access": "Deny", "communities": ["12076:51012"]}}],
            "InvalidRouteFilterRuleAccess",
        ),
        ([{"properties": {}}], "InvalidRequestFormat"),
        ([{}, {}], "RouteFilterRuleCountExceeded"),
    ],
)
async def test_a_wrong_route_filter_changes_nothing(
    twin: Twin, browser: "Browser", rules: object, code: str
) -> None:
    path = url(twin, "/providers/Microsoft.Network/routeFilters/rf-microsoft-peering")
    status, answer, _ = await browser.ask(
        "PUT", path, token=token(twin), body={"properties": {"rules": rules}}
    )
    assert (status, answer["error"]["code"]) == (400, code)
    assert twin.azure.communities == ["12076:51010", "12076:5060", "12076:5070"]
