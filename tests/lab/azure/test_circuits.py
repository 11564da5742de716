"""The circuit as ARM shows it, through the twin's own front door, and as arcferry's own reader takes it."""

from typing import TYPE_CHECKING, Any

import pytest

from arcferry.routing.circuit import Circuit, Tier, read_circuit
from arcferry_lab.azure.circuits import circuit
from arcferry_lab.azure.network import route_filter
from arcferry_lab.twin import RESOURCE_GROUP, Twin

if TYPE_CHECKING:
    from tests.lab.conftest import Browser

pytestmark = pytest.mark.lab
PEERING = "er-onprem/peerings/MicrosoftPeering"


def url(twin: Twin, rest: str = "") -> str:
    base = f"https://management.azure.com/subscriptions/{twin.azure.subscription_id}"
    group = f"{base}/resourceGroups/{RESOURCE_GROUP}/providers/Microsoft.Network/expressRouteCircuits"
    return f"{group}{rest}?api-version=2024-05-01"


async def table(browser: "Browser", twin: Twin, rest: str) -> list[dict[str, Any]]:
    token = await browser.token()
    status, _, headers = await browser.ask("POST", url(twin, f"/{PEERING}/{rest}"), token=token)
    assert status == 202
    assert "/operations/" in headers["Azure-AsyncOperation"]
    place, _, query = headers["Location"].partition("?")
    path = place.removeprefix("https://").partition("/")[2]
    assert "/operationResults/" in path
    later = f"https://management.azure.com/{path}?{query}"
    status, _, _ = await browser.ask("GET", later, token=token)
    assert status == 202, "the routers take their time"
    status, body, _ = await browser.ask("GET", later, token=token)
    assert status == 200
    assert isinstance(body, dict)
    assert body["nextLink"] is None
    rows: list[dict[str, Any]] = body["value"]
    return rows


async def test_a_circuit_is_read_as_it_is_shown(twin: Twin, browser: "Browser") -> None:
    token = await browser.token()
    status, shown, _ = await browser.ask("GET", url(twin, "/ER-OnPrem"), token=token)
    assert (status, shown) == (200, circuit(twin.azure))
    _, listed, _ = await browser.ask("GET", url(twin), token=token)
    assert listed == {"value": [shown]}
    found = read_circuit(shown, "circuit.json")
    assert (found.tier, found.peering_location, found.provisioning) == (
        Tier.PREMIUM,
        "Hong Kong",
        "Provisioned",
    )
    assert found.microsoft is not None
    assert found.microsoft.route_filter == route_filter(twin.azure)["id"]
    assert found.microsoft.legacy is False


async def test_the_peering_and_its_filter_name_each_other(twin: Twin, browser: "Browser") -> None:
    token = await browser.token()
    _, shown, _ = await browser.ask("GET", url(twin, f"/{PEERING}"), token=token)
    assert isinstance(shown, dict)
    assert route_filter(twin.azure)["properties"]["peerings"] == [{"id": shown["id"]}]
    _, listed, _ = await browser.ask("GET", url(twin, "/er-onprem/peerings"), token=token)
    assert listed == {"value": [shown]}


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("/er-other", "ResourceNotFound"),
        ("/er-onprem/peerings/AzurePrivatePeering", "ResourceNotFound"),
        ("/er-onprem/peerings/MicrosoftPeering/nothing", "InvalidResourceType"),
    ],
)
async def test_what_is_not_there(*, twin: Twin, browser: "Browser", rest: str, code: str) -> None:
    status, body, _ = await browser.ask("GET", url(twin, rest), token=await browser.token())
    assert isinstance(body, dict)
    assert (status, body["error"]["code"]) == (404, code)


async def test_the_tables_of_a_link(twin: Twin, browser: "Browser") -> None:
    routes = await table(browser, twin, "routeTables/primary")
    assert routes == [
        {"network": "203.0.113.0/28", "nextHop": "198.51.100.1", "locPrf": "", "weight": 0, "path": "65010 I"}
    ]
    (neighbour,) = await table(browser, twin, "routeTablesSummary/secondary")
    assert (neighbour["neighbor"], neighbour["as"], neighbour["statePfxRcd"]) == ("198.51.100.5", 65010, "1")
    assert [row["interface"] for row in await table(browser, twin, "arpTables/primary")] == [
        "On-Prem",
        "Microsoft",
    ]


async def test_a_path_that_no_peering_has(twin: Twin, browser: "Browser") -> None:
    status, body, _ = await browser.ask(
        "POST", url(twin, f"/{PEERING}/routeTables/tertiary"), token=await browser.token()
    )
    assert isinstance(body, dict)
    assert (status, body["error"]["code"]) == (400, "InvalidDevicePath")


async def test_the_routers_own_rows_are_shown_where_there_are_routers(twin: Twin, browser: "Browser") -> None:
    async def rows(link: str) -> list[dict[str, Any]]:
        return [{"network": "192.0.2.0/24", "nextHop": link, "locPrf": "", "weight": 0, "path": "65010 I"}]

    twin.azure.route_rows = rows
    (found,) = await table(browser, twin, "routeTables/secondary")
    assert found["nextHop"] == "secondary"


async def test_reading_takes_the_right_to_read(twin: Twin, browser: "Browser") -> None:
    reader = await browser.token(twin.azure.add_client("reader"))
    assert (await browser.ask("GET", url(twin, "/er-onprem"), token=reader))[0] == 200
    asked = await browser.ask("POST", url(twin, f"/{PEERING}/routeTables/primary"), token=reader)
    assert asked[0] == 403


def seen(twin: Twin) -> Circuit:
    return read_circuit(circuit(twin.azure), "circuit.json")


async def test_faults_show_in_the_documents_and_go(twin: Twin) -> None:
    before = circuit(twin.azure), route_filter(twin.azure)
    await twin.add_fault("route/peering-down")
    await twin.add_fault("tcp/nat-prefix-not-validated")
    await twin.add_fault("route/outside-sku-geography")
    await twin.add_fault("route/filter-not-attached")
    found = seen(twin)
    assert found.microsoft is not None
    assert (found.tier, found.peering_location) == (Tier.STANDARD, "Amsterdam")
    assert found.microsoft.state == "Disabled"
    assert found.microsoft.advertised_state == "ValidationNeeded"
    assert found.microsoft.route_filter.endswith("/rf-office-only")
    assert route_filter(twin.azure)["properties"]["peerings"] == []

    await twin.add_fault("route/no-route-filter")
    detached = seen(twin).microsoft
    assert detached is not None
    assert detached.route_filter == ""
    for active in twin.azure.faults.active():
        await twin.remove_fault(active.fault.name)
    assert (circuit(twin.azure), route_filter(twin.azure)) == before


@pytest.mark.parametrize(
    ("fault", "communities", "access"),
    [
        ("route/community-not-in-filter", ["12076:5060", "12076:5070"], "Allow"),
        ("route/community-denied", ["12076:51010", "12076:5060", "12076:5070"], "Deny"),
    ],
)
async def test_a_fault_of_the_filter_is_seen_in_its_rule(
    *, twin: Twin, fault: str, communities: list[str], access: str
) -> None:
    await twin.add_fault(fault)
    (rule,) = route_filter(twin.azure)["properties"]["rules"]
    assert (rule["properties"]["communities"], rule["properties"]["access"]) == (communities, access)


async def test_an_empty_filter_has_no_rule(twin: Twin) -> None:
    await twin.add_fault("route/empty-route-filter")
    assert route_filter(twin.azure)["properties"]["rules"] == []


NETWORK = ("routeFilters", "expressRouteCircuits")


async def listed(browser: "Browser", twin: Twin, kind: str, group: str = "") -> tuple[int, object]:
    """The status of a list with the names in it, or its error's code."""
    base = f"https://management.azure.com/subscriptions/{twin.azure.subscription_id}"
    place = f"{base}/resourceGroups/{group}" if group else base
    address = f"{place}/providers/Microsoft.Network/{kind}?api-version=2024-05-01"
    status, body, _ = await browser.ask("GET", address, token=await browser.token())
    assert isinstance(body, dict)
    return status, [one["name"] for one in body["value"]] if "value" in body else body["error"]["code"]


@pytest.mark.parametrize("kind", NETWORK)
async def test_filter_and_circuit_go_with_their_group(twin: Twin, browser: "Browser", kind: str) -> None:
    twin.azure.add_group("rg-other")
    assert await listed(browser, twin, kind, "rg-other") == (200, [])
    (_, names) = await listed(browser, twin, kind, RESOURCE_GROUP)
    assert len(names) == 1
    twin.azure.drop_group(RESOURCE_GROUP)
    assert await listed(browser, twin, kind, RESOURCE_GROUP) == (404, "ResourceGroupNotFound")
    assert await listed(browser, twin, kind) == (200, [])
    twin.azure.add_group(RESOURCE_GROUP)
    assert await listed(browser, twin, kind, RESOURCE_GROUP) == (200, [])
    assert await listed(browser, twin, f"{kind}/{names[0]}", RESOURCE_GROUP) == (404, "ResourceNotFound")
    await twin.add_fault("route/no-route-filter")
