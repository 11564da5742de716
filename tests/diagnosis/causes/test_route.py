"""Causes of routes, beyond what single cases of files tell."""

from dataclasses import replace

import pytest

from arcferry.diagnosis import Finding, judge
from arcferry.diagnosis.finding import Confidence
from arcferry.evidence.case import Document, Kind
from arcferry.probe.observation import Attempt, DnsAnswer, Failure, Stage
from arcferry.routing.azure_json import read_service_tags
from arcferry.routing.circuit import Circuit, Peering, Tier
from arcferry.routing.route_filter import RouteFilter

ID = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network"
UP = Peering("Enabled", route_filter=f"{ID}/routeFilters/rf")
CIRCUIT = Circuit("er-hk", Tier.PREMIUM, "Hong Kong", "Provisioned", UP, state="Enabled")
UNFILTERED = replace(CIRCUIT, name="er-sg", microsoft=replace(UP, route_filter=""))
DISABLED = replace(CIRCUIT, state="Disabled")
EAST_ASIA, JAPAN_EAST = "12076:51010", "12076:51012"
ADDRESSES = {
    "gbl.his.arc.azure.com": "198.51.100.1",
    "agentserviceapi.guestconfiguration.azure.com": "192.0.2.1",
}
TAGS = {
    "changeNumber": 1,
    "cloud": "Public",
    "values": [
        {
            "name": f"AzureArcInfrastructure.{region}",
            "properties": {"region": region.lower(), "addressPrefixes": [prefix]},
        }
        for region, prefix in (("EastAsia", "198.51.100.0/24"), ("JapanEast", "192.0.2.0/24"))
    ],
}


def failing(*hosts: str) -> Document:
    """A check in which TCP to these hosts got no answer."""
    timeout = Failure(Stage.TCP, "timeout", "no answer within 4 s")
    return Document(
        "check.json",
        Kind.ARCFERRY_CHECK,
        attempts=tuple(
            Attempt(
                host, "check.json", reachable=False, required=True, failure=timeout, address=ADDRESSES[host]
            )
            for host in hosts
        ),
        answers=tuple(DnsAnswer(host, (), (ADDRESSES[host],), "10.0.0.53") for host in hosts),
    )


def of_circuit(circuit: Circuit) -> Document:
    return Document(f"{circuit.name}.json", Kind.CIRCUIT, circuit=circuit)


def of_filter(known: RouteFilter) -> Document:
    return Document("rf.json", Kind.ROUTE_FILTER, route_filter=known)


def tags() -> Document:
    return Document(
        "tags.json", Kind.SERVICE_TAGS, service_tags=read_service_tags(TAGS, "ServiceTags_Public.json")
    )


def the(cause: str, *documents: Document) -> Finding:
    (found,) = (one for one in judge(documents).findings if one.cause == cause)
    return found


@pytest.mark.parametrize(
    ("circuits", "cause", "says"),
    [
        ([DISABLED], "route/peering-down", ["the circuit er-hk is Disabled in Azure"]),
        (
            [replace(CIRCUIT, microsoft=None)],
            "route/peering-down",
            ["er-hk has no Microsoft peering"],
        ),
        (
            [DISABLED, UNFILTERED],
            "route/no-route-filter",
            [
                "the circuit er-hk is Disabled in Azure",
                "no route filter is attached to Microsoft peering, so Microsoft advertises nothing",
            ],
        ),
    ],
    ids=["disabled", "no-peering", "one-disabled-the-other-without-a-filter"],
)
def test_a_circuit_s_finding_says_of_each_circuit_why_nothing_comes(
    circuits: list[Circuit], cause: str, says: list[str]
) -> None:
    documents = [of_circuit(one) for one in circuits]
    alone = the(cause, *documents)
    assert [one.says for one in alone.evidence] == says
    assert alone.confidence is Confidence.EXPECTED
    assert alone.endpoints == ()
    of_endpoint = the(cause, failing("gbl.his.arc.azure.com"), *documents)
    assert [one.host for one in of_endpoint.endpoints] == ["gbl.his.arc.azure.com"]
    assert [one.says for one in of_endpoint.evidence[-len(says) :]] == says


def test_a_circuit_that_may_carry_leaves_no_finding_of_another_that_does_not() -> None:
    untold = Circuit("er-jp", lists_peerings=False)
    for one in (CIRCUIT, untold):
        found = judge([failing("gbl.his.arc.azure.com"), of_circuit(DISABLED), of_circuit(one)]).findings
        assert not {"route/peering-down", "route/no-route-filter"} & {each.cause for each in found}


def test_each_filter_that_is_attached_is_fetched_by_its_own_command() -> None:
    other = replace(CIRCUIT, name="er-sg", microsoft=replace(UP, route_filter="rf-m365"))
    known = RouteFilter("rf-arc", frozenset({EAST_ASIA}), frozenset(), "Succeeded", origin="rf-arc.json")
    found = the(
        "route/filter-not-attached",
        failing("gbl.his.arc.azure.com"),
        of_circuit(CIRCUIT),
        of_circuit(other),
        of_filter(known),
    )
    assert found.title == "er-hk and er-sg uses route filter rf and rf-m365, not rf-arc"
    assert [command.text.partition(" --output")[0] for command in found.remedy.commands[:2]] == [
        f"az network route-filter show --ids {ID}/routeFilters/rf",
        "az network route-filter show --resource-group RESOURCE-GROUP --name rf-m365",
    ]


def test_what_a_filter_denies_is_told_of_every_endpoint_of_the_finding() -> None:
    denied = frozenset({EAST_ASIA, JAPAN_EAST})
    known = RouteFilter("rf", frozenset(), denied, "Succeeded", denying=("no-asia",), origin="rf.json")
    found = the("route/community-denied", failing(*ADDRESSES), tags(), of_filter(known))
    assert found.title == (
        "Route filter rf denies 12076:51010 (East Asia) and 12076:51012 (Japan East), needed for 2 endpoints"
    )
    assert "rule delete --resource-group RESOURCE-GROUP --filter-name rf --name no-asia" in "\n".join(
        command.text for command in found.remedy.commands
    )
