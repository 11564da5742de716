from io import StringIO

import pytest
from rich.console import Console

from arcferry import catalog
from arcferry.diagnosis.audit import Audit, audit
from arcferry.evidence.case import Document, Kind
from arcferry.probe.observation import DnsAnswer
from arcferry.report import audit as report
from arcferry.routing.circuit import Circuit, Peering, Tier
from arcferry.routing.route import Route, route_table
from arcferry.routing.route_filter import RouteFilter

CLOUD = catalog.cloud("AzureCloud")
REGION = catalog.region("eastasia")
HOST = "agentserviceapi.guestconfiguration.azure.com"


def _audit(*documents: Document, region: catalog.Region | None = None) -> Audit:
    return audit(documents, (), CLOUD, region)


def _drawn(result: Audit, *, terminal: bool = False, width: int = 200) -> str:
    out = StringIO()
    report.draw(result, Console(file=out, force_terminal=terminal, width=width, highlight=False))
    return out.getvalue()


def rule(*values: str, name: str = "rf-arc") -> Document:
    held = RouteFilter(name, frozenset(values), frozenset(), "Succeeded", origin="f.json")
    return Document("f.json", Kind.ROUTE_FILTER, route_filter=held)


def answers(*addresses: str) -> Document:
    return Document(
        "dns.json", Kind.DNS_ANSWERS, answers=(DnsAnswer(HOST, (), addresses, origin="dns.json"),)
    )


def routes(*listed: Route) -> Document:
    table = route_table("rtr1.txt", listed, format="bird")
    return Document("rtr1.txt", Kind.RECEIVED_ROUTES, route_table=table)


DEFAULT = Route("0.0.0.0/0", (), "10.0.0.1", (64500,), best=True)
MICROSOFT = Route("40.115.128.0/17", ("12076:51012",), "192.0.2.2", (12076,), best=True)


def test_the_plain_table_has_a_line_an_endpoint_in_columns() -> None:
    lines = _drawn(_audit(rule("12076:51010"), region=REGION)).splitlines()
    table = lines[lines.index("") + 1 :]
    assert [cell.strip() for cell in table[0].split("|")] == list(report.HEADERS)
    rows = table[1 : 1 + len(catalog.endpoints(CLOUD, REGION))]
    assert {line.count("|") for line in rows} == {len(report.HEADERS) - 1}
    assert {line.index("|") for line in rows} == {table[0].index("|")}


def test_a_regional_his_host_that_nobody_knows_yet_has_a_name() -> None:
    assert "<regional HIS>" in _drawn(_audit(rule("12076:51010"), region=REGION))


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        (
            [answers("40.115.144.3"), routes(DEFAULT)],
            "another path: the default route through 10.0.0.1 (rtr1.txt)",
        ),
        (
            [answers("40.115.144.3"), routes(MICROSOFT)],
            "received: 40.115.128.0/17 with 12076:51012 through 192.0.2.2 (rtr1.txt)",
        ),
        ([answers("40.115.144.3"), routes()], "is a whole table of 0 routes, and none holds 40.115.144.3"),
        ([answers("40.115.144.3")], "|nothing"),
        ([answers("40.115.144.3", "40.115.144.9")], f"{HOST} 40.115.144.3 and 1 more"),
    ],
)
def test_what_a_row_says(documents: list[Document], says: str) -> None:
    assert says in _drawn(_audit(rule("12076:51012"), *documents))


def test_a_sentence_about_every_endpoint_is_said_once() -> None:
    disabled = Circuit("er-hk", Tier.PREMIUM, "Hong Kong", microsoft=Peering(state="Disabled"))
    drawn = _drawn(_audit(Document("c", Kind.CIRCUIT, circuit=disabled), region=REGION))
    assert drawn.count("the Microsoft peering of circuit er-hk is Disabled") == 1
    assert "  every endpoint: the Microsoft peering of circuit er-hk is Disabled" in drawn


def test_a_terminal_gets_colour_and_every_word_that_a_pipe_gets() -> None:
    result = _audit(rule("12076:51010"), answers("40.115.144.3"), routes(DEFAULT))
    drawn = _drawn(result, terminal=True)
    assert "\x1b[" in drawn
    for header in report.HEADERS:
        assert header in drawn
    assert "\x1b" not in _drawn(result)


def test_what_a_file_says_cannot_steer_the_terminal() -> None:
    circuit = Circuit("er\x1b[2J", Tier.PREMIUM, "Hong\nKong", microsoft=Peering(state="\x1b]0;x\x07"))
    drawn = _drawn(
        _audit(rule("12076:51010"), Document("c\x1b[2J", Kind.CIRCUIT, circuit=circuit), region=REGION)
    )
    assert "\x1b" not in drawn
    assert "Hong Kong" in drawn


def test_the_sum_counts_hosts_and_not_rows() -> None:
    result = _audit(rule("12076:51010"), answers("40.115.144.3", "13.107.213.40"), routes(MICROSOFT))
    assert len(result.rows) == 2
    assert report.summary(result).startswith(
        "1 required endpoint: the path to 0 is there, to 1 missing, to 0 not known; 0 not as expected."
    )
