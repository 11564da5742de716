"""Evidence that is kept and read back is the same evidence, in the same words, or less of it."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.diagnosis import judge
from arcferry.errors import FileInputError
from arcferry.evidence import kept
from arcferry.evidence.case import Case, Document, Kind
from arcferry.evidence.reading import read_document
from arcferry.probe.observation import Attempt, DnsAnswer
from arcferry.report import as_json
from arcferry.routing.azure_json import read_service_tags
from arcferry.routing.circuit import Circuit, Peering, Tier
from arcferry.routing.route import Route, Vantage, route_table
from arcferry.routing.route_filter import RouteFilter

CASES = Path(__file__).parents[1] / "cases"
HOST = "gbl.his.arc.azure.com"
_NAME = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)
_WORD = st.sampled_from(["", "Enabled", "Disabled", "Provisioned", "Succeeded"])
_COMMUNITY = st.integers(1, 65535).map(lambda number: f"12076:{number}")
_PREFIX = st.builds(
    lambda number, length: str(ip_network((number, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 32),
)
_DAY = st.none() | st.dates(date(2019, 1, 1), date(2030, 1, 1))
_PEERING = st.builds(
    Peering,
    state=_WORD,
    primary_prefix=st.just("") | _PREFIX,
    secondary_prefix=st.just("") | _PREFIX,
    advertised_prefixes=st.lists(_PREFIX, max_size=3).map(tuple),
    advertised_state=_WORD,
    legacy=st.none() | st.booleans(),
    route_filter=st.just("") | _NAME,
)
_CIRCUIT = st.builds(
    Circuit,
    name=_NAME,
    tier=st.sampled_from(list(Tier)),
    peering_location=st.sampled_from(["", "Hong Kong"]),
    provisioning=_WORD,
    microsoft=_PEERING,
    microsoft_ipv6=st.none() | _PEERING,
    state=_WORD,
    resource_group=st.just("") | _NAME,
    direct=st.booleans(),
    family=st.sampled_from(["", "MeteredData"]),
)


def again(*documents: Document) -> tuple[Document, ...]:
    return read_document("kept.json", json.dumps(kept.to_json(Case(documents))).encode())


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_every_case_is_judged_again_in_the_same_words(folder: Path) -> None:
    paths = [path for path in sorted(folder.iterdir()) if path.name != "expected.toml"]
    handed_in = [one for path in paths for one in read_document(path.name, path.read_bytes())]
    first = judge(handed_in)
    told = json.dumps(as_json.findings(first)).encode()
    again = as_json.findings(judge(read_document("findings.json", told)))
    assert json.loads(json.dumps(again)) == json.loads(told)


@given(_CIRCUIT)
def test_a_circuit_is_read_back_whole(circuit: Circuit) -> None:
    (read,) = again(Document("circuit.json", Kind.CIRCUIT, circuit=circuit))
    assert read.circuit == circuit


@given(_CIRCUIT.map(lambda one: replace(one, microsoft=None, microsoft_ipv6=None)), st.booleans())
def test_a_circuit_without_a_peering_is_too(circuit: Circuit, listed: bool) -> None:  # drawn
    (read,) = again(Document("circuit.json", Kind.CIRCUIT, circuit=replace(circuit, lists_peerings=listed)))
    assert read.circuit == replace(circuit, lists_peerings=listed)


@given(
    st.lists(_COMMUNITY, max_size=4, unique=True),
    st.lists(_COMMUNITY, max_size=2, unique=True),
    _DAY,
)
def test_a_filter_is_read_back_whole(allowed: list[str], denied: list[str], day: date | None) -> None:
    given_filter = RouteFilter(
        name="rf",
        communities=frozenset(allowed),
        denied=frozenset(denied),
        provisioning_state="Succeeded",
        resource_group="rg",
        rule="allow" if allowed else "",
        in_order=tuple(allowed),
        denying=("deny",) if denied else (),
        origin="route-filter.json",
        taken=day,
    )
    (read,) = again(Document("held filter", Kind.ROUTE_FILTER, route_filter=given_filter))
    assert read.route_filter == given_filter


def answered(*addresses: str) -> Document:
    answer = DnsAnswer(HOST, (), addresses, origin="dns.json", taken=datetime(2026, 11, 23, tzinfo=UTC))
    return Document("dns.json", Kind.DNS_ANSWERS, answers=(answer,))


def tags(**prefixes: list[str]) -> Document:
    rows = [
        {
            "name": f"AzureArcInfrastructure.{region}",
            "properties": {"region": region, "addressPrefixes": held},
        }
        for region, held in prefixes.items()
    ]
    found = read_service_tags({"cloud": "Public", "changeNumber": 1, "values": rows}, "tags-20261101.json")
    return Document("tags-20261101.json", Kind.SERVICE_TAGS, service_tags=found)


def test_of_tags_those_of_an_address_are_kept_and_one_prefix_of_each_other_region() -> None:
    many = [f"198.51.{number}.0/24" for number in range(200)]
    whole = (answered("203.0.113.5"), tags(eastasia=["203.0.113.0/24", "192.0.2.0/24"], japaneast=many))
    _, read = again(*whole)
    assert read.service_tags is not None
    assert len(read.service_tags.prefixes) == 2
    assert read.service_tags.matches("203.0.113.5")[0].region == "eastasia"
    assert read.service_tags.taken == date(2026, 11, 1)


def test_what_was_shortened_says_nothing_of_another_address() -> None:
    """Else the lack of its prefix would be taken for an address that Microsoft peering does not carry."""
    documents = again(answered("203.0.113.5"), tags(eastasia=["203.0.113.0/24"]))
    held = tags(japaneast=["198.51.100.0/24"])
    assert [one.name for one in Case.of(documents, [held]).handed_in] == ["dns.json", "tags-20261101.json"]
    both = Case.of([*documents, answered("198.51.100.7")], [held])
    (followed,) = both.service_tags
    assert followed.matches("198.51.100.7")[0].region == "japaneast"


def test_what_was_kept_yields_to_what_is_handed_in() -> None:
    old, new = (RouteFilter(name, frozenset(), frozenset(), "", origin=name) for name in ("old", "new"))
    documents = again(Document("old", Kind.ROUTE_FILTER, route_filter=old))
    case = Case.of([*documents, Document("new", Kind.ROUTE_FILTER, route_filter=new)])
    assert [one.name for one in case.filters] == ["new"]


def test_of_a_million_routes_those_that_cover_an_address_are_kept() -> None:
    routes = [Route(f"10.{high}.{low}.0/24", as_path=(65000,)) for high in range(20) for low in range(256)]
    routes.append(Route("203.0.113.0/24", ("12076:51010",), "192.0.2.1", (12076, 8075), best=True))
    table = route_table("rtr1.txt", routes, format="frr-json", vantage=Vantage.ROUTER)
    text = json.dumps(
        kept.to_json(
            Case((answered("203.0.113.5"), Document("rtr1.txt", Kind.RECEIVED_ROUTES, route_table=table)))
        )
    )
    assert len(text) < 1500
    _, read = read_document("kept.json", text.encode())
    assert read.route_table is not None
    assert list(read.route_table.routes) == routes[-1:]
    assert (read.route_table.size, read.route_table.values) == (5121, {"12076:51010": 1})


def test_servers_are_judged_apart_and_named() -> None:
    def failing(name: str, host: str) -> Document:
        seen = Attempt(host, f"{name}: path", reachable=False)
        return Document(f"{name}: path", Kind.ARCFERRY_CHECK, attempts=(seen,), servers=(name, f"{name}b"))

    documents = (failing("web01", HOST), failing("db01", "login.microsoftonline.com"))
    findings = judge(documents).findings
    assert {one.servers for one in findings} == {("web01", "web01b"), ("db01", "db01b")}
    assert judge(again(*documents)).findings == findings


def test_of_a_watch_s_rounds_the_last_counts() -> None:
    rounds = [kept.to_json(Case((answered(address),))) for address in ("203.0.113.5", "203.0.113.6")]
    lines = [line for one in rounds for line in (one, {"schema": 1, "kind": "watch-round"})]
    (read,) = read_document("watch.jsonl", "\n".join(map(json.dumps, lines)).encode())
    assert read.answers[0].addresses == ("203.0.113.6",)


def test_nothing_judged_is_nothing_to_tell() -> None:
    assert judge(again()).findings == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"schema": 2}, r"^kept\.json: evidence of schema 2; this reads 1$"),
        (
            {"documents": [{"kind": "route-filter", "route_filter": {"rules": [{"access": "?"}]}}]},
            r"^kept\.json: its evidence: .*neither Allow nor Deny",
        ),
    ],
)
def test_wrong_evidence_is_named(changed: dict[str, Any], says: str) -> None:
    text = json.dumps({"schema": 1, "kind": "evidence", "documents": []} | changed)
    with pytest.raises(FileInputError, match=says):
        read_document("kept.json", text.encode())
