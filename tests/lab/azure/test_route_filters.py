"""Route filters and their rules as clients write them, and what the network makes of it."""

import pytest
from tests.lab.azure.control import Control

pytestmark = pytest.mark.lab
FILTERS = "Microsoft.Network/routeFilters"
OWN = f"{FILTERS}/rf-microsoft-peering"
OTHER = f"{FILTERS}/rf-other"
PEERING = "Microsoft.Network/expressRouteCircuits/er-onprem/peerings/MicrosoftPeering"
STORY = "agentserviceapi.guestconfiguration.azure.com"
ALLOWED = ["12076:51010", "12076:5060", "12076:5070", "12076:51012"]


def rule(*communities: str, name: str = "allow", access: str = "Allow") -> dict[str, object]:
    properties = {"access": access, "routeFilterRuleType": "Community", "communities": list(communities)}
    return {"name": name, "properties": properties}


async def test_a_filter_is_made_followed_shown_and_deleted(control: Control) -> None:
    made = await control.ask("PUT", OTHER, {"location": "eastasia", "tags": {"site": "one"}})
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Updating")
    assert (await control.ended(made)).body["status"] == "Succeeded"
    shown = await control.ask("GET", OTHER.upper())
    assert (shown.body["tags"], shown.body["properties"]["provisioningState"]) == (
        {"site": "one"},
        "Succeeded",
    )
    assert shown.headers["ETag"] == shown.body["etag"]
    listed = await control.ask("GET", FILTERS)
    assert [one["name"] for one in listed.body["value"]] == ["rf-microsoft-peering", "rf-other"]
    gone = await control.ask("DELETE", OTHER)
    assert gone.status == 202
    assert (await control.follow(gone.headers["Location"])).status == 202
    assert (await control.ask("GET", OTHER)).code == "ResourceNotFound"
    assert (await control.follow(gone.headers["Location"])).status == 204
    assert (await control.ask("DELETE", OTHER)).status == 204


async def test_a_rule_decides_what_comes_through(control: Control) -> None:
    path = f"{OWN}/routeFilterRules/allow"
    before = await control.ask("GET", path)
    assert before.body["properties"]["communities"] == ALLOWED[:3]
    changed = await control.ask("PUT", path, rule(*ALLOWED))
    assert (changed.status, (await control.ended(changed)).body["status"]) == (200, "Succeeded")
    assert await control.browser.status(STORY) == 404
    listed = await control.ask("GET", f"{OWN}/routeFilterRules")
    assert [one["properties"]["communities"] for one in listed.body["value"]] == [ALLOWED]


async def test_a_rule_that_is_deleted_takes_its_communities_along(control: Control) -> None:
    gone = await control.ask("DELETE", f"{OTHER}/routeFilterRules/mine")
    assert gone.code == "ResourceNotFound"
    await control.ended(await control.ask("PUT", OTHER, {"location": "eastasia"}))
    made = await control.ask("PUT", f"{OTHER}/routeFilterRules/mine", rule(*ALLOWED))
    assert made.status == 201
    await control.ended(made)
    second = await control.ask("PUT", f"{OTHER}/routeFilterRules/second", rule(*ALLOWED))
    assert second.code == "RouteFilterRuleCountExceeded"
    await control.ended(await control.ask("DELETE", f"{OTHER}/routeFilterRules/mine"))
    assert (await control.ask("GET", OTHER)).body["properties"]["rules"] == []


async def test_another_filter_is_attached_in_place_of_the_first(control: Control) -> None:
    other = {"location": "eastasia", "properties": {"rules": [rule(*ALLOWED)]}}
    await control.ended(await control.ask("PUT", OTHER, other))
    place = control.place(OTHER)
    peering = (await control.ask("GET", PEERING)).body
    peering["properties"]["routeFilter"] = {"id": place}
    await control.ended(await control.ask("PUT", PEERING, peering))
    assert (await control.ask("GET", OTHER)).body["properties"]["peerings"] == [{"id": peering["id"]}]
    assert (await control.ask("GET", OWN)).body["properties"]["peerings"] == []
    assert await control.browser.status(STORY) == 404
    refused = await control.ask("DELETE", OTHER)
    assert (refused.status, refused.code) == (400, "InUseRouteFilterCannotBeDeleted")
    await control.ended(await control.ask("DELETE", OWN))
    assert (await control.ask("GET", OWN)).code == "ResourceNotFound"


async def test_a_peering_names_a_filter_that_exists(control: Control) -> None:
    peering = (await control.ask("GET", PEERING)).body
    peering["properties"]["routeFilter"] = {"id": control.place(OTHER)}
    refused = await control.ask("PUT", PEERING, peering)
    assert (refused.status, refused.code) == (400, "InvalidResourceReference")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"properties": {"rules": "none"}}, "InvalidRequestFormat"),
        ({"properties": {"rules": [rule("65000:1")]}}, "InvalidBgpCommunity"),
        ({"properties": {"rules": [rule("12076:51012", access="Deny")]}}, "InvalidRouteFilterRuleAccess"),
        ({"properties": {"rules": [rule(), rule(name="b")]}}, "RouteFilterRuleCountExceeded"),
        ({"tags": "none"}, "InvalidRequestFormat"),
        ({"properties": []}, ""),
        ({"properties": 1}, "InvalidRequestFormat"),
    ],
)
async def test_what_is_wrong_makes_nothing(control: Control, body: dict[str, object], code: str) -> None:
    answer = await control.ask("PUT", OTHER, body)
    assert answer.code == code
    assert ((await control.ask("GET", OTHER)).status == 404) is bool(code)
