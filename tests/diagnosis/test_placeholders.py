"""A command holds a word to be filled in only where no evidence at hand has the value."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arcferry.diagnosis import judge
from arcferry.diagnosis.finding import Command
from arcferry.evidence.case import Case, Document
from arcferry.evidence.reading import read_document

CASES = Path(__file__).parents[1] / "cases"
SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-lines/providers/Microsoft.Network"


def names(case: Case) -> bool:
    return any(one.name != one.origin for one in case.filters) or bool(case.attached_filters)


# The words of `words.PLACEHOLDERS` and of rules, each with what has the value in a case.
HELD: dict[str, Callable[[Case], bool]] = {
    "LOCATION": lambda case: bool(case.location),
    "REGION": lambda case: bool(case.location),
    "CIRCUIT": lambda case: any(one.resource_id for one in case.circuits),
    "RESOURCE-GROUP": lambda case: (
        all(one.resource_group for one in (*case.circuits, *case.filters))
        and bool(case.circuits and case.filters)
    ),
    "RESOURCE-GROUP-OF-THE-CIRCUIT": lambda case: any(one.resource_group for one in case.circuits),
    "RESOURCE-GROUP-OF-THE-FILTER": lambda case: any(one.resource_group for one in case.filters),
    "LOCATION-OF-THE-CIRCUIT": lambda case: any(one.location for one in case.circuits),
    "SUBSCRIPTION-ID": lambda case: any(one.resource_id for one in (*case.circuits, *case.filters)),
    "ROUTE-FILTER": names,
    "MSEE-ADDRESS": lambda case: bool(case.links),
    "MACHINE": lambda case: any(dict(one.properties).get("resource name") for one in case.agents),
}
WORD = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(HELD, key=len, reverse=True))})(?![\w-])")


def read(files: dict[str, object]) -> list[Document]:
    return [one for name, value in files.items() for one in read_document(name, json.dumps(value).encode())]


def commands(documents: list[Document]) -> Iterator[tuple[str, Command]]:
    for finding in judge(documents).findings:
        yield from ((finding.cause, one) for one in finding.remedy.commands)


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in CASES.glob("*/expected.toml")))
def test_no_case_has_a_placeholder_for_what_it_holds(folder: str) -> None:
    paths = [path for path in sorted((CASES / folder).iterdir()) if path.name != "expected.toml"]
    documents = [one for path in paths for one in read_document(path.name, path.read_bytes())]
    case = Case.of(documents)
    for cause, command in commands(documents):
        for found in WORD.finditer(command.text):
            assert not HELD[found[0]](case), f"{cause}: {command.text}"


def peering(**more: object) -> dict[str, object]:
    return {
        "name": "MicrosoftPeering",
        "id": f"{NETWORK}/expressRouteCircuits/er-lines/peerings/MicrosoftPeering",
        "properties": {
            "peeringType": "MicrosoftPeering",
            "state": "Enabled",
            "primaryPeerAddressPrefix": "198.18.40.0/30",
            "secondaryPeerAddressPrefix": "198.18.40.4/30",
            **more,
        },
    }


def circuit(tier: str = "Premium", **more: object) -> dict[str, object]:
    return {
        "name": "er-lines",
        "id": f"{NETWORK}/expressRouteCircuits/er-lines",
        "location": "eastasia",
        "sku": {"tier": tier, "family": "UnlimitedData"},
        "properties": {
            "circuitProvisioningState": "Enabled",
            "serviceProviderProvisioningState": "Provisioned",
            "serviceProviderProperties": {"peeringLocation": "Hong Kong"},
            "peerings": [peering(**more)],
        },
    }


def route_filter(group: str = "rg-lines", *communities: str) -> dict[str, object]:
    rule = {"name": "let", "properties": {"access": "Allow", "communities": list(communities)}}
    return {
        "name": "rf-lines",
        "id": f"{NETWORK.replace('rg-lines', group)}/routeFilters/rf-lines",
        "type": "Microsoft.Network/routeFilters",
        "location": "eastasia",
        "properties": {"provisioningState": "Succeeded", "rules": [rule] if communities else []},
    }


HOST = "agentserviceapi.guestconfiguration.azure.com"
CHECK = {
    "schema": 1,
    "kind": "check",
    "location": "koreacentral",
    "taken": "2026-11-27T08:00:00Z",
    "endpoints": [
        {
            "kind": "endpoint", "host": HOST, "port": 443, "reachable": False, "address": "40.115.144.3",
            "dns": {"chain": ["jpe-gas-cses-1a.japaneast.cloudapp.azure.com"], "addresses": ["40.115.144.3"],
                    "resolver": "10.9.0.53"},
            "failure": {"stage": "tcp", "kind": "timeout", "says": "no answer within 4 s"},
        }
    ],
}  # fmt: skip
ATTACHED = {"routeFilter": {"id": f"{NETWORK}/routeFilters/rf-lines"}}
TOGETHER = {
    "community-not-in-filter": (circuit(**ATTACHED), route_filter("rg-lines", "12076:5060")),
    "empty": (circuit(**ATTACHED), route_filter()),
    "not-attached": (circuit(), route_filter("rg-lines", "12076:5060")),
    "of-another-group": (circuit(), route_filter("rg-filters", "12076:5060")),
    "another-attached": (
        circuit(routeFilter={"id": f"{NETWORK}/routeFilters/rf-old"}),
        route_filter("rg-filters", "12076:5060"),
    ),
    "sku": (circuit("Local", **ATTACHED), route_filter("rg-lines", "12076:5060", "12076:51012")),
}


@pytest.mark.parametrize("kind", TOGETHER)
def test_circuit_and_filter_at_hand_leave_nothing_to_fill_in(kind: str) -> None:
    line, allowing = TOGETHER[kind]
    files = {"circuit.json": line, "filter-2026-11-27.json": allowing, "check.json": CHECK}
    texts = [(cause, one.text) for cause, one in commands(read(files))]
    assert any("er-lines" in text or "rf-lines" in text for _, text in texts)
    for cause, text in texts:
        assert not WORD.search(text), f"{cause}: {text}"


OF_ANOTHER_GROUP = f"{NETWORK.replace('rg-lines', 'rg-filters')}/routeFilters/rf-lines"


@pytest.mark.parametrize(
    ("kind", "named"), [("not-attached", "rf-lines"), ("of-another-group", OF_ANOTHER_GROUP)]
)
def test_az_finds_a_filter_by_its_name_in_the_circuits_own_group_alone(kind: str, named: str) -> None:
    line, allowing = TOGETHER[kind]
    found = read({"circuit.json": line, "filter-2026-11-27.json": allowing, "check.json": CHECK})
    attach = [one.text for _, one in commands(found) if "peering update" in one.text]
    assert [text.rpartition(" --route-filter ")[2] for text in attach] == [named]


def test_a_filter_without_a_name_is_called_as_the_circuit_calls_it() -> None:
    """What `--query` cut out of a filter has no name, and the circuit has one attached."""
    rule = {"access": "Allow", "communities": ["12076:5060"]}
    nameless = {"provisioningState": "Succeeded", "rules": [rule]}
    files = {"circuit.json": circuit(**ATTACHED), "rules.json": nameless, "check.json": CHECK}
    added = [one.text for _, one in commands(read(files)) if "route-filter rule" in one.text]
    assert added
    assert all("--resource-group rg-lines --filter-name rf-lines" in text for text in added)


def test_the_way_to_more_evidence_names_what_is_known() -> None:
    documents = read({"circuit.json": circuit(**ATTACHED), "check.json": CHECK})
    steps = "\n".join(step for one in judge(documents).findings for step in one.remedy.steps)
    assert "az network route-filter show --resource-group rg-lines --name rf-lines --output json" in steps
    assert "show ip bgp neighbors 198.18.40.2 received-routes" in steps
    assert not WORD.search(steps)
