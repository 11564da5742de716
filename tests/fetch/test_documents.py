"""Dated documents: from a site over real TLS, and from the twin's own services by their real names."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.azure.conftest import aim
from tests.fetch.conftest import PUBLIC, Fetcher, Site
from yarl import URL

from arcferry import azure, catalog, times
from arcferry.bundle import Role
from arcferry.data.download import BEHIND
from arcferry.data.update import SignIn
from arcferry.errors import AzureError, BlockedError, InputError, NotFoundError, PermissionDeniedError
from arcferry.fetch import Fetched, FetchOptions, FetchRequest, fetch, read_sources
from arcferry_lab.azure.ids import CIRCUIT
from arcferry_lab.azure.state import ROUTE_FILTER
from arcferry_lab.twin import Twin

EAST_ASIA = catalog.region("eastasia", PUBLIC)
DISCOVERY = "/gbl.his.arc.azure.com/discovery"
ALLOW_LIST = "/guestnotificationservice.azure.com/urls/allowlist"
BUS = ["azgn-eastasia-public-1p-b.servicebus.windows.net", "AZGN-eastasia-public-1p-a.servicebus.windows.net"]


def read(found: Fetched, role: Role) -> tuple[str, dict[str, object]]:
    path = dict(found.documents)[role]
    return path.name, json.loads(path.read_bytes())


async def test_a_locations_answers_become_dated_documents(fetcher: Fetcher, site: Site) -> None:
    site.files[DISCOVERY] = b'"https://ea.his.arc.azure.com"'
    site.files[ALLOW_LIST] = json.dumps(BUS).encode()
    found = await fetcher(location=EAST_ASIA)
    today = str(times.now().date())
    about = {"schema": 1, "cloud": "AzureCloud", "location": "eastasia", "taken": today}
    assert read(found, Role.DISCOVERY) == (
        f"discovery-eastasia-{today}.json",
        about | {"kind": "his-discovery", "host": "ea.his.arc.azure.com"},
    )
    assert read(found, Role.NOTIFICATION_HOSTS) == (
        f"notification-hosts-eastasia-{today}.json",
        about | {"kind": "notification-hosts", "hosts": sorted(name.lower() for name in BUS)},
    )
    assert set(found.origins.values()) == {f"{site.url}{DISCOVERY}", f"{site.url}{ALLOW_LIST}"}
    assert {one.path_qs.partition("?")[2] for one in site.asked} == {  # type: ignore[attr-defined]  # a request's own
        "location=eastasia&api-version=2.1",
        "api-version=2020-01-01&location=eastasia",
    }


@pytest.mark.parametrize(
    "answer",
    [
        "<html>Sign in to the network</html>",
        '"https://evil.example"',
        '"http://ea.his.arc.azure.com"',
        '"https://ea.his.arc.azure.com.evil.example"',
        "",
        "{",
    ],
)
async def test_a_discovery_that_leads_elsewhere_is_refused(fetcher: Fetcher, site: Site, answer: str) -> None:
    site.files[DISCOVERY] = answer.encode()
    with pytest.raises(AzureError, match="which is no URL under") as caught:
        await fetcher(location=EAST_ASIA)
    assert "--location" in caught.value.hint


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        "azgn.servicebus.windows.net",
        ["azgn.servicebus.windows.net", 1],
        ["azgn.servicebus.windows.net.evil.example"],
        ["*.servicebus.windows.net"],
        ["a b.servicebus.windows.net"],
        ["x.servicebus.windows.net"] * 1001,
    ],
)
async def test_an_allow_list_with_anything_else_is_refused(
    fetcher: Fetcher, site: Site, answer: object
) -> None:
    site.files[DISCOVERY] = b"https://ea.his.arc.azure.com"
    site.files[ALLOW_LIST] = json.dumps(answer).encode()
    with pytest.raises(AzureError, match="which is no list of names under"):
        await fetcher(location=EAST_ASIA)


def tags(change: int = 9, cloud: str = "Public") -> bytes:
    properties = {"region": "eastasia", "addressPrefixes": ["20.187.128.0/17"]}
    value = {"name": "AzureCloud.eastasia", "id": "AzureCloud.eastasia", "properties": properties}
    return json.dumps({"changeNumber": change, "cloud": cloud, "values": [value]}).encode()


async def test_service_tags_come_from_the_download_page(fetcher: Fetcher, site: Site) -> None:
    name = "ServiceTags_Public_20261116.json"
    site.files[f"/download/{name}"] = tags()
    link = f'<a href="{site.url}/download/{name}">download</a>'
    site.files["/www.microsoft.com/en-us/download/details.aspx"] = link.encode()
    found = await fetcher(service_tags=True)
    assert [(role, path.name) for role, path in found.documents] == [(Role.SERVICE_TAGS, name)]
    assert list(found.origins.values()) == [f"{site.url}/download/{name}"]


async def test_another_clouds_tags_are_refused(fetcher: Fetcher, site: Site) -> None:
    name = "ServiceTags_Public_20261116.json"
    site.files[f"/download/{name}"] = tags(cloud="China")
    site.files["/www.microsoft.com/en-us/download/details.aspx"] = f"{site.url}/download/{name}".encode()
    with pytest.raises(BlockedError, match="service tags of AzureChinaCloud, not of AzureCloud"):
        await fetcher(service_tags=True)


async def test_the_government_cloud_has_no_notification_service(fetcher: Fetcher, site: Site) -> None:
    region = catalog.region("usgovvirginia")
    site.files["/gbl.his.arc.azure.us/discovery"] = b"https://usgv.his.arc.azure.us"
    means = FetchOptions(fetcher.sources(), ca_file=fetcher.means["ca_file"], pauses=())  # type: ignore[arg-type]  # a path
    found = await fetch(FetchRequest(catalog.cloud("usgov"), location=region), fetcher.folder, means)
    assert [role for role, _ in found.documents] == [Role.DISCOVERY]


def means_for(twin: Twin, role: str = "reader") -> FetchOptions:
    client = twin.azure.add_client(role)
    return FetchOptions(
        read_sources([], port=twin.network.port),
        ca_file=twin.paths.ca,
        resolver=twin.network.resolver,
        sign_in=SignIn(aim(twin), azure.with_secret(client.client_id, client.secret)),
        pauses=(),
    )


@pytest.mark.lab
async def test_the_twins_own_services_are_asked_by_their_names(twin: Twin, tmp_path: Path) -> None:
    found = await fetch(FetchRequest(PUBLIC, location=EAST_ASIA), tmp_path / "downloads", means_for(twin))
    assert read(found, Role.DISCOVERY)[1]["host"] == "ea.his.arc.azure.com"
    assert read(found, Role.NOTIFICATION_HOSTS)[1]["hosts"] == [
        "azgn-eastasia-public-1p-twin-001.servicebus.windows.net"
    ]
    (first, _) = found.origins.values()
    assert URL(first).host == "gbl.his.arc.azure.com"
    assert URL(first).port == twin.network.port


@pytest.mark.lab
async def test_service_tags_come_from_resource_manager_where_the_page_does_not_answer(
    twin: Twin, tmp_path: Path
) -> None:
    nobody = read_sources(["https://127.0.0.1:1"])
    means = replace(means_for(twin), sources=nobody)
    found = await fetch(FetchRequest(PUBLIC, service_tags=True), tmp_path / "downloads", means)
    name, document = read(found, Role.SERVICE_TAGS)
    assert name == f"service-tags-arm-{times.now().date() - BEHIND}.json"
    assert len(document["values"]) == len(twin.azure.service_tags["values"])  # type: ignore[arg-type]  # a list
    (note,) = found.notes
    assert note.startswith("service-tags-azurecloud: asked of Resource Manager, because https://127.0.0.1:1")
    assert "4 weeks behind the weekly file" in note
    again = await fetch(
        FetchRequest(PUBLIC, service_tags=True), tmp_path / "downloads", replace(means, offline=True)
    )
    assert again.documents == found.documents

    refused = replace(means_for(twin, "onboarding"), sources=nobody)
    with pytest.raises(PermissionDeniedError) as caught:
        await fetch(FetchRequest(PUBLIC, service_tags=True), tmp_path / "others", refused)
    assert "https://127.0.0.1:1" in caught.value.message
    assert "; and of Resource Manager: " in caught.value.message
    assert "the role “Reader” on the subscription" in caught.value.hint
    without = replace(means, sign_in=None)
    with pytest.raises(AzureError, match="no answer"):
        await fetch(FetchRequest(PUBLIC, service_tags=True), tmp_path / "others", without)


@pytest.mark.lab
async def test_azure_is_asked_with_a_sign_in(twin: Twin, tmp_path: Path) -> None:
    wanted = FetchRequest(PUBLIC, communities=True, route_filter=ROUTE_FILTER)
    found = await fetch(wanted, tmp_path / "downloads", means_for(twin))
    name, listed = read(found, Role.COMMUNITIES)
    assert name == f"bgp-service-communities-{times.now().date()}.json"
    assert listed["value"] == twin.azure.bgp_communities["value"]
    assert read(found, Role.ROUTE_FILTER)[1]["name"] == ROUTE_FILTER


@pytest.mark.lab
async def test_the_filter_of_a_circuit_is_found_and_has_no_keys(twin: Twin, tmp_path: Path) -> None:
    wanted = FetchRequest(PUBLIC, circuit=CIRCUIT)
    found = await fetch(wanted, tmp_path / "downloads", means_for(twin))
    _, document = read(found, Role.ROUTE_FILTER)
    assert document["name"] == ROUTE_FILTER
    everything = b"".join(path.read_bytes() for path in (tmp_path / "downloads").rglob("*.json"))
    assert b"servicekey" not in everything.lower()
    assert b"sharedkey" not in everything.lower()


@pytest.mark.lab
async def test_a_circuit_without_a_filter_is_told(twin: Twin, tmp_path: Path) -> None:
    twin.azure.faults.add("route/no-route-filter")
    with pytest.raises(AzureError, match="has no route filter on its Microsoft peering"):
        await fetch(FetchRequest(PUBLIC, circuit=CIRCUIT), tmp_path / "downloads", means_for(twin))


@pytest.mark.lab
@pytest.mark.parametrize(
    ("role", "wanted", "kind"),
    [
        ("reader", {"route_filter": "no-such-filter"}, NotFoundError),
        ("onboarding", {"communities": True}, PermissionDeniedError),
    ],
)
async def test_what_azure_refuses_is_told(
    twin: Twin, tmp_path: Path, role: str, wanted: dict[str, object], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await fetch(FetchRequest(PUBLIC, **wanted), tmp_path / "downloads", means_for(twin, role))  # type: ignore[arg-type]  # by name


async def test_without_a_sign_in_azure_is_not_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="need a sign-in"):
        await fetch(FetchRequest(PUBLIC, communities=True), tmp_path / "downloads", FetchOptions())
