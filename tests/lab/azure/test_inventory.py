"""Where clients look around: endpoints, tenants, regions, the list of all resources, Resource Graph."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.lab.azure.control import Control

pytestmark = pytest.mark.lab
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
MACHINES = "Microsoft.HybridCompute/machines"


@pytest.fixture
async def filled(control: Control) -> Control:
    """Two machines, one with an extension, beside the twin's circuit and filter."""
    for name, location in (("web01", "eastasia"), ("db01", "japaneast")):
        body = {"location": location, "tags": {"site": name[:2]}, "properties": {"osName": "linux"}}
        await control.ask("PUT", f"{MACHINES}/{name}", body)
    extension = {"location": "eastasia", "properties": {"publisher": "P", "type": "T"}}
    await control.ended(await control.ask("PUT", f"{MACHINES}/web01/extensions/monitor", extension))
    return control


async def graph(control: Control, query: str) -> list[dict[str, Any]]:
    answer = await control.ask("POST", GRAPH, {"query": query})
    assert answer.status == 200, answer.body
    rows: list[dict[str, Any]] = answer.body["data"]
    return rows


@pytest.mark.parametrize(
    ("version", "login"),
    [
        ("2022-09-01", lambda body: body["authentication"]["loginEndpoint"]),
        ("2019-05-01", lambda body: body[0]["authentication"]["loginEndpoint"]),
        ("2015-01-01", lambda body: body["authentication"]["loginEndpoint"].rstrip("/")),
    ],
)
async def test_the_endpoints_need_no_token(
    control: Control, version: str, login: Callable[[Any], str]
) -> None:
    address = f"https://management.azure.com/metadata/endpoints?api-version={version}"
    status, body, _ = await control.browser.ask("GET", address)
    assert (status, login(body)) == (200, control.twin.azure.authority)


async def test_tenants_and_regions(control: Control) -> None:
    (tenant,) = (await control.ask("GET", "/tenants")).body["value"]
    assert tenant["tenantId"] == control.twin.azure.tenant_id
    regions = (await control.ask("GET", "locations")).body["value"]
    assert {one["name"]: one["displayName"] for one in regions}["eastasia"] == "East Asia"


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ("", ["db01", "web01", "web01/monitor", "er-onprem", "rf-microsoft-peering"]),
        ("resourceType eq 'Microsoft.HybridCompute/machines'", ["db01", "web01"]),
        ("resourceType eq 'microsoft.hybridcompute/machines/extensions'", ["web01/monitor"]),
        ("resourceType ne 'Microsoft.HybridCompute/machines' and location eq 'japaneast'", []),
        ("resourceType eq 'Microsoft.HybridCompute/machines' and location eq 'japaneast'", ["db01"]),
        ("name eq 'web01' or name eq 'er-onprem'", ["web01", "er-onprem"]),
        ("tagName eq 'site' and tagValue eq 'we'", ["web01"]),
        ("tagname eq 'SITE'", ["db01", "web01"]),
        ("substringof('01', name)", ["db01", "web01", "web01/monitor"]),
        ("resourceGroup eq 'RG-ARC' and name eq 'db01'", ["db01"]),
    ],
)
async def test_the_list_of_all_resources(filled: Control, filter_: str, names: list[str]) -> None:
    answer = await filled.ask("GET", f"resources?$filter={filter_}" if filter_ else "resources")
    assert [one["name"] for one in answer.body["value"]] == names
    assert all("properties" not in one for one in answer.body["value"])


@pytest.mark.parametrize("wrong", ["name like 'x'", "name eq x", "a eq 'b'", "name eq 'a' or b eq 'c' and"])
async def test_a_filter_that_is_none(control: Control, wrong: str) -> None:
    answer = await control.ask("GET", f"resources?$filter={wrong}")
    assert (answer.status, answer.code) == (400, "InvalidFilterInQueryString")


async def test_a_groups_resources_with_their_state(filled: Control) -> None:
    await filled.ask("PUT", "resourceGroups/rg-new", {"location": "eastasia"})
    path = "resourceGroups/{}/resources?$expand=provisioningState"
    found = (await filled.ask("GET", path.format("rg-arc"))).body["value"]
    assert {one["provisioningState"] for one in found} == {"Succeeded"}
    assert (await filled.ask("GET", path.format("rg-new"))).body == {"value": []}
    assert (await filled.ask("GET", path.format("rg-none"))).code == "ResourceGroupNotFound"


OF_MACHINES = f"Resources | where type =~ '{MACHINES}'"


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (f"{OF_MACHINES} | project name | order by name asc", [{"name": "db01"}, {"name": "web01"}]),
        (f"{OF_MACHINES} | project name | sort by name", [{"name": "web01"}, {"name": "db01"}]),
        (f"{OF_MACHINES} | count", [{"Count": 2}]),
        (f"{OF_MACHINES} | where location in ('japaneast', 'x') | project name", [{"name": "db01"}]),
        (f"{OF_MACHINES} | where location !in~ ('JAPANEAST') | project name", [{"name": "web01"}]),
        (f"{OF_MACHINES} and tags.site == 'we' | project id = name", [{"id": "web01"}]),
        (f"{OF_MACHINES} | where tags['site'] == 'we' | project tags.site", [{"tags_site": "we"}]),
        (f"{OF_MACHINES} | where properties.status has 'awaitingconnection' | count", [{"Count": 2}]),
        (f"{OF_MACHINES} | where not(name has 'web' or name has 'web01') | project name", [{"name": "db01"}]),
        (f"{OF_MACHINES} | summarize count() by location", [
            {"location": "japaneast", "count_": 1}, {"location": "eastasia", "count_": 1}]),
        (f"{OF_MACHINES} | summarize Machines = count()", [{"Machines": 2}]),
        (f"{OF_MACHINES} | extend site = tolower(tags.site) | distinct site | limit 1", [{"site": "db"}]),
        (f"{OF_MACHINES} | where isnotempty(kind) | count // none has a kind", [{"Count": 0}]),
        ("where name startswith 'er-' and properties.peerings[0].name contains 'microsoft' | project name",
         [{"name": "er-onprem"}]),
        ("ResourceContainers | where type == 'microsoft.resources/subscriptions' | project name",
         [{"name": "arcferry twin"}]),
    ],
)  # fmt: skip
async def test_what_a_query_gives(filled: Control, query: str, rows: list[dict[str, Any]]) -> None:
    assert await graph(filled, query) == rows


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "The query is empty"),
        ("Virtual | count", "Table Virtual was not found"),
        ("Resources | join (Resources) on id", "The operator join is not supported"),
        ("Resources | where name matches 'x'", "Expected '|'"),
        ("Resources | where name == ", "Unexpected 'end'"),
        ("Resources | where strlen(name) == 3", "The function strlen is not supported"),
        ("Resources | summarize max(name)", "The aggregate max is not supported"),
        ("Resources | where (name == 'a'", "Expected ')' and not 'the end'"),
        ("Resources | where name in (id)", "takes constants alone"),
        (f"Resources | where {'(' * 500}name == 'a'", "More than 50 parentheses"),
        (f"Resources | where {'tolower(' * 500}name", "More than 50 parentheses"),
        ("Resources | limit many", "Expected a number and not 'many'"),
        ("Resources | where name == 'a", "Unexpected character near"),
    ],
)
async def test_a_query_that_the_twin_does_not_know(control: Control, query: str, says: str) -> None:
    answer = await control.ask("POST", GRAPH, {"query": query})
    assert (answer.status, answer.code) == (400, "BadRequest")
    details = answer.body["error"]["details"]
    assert [one["code"] for one in details] == ["InvalidQuery", "ParserFailure"]
    assert says in details[1]["message"]


async def test_a_query_comes_in_pages(filled: Control) -> None:
    body: dict[str, Any] = {"query": "resources | project name", "options": {"$top": 2}}
    names, tokens = [], []
    while True:
        answer = (await filled.ask("POST", GRAPH, body)).body
        assert answer["totalRecords"] == 5
        names += [one["name"] for one in answer["data"]]
        if "$skipToken" not in answer:
            break
        tokens.append(answer["$skipToken"])
        body["options"]["$skipToken"] = answer["$skipToken"]
    assert (len(names), len(set(names)), tokens) == (5, 5, ["2", "4"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": 1},
        {"query": "resources", "options": [1]},
        {"query": "resources", "options": {"$top": "x"}},
        {"query": "resources", "subscriptions": ["another"]},
    ],
)
async def test_a_request_that_is_no_query(control: Control, body: object) -> None:
    answer = await control.ask("POST", GRAPH, body)
    assert (answer.status, answer.code) == (400, "BadRequest")


async def test_a_query_shows_what_the_client_may_read(filled: Control) -> None:
    twin = filled.twin
    for role, count in (("onboarding", 2), ("reader", 5), ("none", 0)):
        token = await filled.browser.token(twin.azure.add_client(role))
        rows = await graph(Control(twin, filled.browser, token), "resources | project name")
        assert len(rows) == count, role


@pytest.mark.parametrize(("path", "status"), [(f"{MACHINES}/web01", 204), (f"{MACHINES}/web09", 404)])
async def test_whether_a_resource_exists(filled: Control, path: str, status: int) -> None:
    assert (await filled.ask("HEAD", path)).status == status
