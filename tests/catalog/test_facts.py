"""Facts that were once stated otherwise: what the catalogue, the pages and the plan say of them now."""

from datetime import date
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.fetch import distributions

_DOCS = Path(__file__).parents[2] / "docs"
_PUBLIC, _GOVERNMENT = catalog.cloud("AzureCloud"), catalog.cloud("AzureUSGovernment")


def _notes(cloud: catalog.Cloud, *features: str) -> str:
    first = catalog.peering_notes(cloud, features, first=True)
    return " ".join((*first, *catalog.peering_notes(cloud, features, first=False)))


@pytest.mark.parametrize(
    ("cloud", "features", "says"),
    [
        (_GOVERNMENT, (), "This path alone cannot suffice"),
        (_PUBLIC, (), "fail over within it (agent overview, Disaster recovery)"),
        (_PUBLIC, (), "holds for the community list of 2019-05-30"),
        (_PUBLIC, (), "40.126.18.0/25 stand under 12076:51017"),
        (
            _PUBLIC,
            ("esu",),
            "1.34 or later on Windows Server 2012 and 2012 R2, 1.62 or later on Windows Server 2016",
        ),
        (_PUBLIC, ("esu",), "Microsoft Azure RSA TLS Issuing CA 03, 04, 07 and 08"),
    ],
)
def test_a_plan_notes_it(cloud: catalog.Cloud, features: tuple[str, ...], says: str) -> None:
    assert says in _notes(cloud, *features)


def test_government_is_told_first() -> None:
    (first,) = catalog.peering_notes(_GOVERNMENT, (), first=True)
    assert first.startswith("This path alone cannot suffice")


def test_login_windows_net_is_no_longer_of_the_required_table() -> None:
    endpoint = catalog.endpoint_named("login.windows.net")
    assert endpoint is not None
    assert "network-requirements" not in str(endpoint.source)
    assert "since 2024-10-31" in endpoint.purpose


def test_the_monitor_agent_needs_its_metrics_service() -> None:
    endpoint = catalog.endpoint_named("global.prod.microsoftmetrics.com")
    assert endpoint is not None
    assert endpoint.features == ("monitor",)


@pytest.mark.parametrize(("code", "says"), [("AZCM0151", "no longer does"), ("AZCM0154", "PowerShell 3.0")])
def test_what_the_agent_asks_of_windows(code: str, says: str) -> None:
    known = catalog.known_code(code)
    assert known is not None
    assert says in f"{known.meaning} {known.remedy}"


@pytest.mark.parametrize("name", ["jioindiawest", "eastus2euap"])
def test_a_location_of_microsofts_policy_is_known(name: str) -> None:
    assert catalog.region(name, _PUBLIC).name == name


def test_bogota_is_a_peering_location() -> None:
    assert catalog.peering_location("Bogota", _PUBLIC) is not None


@pytest.mark.parametrize("name", ["amazon2", "amazon2023", "sles16", "alma10", "rocky10"])
def test_fetch_knows_the_system(name: str) -> None:
    assert name in distributions.names()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("AADSTS500021", "signin/tenant-restricted"),
        ("AADSTS500022", "signin/tenant-restricted"),
        ("AADSTS50002", "signin/tenant-restricted"),
        ("AADSTS7000229", "signin/application-unknown"),
        ("AADSTS900382", "signin/wrong-tenant"),
        ("AADSTS50196", ""),
    ],
)
def test_a_code_of_entra(code: str, cause: str) -> None:
    known = catalog.known_code(code)
    assert known is not None
    assert known.cause == cause


@pytest.mark.parametrize(
    ("month", "version"),
    [("2025-08", "1.55"), ("2025-09", "1.56"), ("2025-12", "1.59"), ("2026-02", "1.61"), ("2026-03", "1.62")],
)
def test_a_release_is_supported_for_a_year(month: str, version: str) -> None:
    year, number = map(int, month.split("-"))
    assert not catalog.is_out_of_support(f"{version}.0.1", date(year + 1, number, 28))
    assert catalog.is_out_of_support(f"{version}.0.1", date(year + 1 + number // 12, number % 12 + 1, 1))


@pytest.mark.parametrize(
    "says",
    [
        "No page of Azure Arc mentions Microsoft peering",
        "check directly with the service",
        "explicit proxy over private peering (preview, 2025-04-22)",
        "this path alone cannot suffice",
        "A filter has one rule, and that allows",
        "soft-reconfiguration inbound",
    ],
)
def test_the_guide_to_routes_says_it(says: str) -> None:
    assert says in (_DOCS / "routes.md").read_text(encoding="utf-8")


def test_the_guide_to_routes_begins_with_what_is_documented() -> None:
    headings = [line for line in (_DOCS / "routes.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0] == "## What Microsoft documents about this path, and what it does not"
