from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path as FilePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry import catalog
from arcferry.diagnosis.audit import Audit, Path, Row, audit
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.reading import read_document
from arcferry.probe.observation import Attempt, DnsAnswer, Failure, Stage
from arcferry.report.audit import cells
from arcferry.routing.azure_json import read_service_tags
from arcferry.routing.circuit import Circuit, Peering, Tier
from arcferry.routing.coverage import Verdict
from arcferry.routing.reception import Reception
from arcferry.routing.route import Route, Vantage, route_table
from arcferry.routing.route_filter import RouteFilter

CLOUD = catalog.cloud("AzureCloud")
REGION = catalog.region("eastasia")
DAY = datetime(2026, 11, 20, 8, tzinfo=UTC)
ARC = "AzureArcInfrastructure"
GAS = "agentserviceapi.guestconfiguration.azure.com"
OWN = "eastasia-gas.guestconfiguration.azure.com"
LOGIN = "login.microsoftonline.com"
ADDRESS, OWN_ADDRESS, EDGE = "40.115.144.3", "20.187.194.204", "13.107.213.40"
V6 = "2603:1040:401::5"


def _tag(name: str, region: str, *prefixes: str) -> dict[str, object]:
    return {"name": name, "properties": {"region": region, "addressPrefixes": [*prefixes]}}


TAGS = Document(
    "tags.json",
    Kind.SERVICE_TAGS,
    DAY,
    service_tags=read_service_tags(
        {
            "cloud": "Public",
            "changeNumber": 375,
            "values": [
                _tag(
                    "AzureArcInfrastructure.JapanEast", "japaneast", "40.115.144.0/30", "2603:1040:401::/48"
                ),
                _tag("AzureCloud.japaneast", "japaneast", "40.115.128.0/17", "2603:1040:400::/40"),
                _tag(f"{ARC}.EastAsia", "eastasia", "20.187.194.204/30"),
                _tag("AzureCloud.eastasia", "eastasia", "20.187.128.0/17"),
                _tag("AzureFrontDoor.Frontend", "", "13.107.213.0/24"),
                _tag("AzureActiveDirectory", "", "20.190.128.0/18"),
            ],
        },
        "tags.json",
    ),
)


def rule(*values: str) -> Document:
    held = RouteFilter("rf-arc", frozenset(values), frozenset(), "Succeeded", origin="filter.json")
    return Document("filter.json", Kind.ROUTE_FILTER, route_filter=held)


def answers(host: str, *addresses: str) -> Document:
    answer = DnsAnswer(host, (), addresses, "10.0.0.53", origin="dns.json", taken=DAY)
    return Document("dns.json", Kind.DNS_ANSWERS, DAY, answers=(answer,))


def routes(*listed: Route, complete: bool = True, vantage: Vantage = Vantage.ROUTER) -> Document:
    table = route_table("rtr1.txt", listed, format="frr-json", taken=DAY, complete=complete, vantage=vantage)
    return Document("rtr1.txt", Kind.RECEIVED_ROUTES, DAY, route_table=table)


def route(prefix: str, *communities: str) -> Route:
    return Route(prefix, communities, "192.0.2.2", (12076,), best=True)


def seen(host: str, *, address: str = "", failure: Failure | None = None, proxied: bool = False) -> Document:
    attempt = Attempt(
        host,
        "check.json",
        failure is None,
        DAY,
        required=True,
        address=address,
        failure=failure,
        proxied=proxied,
    )
    return Document("check.json", Kind.ARCFERRY_CHECK, DAY, attempts=(attempt,))


def circuit(
    tier: Tier = Tier.PREMIUM, *, peering: Peering | None = None, ipv6: Peering | None = None
) -> Document:
    held = peering or Peering(state="Enabled", route_filter="rf-arc")
    found = Circuit("er-hk", tier, "Hong Kong", "Provisioned", held, ipv6)
    return Document("circuit.json", Kind.CIRCUIT, circuit=found)


def circuit_in(**states: str) -> Document:
    """The same circuit, all in order but for what is named."""
    found = circuit().circuit
    assert found is not None
    return Document("circuit.json", Kind.CIRCUIT, circuit=replace(found, **states))


DISABLED, NOT_PROVISIONED = circuit_in(state="Disabled"), circuit_in(provisioning="NotProvisioned")
JAPAN = route("40.115.128.0/17", "12076:51012")
DEFAULT = Route("0.0.0.0/0", (), "10.0.0.1", (64500,), best=True)
ELSEWHERE = route("20.187.128.0/17", "12076:51010")
TIMEOUT = Failure(Stage.TCP, "timeout", "no answer within 5 s")
HANDSHAKE = Failure(Stage.TLS, "handshake-failed", "alert")
EAST_ASIA, JAPAN_EAST, ENTRA = "12076:51010", "12076:51012", "12076:5060"


def only(found: Audit) -> Row:
    (row,) = found.rows
    return row


# expected verdict, reception, agrees, path
CASES = {
    "in-the-filter-and-received": (
        [rule(JAPAN_EAST), answers(GAS, ADDRESS), routes(JAPAN)],
        ("carried", "received", True, "there"),
    ),
    "not-in-the-filter-and-no-route": (
        [rule(EAST_ASIA), answers(GAS, ADDRESS), routes(ELSEWHERE)],
        ("not-in-filter", "not-received", True, "missing"),
    ),
    "in-the-filter-and-no-route": (
        [rule(JAPAN_EAST), answers(GAS, ADDRESS), routes(ELSEWHERE)],
        ("carried", "not-received", False, "missing"),
    ),
    "not-in-the-filter-and-received": (
        [rule(EAST_ASIA), answers(GAS, ADDRESS), routes(JAPAN)],
        ("not-in-filter", "received", False, "there"),
    ),
    "in-the-filter-and-another-path": (
        [rule(JAPAN_EAST), answers(GAS, ADDRESS), routes(DEFAULT)],
        ("carried", "another-path", False, "missing"),
    ),
    "in-the-filter-and-dropped-here": (
        [rule(JAPAN_EAST), answers(GAS, ADDRESS), routes(replace(JAPAN, filtered=True))],
        ("carried", "filtered-here", False, "missing"),
    ),
    "part-of-a-table": (
        [rule(JAPAN_EAST), answers(GAS, ADDRESS), routes(ELSEWHERE, complete=False)],
        ("carried", "unknown", None, "there"),
    ),
    "azures-table-proves-no-reception": (
        [rule(EAST_ASIA), answers(GAS, ADDRESS), routes(JAPAN, vantage=Vantage.AZURE)],
        ("not-in-filter", "unknown", None, "missing"),
    ),
    "only-a-filter": (
        [rule(EAST_ASIA), answers(GAS, ADDRESS)],
        ("not-in-filter", "unknown", None, "missing"),
    ),
    "no-filter-and-received": (
        [answers(GAS, ADDRESS), routes(JAPAN)],
        ("unknown", "received", None, "there"),
    ),
    "no-filter-no-routes": ([answers(GAS, ADDRESS)], ("unknown", "unknown", None, "unknown")),
    "front-door": ([rule(JAPAN_EAST), answers(GAS, EDGE)], ("not-on-peering", "unknown", None, "missing")),
    "name-not-found": (
        [rule(EAST_ASIA), seen(GAS, failure=Failure(Stage.DNS, "nxdomain", "no such name"))],
        ("unknown", "unknown", None, "unknown"),
    ),
    "private-although-the-peering-is-down": (
        [rule(JAPAN_EAST), circuit(peering=Peering(state="Disabled")), answers(GAS, "10.1.2.3")],
        ("private", "unknown", None, "unknown"),
    ),
    "private": ([rule(JAPAN_EAST), answers(GAS, "10.1.2.3")], ("private", "unknown", None, "unknown")),
    "received-and-tcp-fails": (
        [rule(JAPAN_EAST), routes(JAPAN), seen(GAS, address=ADDRESS, failure=TIMEOUT)],
        ("carried", "received", False, "missing"),
    ),
    "tls-fails-behind-a-working-path": (
        [rule(JAPAN_EAST), routes(JAPAN), seen(GAS, address=ADDRESS, failure=HANDSHAKE)],
        ("carried", "received", True, "there"),
    ),
    "reached-over-another-path": (
        [rule(EAST_ASIA), routes(DEFAULT), seen(GAS, address=ADDRESS)],
        ("not-in-filter", "another-path", False, "there"),
    ),
    "through-a-proxy": (
        [rule(EAST_ASIA), routes(ELSEWHERE), answers(GAS, ADDRESS), seen(GAS, proxied=True)],
        ("not-in-filter", "not-received", None, "there"),
    ),
    "beyond-the-sku": (
        [rule(JAPAN_EAST), circuit(Tier.STANDARD), answers(GAS, ADDRESS), routes(ELSEWHERE)],
        ("carried", "not-received", True, "missing"),
    ),
    "peering-disabled": (
        [rule(JAPAN_EAST), circuit(peering=Peering(state="Disabled")), answers(GAS, ADDRESS)],
        ("carried", "unknown", None, "missing"),
    ),
    "circuit-disabled": (
        [rule(JAPAN_EAST), DISABLED, answers(GAS, ADDRESS)],
        ("carried", "unknown", None, "missing"),
    ),
    "circuit-not-provisioned": (
        [rule(JAPAN_EAST), NOT_PROVISIONED, answers(GAS, ADDRESS)],
        ("carried", "unknown", None, "missing"),
    ),
    "filter-not-the-attached-one": (
        [
            rule(JAPAN_EAST),
            circuit(peering=Peering(state="Enabled", route_filter="/x/rf-other")),
            answers(GAS, ADDRESS),
        ],
        ("carried", "unknown", None, "unknown"),
    ),
    "ipv6-without-its-peering": (
        [rule(JAPAN_EAST), circuit(), answers(GAS, V6)],
        ("carried", "unknown", None, "missing"),
    ),
    "ipv6-with-its-peering": (
        [rule(JAPAN_EAST), circuit(ipv6=Peering(state="Enabled", route_filter="rf-arc")), answers(GAS, V6)],
        ("carried", "unknown", None, "there"),
    ),
}


@pytest.mark.parametrize(("documents", "wanted"), CASES.values(), ids=CASES)
def test_expected_beside_observed(
    documents: list[Document], wanted: tuple[str, str, bool | None, str]
) -> None:
    row = only(audit([TAGS, *documents], (), CLOUD, None))
    found = (row.expected.verdict.value, row.observed.reception.value, row.agrees, row.path.value)
    assert found == wanted


# the case, and what a difference must say
EXPLAINED = {
    "in-the-filter-and-no-route": "the filter allows 12076:51012 (Japan East), and no route came",
    "not-in-the-filter-and-received": "a route came although rf-arc does not allow its community",
    "in-the-filter-and-another-path": "the router sends it by the default route, which is not from Microsoft",
    "in-the-filter-and-dropped-here": "this router's own inbound policy drops it",
    "received-and-tcp-fails": "the route is there, and the connection is not (tcp timeout)",
    "reached-over-another-path": "it is reached over another path than Microsoft peering",
    "through-a-proxy": "a proxy stands between",
    "beyond-the-sku": "the circuit's SKU does not reach Japan East, whatever the filter holds",
    "peering-disabled": "the Microsoft peering of circuit er-hk is Disabled",
    "circuit-disabled": "circuit er-hk is Disabled in Azure",
    "circuit-not-provisioned": "the provider's side of circuit er-hk is NotProvisioned",
    "filter-not-the-attached-one": "circuit er-hk holds route filter rf-other, which was not handed in",
    "ipv6-without-its-peering": "circuit er-hk has no IPv6 Microsoft peering",
}


@pytest.mark.parametrize("case", EXPLAINED)
def test_every_difference_is_explained(case: str) -> None:
    row = only(audit([TAGS, *CASES[case][0]], (), CLOUD, None))
    assert any(EXPLAINED[case] in sentence for sentence in row.differences), row.differences


@pytest.mark.parametrize("case", sorted(name for name, (_, wanted) in CASES.items() if wanted[2] is False))
def test_no_disagreement_without_a_word(case: str) -> None:
    assert only(audit([TAGS, *CASES[case][0]], (), CLOUD, None)).differences


def test_what_agrees_needs_no_explanation() -> None:
    row = only(audit([TAGS, *CASES["in-the-filter-and-received"][0]], (), CLOUD, None))
    assert row.differences == ()


def test_the_observed_side_names_the_route() -> None:
    row = only(audit([TAGS, *CASES["in-the-filter-and-received"][0]], (), CLOUD, None))
    seen_here = row.observed
    assert (seen_here.prefixes, seen_here.communities) == (("40.115.128.0/17",), (JAPAN_EAST,))
    assert (seen_here.next_hops, seen_here.table, seen_here.taken) == (("192.0.2.2",), "rtr1.txt", DAY)
    assert (row.addresses, row.resolver, row.answered) == ((ADDRESS,), "10.0.0.53", DAY)


def test_a_route_whose_community_names_another_region_is_told() -> None:
    moved = route("40.115.128.0/17", "12076:51013")
    row = only(audit([TAGS, rule(JAPAN_EAST), answers(GAS, ADDRESS), routes(moved)], (), CLOUD, None))
    assert "the route carries 12076:51013 (Japan West), tags and lists say Japan East: they are older" in (
        row.differences
    )


def test_addresses_of_which_the_same_is_true_are_one_row() -> None:
    many = [f"20.190.{number}.1" for number in range(128, 136)]
    entra = route("20.190.128.0/18", ENTRA)
    found = audit([TAGS, rule(ENTRA), answers(LOGIN, *many, EDGE), routes(entra)], (), CLOUD, None)
    assert [(row.addresses, row.path) for row in found.rows] == [
        ((EDGE,), Path.MISSING),
        (tuple(many), Path.THERE),
    ]


@pytest.mark.parametrize(
    ("documents", "path"),
    [
        pytest.param([answers(GAS, ADDRESS, EDGE)], Path.MISSING, id="the-worst-address"),
        pytest.param([answers(GAS, ADDRESS, V6), circuit()], Path.THERE, id="ipv4-before-ipv6"),
        pytest.param([answers(GAS, V6), circuit()], Path.MISSING, id="ipv6-alone"),
        pytest.param([answers(GAS, ADDRESS, EDGE), seen(GAS, address=ADDRESS)], Path.THERE, id="reached"),
    ],
)
def test_the_path_to_a_host_over_all_its_addresses(documents: list[Document], path: Path) -> None:
    found = audit([TAGS, rule(JAPAN_EAST), *documents], (), CLOUD, None)
    assert found.path_to(GAS) is path
    assert (GAS in found.missing) is (path is Path.MISSING)


def test_without_answers_the_region_tells_what_is_expected() -> None:
    found = audit([rule(EAST_ASIA, ENTRA)], (), CLOUD, REGION)
    rows = {row.host: row for row in found.rows}
    assert {*rows} == {endpoint.host for endpoint in catalog.endpoints(CLOUD, REGION)}
    assert (rows[OWN].expected.verdict, rows[OWN].path) == (Verdict.CARRIED, Path.THERE)
    assert (rows[LOGIN].expected.community, rows[LOGIN].path) == (ENTRA, Path.THERE)
    # 12076:5070 is not in the filter, but an address of Resource Manager may lie in East Asia as well.
    assert rows["management.azure.com"].path is Path.UNKNOWN
    # Where the global name answers is not known before it has answered.
    assert rows[GAS].path is Path.UNKNOWN
    assert rows[GAS].expected.says.startswith("any region that it answers in")
    assert found.would_sharpen[0] == "dns-answers"
    assert "circuit" in found.would_sharpen


@pytest.mark.parametrize("location", ["eastasia", "swedencentral"])
def test_a_circuit_that_carries_nothing_has_no_path_for_any_name(location: str) -> None:
    """The table and the finding beneath it rest on the same judgement."""
    region = catalog.region(location)
    found = audit([rule(EAST_ASIA, ENTRA), DISABLED], (), CLOUD, region)
    assert [row.host for row in found.rows if row.path is not Path.MISSING] == []
    assert [finding.cause for finding in found.diagnosis.findings] == ["route/peering-down"]
    cells_of = [cells(row) for row in found.rows]
    assert {one[-1] for one in cells_of} == {"MISSING"}


def test_without_answers_routes_that_carry_the_community_are_observed() -> None:
    found = audit([rule(EAST_ASIA, ENTRA), routes(ELSEWHERE)], (), CLOUD, REGION)
    rows = {row.host: row for row in found.rows}
    assert (rows[OWN].observed.reception, rows[OWN].agrees) == (Reception.RECEIVED, True)
    assert rows[OWN].observed.says == "rtr1.txt of 2026-11-20 holds 1 route with 12076:51010 (East Asia)"
    assert (rows[LOGIN].observed.reception, rows[LOGIN].agrees) == (Reception.NOT_RECEIVED, False)
    assert rows[GAS].observed.reception is Reception.UNKNOWN
    assert LOGIN in found.missing


def test_a_table_that_shows_no_communities_proves_no_lack_of_them() -> None:
    plain = Document(
        "list.txt",
        Kind.RECEIVED_ROUTES,
        route_table=route_table("list.txt", [Route("20.187.128.0/17")], format="x", shows_communities=False),
    )
    rows = {row.host: row for row in audit([rule(EAST_ASIA), plain], (), CLOUD, REGION).rows}
    assert rows[OWN].observed.reception is Reception.UNKNOWN


def test_what_documents_speak_of_is_not_repeated_by_the_location() -> None:
    regional = seen("ea.his.arc.azure.com", address=OWN_ADDRESS)
    found = audit([TAGS, rule(EAST_ASIA), answers(GAS, ADDRESS), regional], (), CLOUD, REGION)
    hosts = [row.host for row in found.rows]
    assert len(hosts) == len(set(hosts))
    assert "" not in hosts


def test_the_service_s_own_community_is_not_cut_by_the_sku() -> None:
    abroad = answers(LOGIN, "20.190.128.1")
    row = only(audit([TAGS, rule(ENTRA), circuit(Tier.LOCAL), abroad], (), CLOUD, None))
    assert (row.expected.within_reach, row.path) == (None, Path.THERE)


@pytest.mark.parametrize(
    ("cloud", "location"),
    [
        ("AzureCloud", "swedencentral"),
        ("AzureUSGovernment", "usgovvirginia"),
        ("AzureChinaCloud", "chinanorth3"),
    ],
)
def test_every_cloud_and_a_region_without_a_community(cloud: str, location: str) -> None:
    chosen = catalog.cloud(cloud)
    region = catalog.region(location, chosen)
    found = audit([rule(EAST_ASIA)], (), chosen, region)
    assert len(found.rows) == len(catalog.endpoints(chosen, region))
    own = next(row for row in found.rows if row.host.startswith(f"{location}-gas."))
    known = catalog.region_community(location)
    assert own.expected.community == (known.value if known else "")
    assert own.path is (Path.MISSING if known else Path.UNKNOWN)


def test_a_region_s_name_is_not_taken_for_another_s_that_begins_with_it() -> None:
    east_us = catalog.region("eastus")
    other = seen("eastus2-gas.guestconfiguration.azure.com", failure=Failure(Stage.DNS, "nxdomain", ""))
    rows = {row.host: row for row in audit([rule("12076:51004"), other], (), CLOUD, east_us).rows}
    assert rows["eastus2-gas.guestconfiguration.azure.com"].expected.region == ""
    assert rows["eastus-gas.guestconfiguration.azure.com"].expected.region == "eastus"


def test_nothing_at_all_gives_no_row() -> None:
    assert audit([], (), CLOUD, None).rows == ()


def test_the_findings_are_those_of_the_diagnosis() -> None:
    found = audit([TAGS, rule(EAST_ASIA), answers(GAS, ADDRESS)], (), CLOUD, None)
    assert "route/community-not-in-filter" in [finding.cause for finding in found.diagnosis.findings]


SHARED = FilePath(__file__).parents[3] / "shared"


@pytest.mark.shared
def test_the_incident_beside_what_is_known_of_the_region() -> None:
    if not SHARED.exists():
        pytest.skip("no shared cases beside the checkout")
    case, data = SHARED / "cases" / "eastasia-2024", SHARED / "data"
    paths = [
        case / "check.txt",
        case / "dns.json",
        case / "route-filter.json",
        data / "ServiceTags_Public_20251028.json",
        data / "bgp-service-communities-2019-05-30.json",
    ]
    documents = [one for path in paths for one in read_document(path.name, path.read_bytes())]
    found = audit(documents, (), CLOUD, REGION)
    paths_of = {row.host: row.path for row in found.rows if row.required}
    assert [host for host, path in paths_of.items() if path is Path.MISSING] == [GAS]
    assert {path for host, path in paths_of.items() if host != GAS} == {Path.THERE}
    gas = next(row for row in found.rows if row.host == GAS)
    assert (gas.expected.service_tag, gas.expected.community) == (f"{ARC}.JapanEast", JAPAN_EAST)
    assert (gas.expected.in_filter, gas.observed.connected, gas.agrees) == (False, False, True)


ANY = st.lists(
    st.sampled_from([TAGS, *(document for documents, _ in CASES.values() for document in documents)]),
    max_size=8,
)


@given(ANY, st.sampled_from([None, REGION]))
def test_any_documents_give_rows_that_hold_together(
    documents: list[Document], region: catalog.Region
) -> None:
    for row in audit(documents, (), CLOUD, region).rows:
        if row.agrees is False:
            assert row.differences
        if row.agrees is not None:
            assert row.expected.path is not None
        if row.observed.path is not None:
            assert (row.path is Path.THERE) is row.observed.path
