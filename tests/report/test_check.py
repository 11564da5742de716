import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from arcferry import catalog
from arcferry.catalog import Carrier, Endpoint, Source, Steering, When
from arcferry.diagnosis import judge
from arcferry.probe.https import CheckResult
from arcferry.probe.observation import DnsAnswer, Failure, HttpAnswer, Observation, Stage, TlsSession
from arcferry.report import check as report
from arcferry.report import check_terminal

TAKEN = datetime(2026, 11, 23, 1, 2, 3, 999999, tzinfo=UTC)
NAME = "agentserviceapi.guestconfiguration.azure.com"
LONG_CHAIN = ("agentserviceapi.trafficmanager.net", "jpe-gas-cses-1b.japaneast.cloudapp.azure.com")


def endpoint(host: str, *, required: bool = True) -> Endpoint:
    return Endpoint(
        host=host,
        port=443,
        purpose="guest configuration",
        when=When.ALWAYS,
        required=required,
        private_link=True,
        steering=Steering.TRAFFIC_MANAGER,
        carrier=Carrier.ARC,
        discovered=not host,
        source=Source("a test", date(2026, 1, 1)),
    )


def reached(host: str) -> Observation:
    return Observation(
        host=host,
        origin="arcferry check",
        reachable=True,
        endpoint=endpoint(host),
        taken=TAKEN,
        elapsed=0.12345,
        dns=DnsAnswer(host, (), ("20.0.0.1",), "10.0.0.53"),
        address="20.0.0.1",
        tls=TlsSession(
            "TLS 1.3", "TLS_AES_256_GCM_SHA384", "CN=Root,O=X", f"CN={host}", (host,), TAKEN, public_root=True
        ),
        http=HttpAnswer(404, None),
        clock_skew=0.4,
    )


FAILED = Observation(
    host=NAME,
    origin="arcferry check",
    reachable=False,
    endpoint=endpoint(NAME),
    taken=TAKEN,
    elapsed=3.5,
    dns=DnsAnswer(NAME, LONG_CHAIN, ("40.115.144.3",), "10.0.0.53"),
    address="40.115.144.3",
    failure=Failure(Stage.TCP, "timeout", "40.115.144.3:443 did not answer within 3.5 s"),
)


def result(*observations: Observation, proxy: str | None = None) -> CheckResult:
    cloud = catalog.cloud("AzureCloud")
    region = catalog.region("eastasia", cloud)
    return CheckResult(cloud, region, TAKEN, 3.5, "10.0.0.53", proxy, observations)


def drawn(checked: CheckResult, *, width: int = 160, color: bool = True, terminal: bool = True) -> str:
    stream = io.StringIO()
    system = "truecolor" if color else None
    console = Console(
        file=stream,
        force_terminal=terminal,
        width=width,
        color_system=system,
        no_color=not color,
        markup=False,
    )
    check_terminal.draw(checked, (), console)
    return stream.getvalue()


def test_document() -> None:
    assert report.document(result(reached("pas.windows.net"), FAILED)) == {
        "schema": 1,
        "kind": "check",
        "cloud": "AzureCloud",
        "location": "eastasia",
        "taken": "2026-11-23T01:02:03Z",
        "resolver": "10.0.0.53",
        "proxy": None,
        "endpoints": [
            {
                "host": "pas.windows.net",
                "port": 443,
                "purpose": "guest configuration",
                "required": True,
                "steering": "traffic-manager",
                "reachable": True,
                "private": False,
                "tls": {
                    "version": "TLS 1.3",
                    "cipher": "TLS_AES_256_GCM_SHA384",
                    "issuer": "CN=Root,O=X",
                    "subject": "CN=pas.windows.net",
                    "names": ["pas.windows.net"],
                    "not_after": "2026-11-23T01:02:03Z",
                    "public_root": True,
                },
                "proxy": "not set",
                "dns": {"chain": [], "addresses": ["20.0.0.1"], "resolver": "10.0.0.53"},
                "address": "20.0.0.1",
                "http": {"status": 404},
                "clock_skew": 0.4,
                "failure": None,
                "other_family": None,
                "elapsed": 0.123,
            },
            {
                "host": NAME,
                "port": 443,
                "purpose": "guest configuration",
                "required": True,
                "steering": "traffic-manager",
                "reachable": False,
                "private": False,
                "tls": None,
                "proxy": "not set",
                "dns": {"chain": list(LONG_CHAIN), "addresses": ["40.115.144.3"], "resolver": "10.0.0.53"},
                "address": "40.115.144.3",
                "http": None,
                "clock_skew": None,
                "failure": {
                    "stage": "tcp",
                    "kind": "timeout",
                    "says": "40.115.144.3:443 did not answer within 3.5 s",
                },
                "other_family": None,
                "elapsed": 3.5,
            },
        ],
    }


def test_json_lines_end_with_the_sum() -> None:
    checked = result(reached("a.example"), FAILED)
    first, second, evidence, last = report.json_lines(checked, judge([]))
    assert first == {"schema": 1, "kind": "endpoint"} | report.document(checked)["endpoints"][0]
    assert second["host"] == NAME
    assert last == {
        "schema": 1,
        "kind": "check",
        "cloud": "AzureCloud",
        "location": "eastasia",
        "taken": "2026-11-23T01:02:03Z",
        "resolver": "10.0.0.53",
        "proxy": None,
        "required": 2,
        "failed": 1,
        "elapsed": 3.5,
        "findings": 0,
        "would_sharpen": ["dns-answers", "route-filter", "service-tags", "community-list", "received-routes"],
    }
    assert evidence["kind"] == "evidence"


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.168.1.1", True),
        ("fd00::1", True),
        ("127.0.0.1", False),
        ("100.64.0.1", False),
        ("20.0.0.1", False),
        ("2603:1036::1", False),
        (None, None),
    ],
)
def test_private(address: str | None, private: bool | None) -> None:
    seen = replace(FAILED, address=address)
    assert report.document(result(seen))["endpoints"][0]["private"] is private
    assert report.row(seen)[2] == {True: "true", False: "false", None: "unknown"}[private]


PLAIN = f"""\
ENDPOINT                                              |REACHABLE  |PRIVATE  |TLS      |PROXY    |ADDRESS       |TIME
https://a.example                                     |true       |false    |TLS 1.3  |not set  |20.0.0.1      |0.12 s
https://{NAME}  |false      |false    |unknown  |not set  |40.115.144.3  |3.50 s

FAIL  https://{NAME} tcp timeout: 40.115.144.3:443 did not answer within 3.5 s \
(resolver 10.0.0.53: {" -> ".join(LONG_CHAIN)} -> 40.115.144.3)

1 of 2 required endpoints reached for eastasia in AzureCloud, resolver 10.0.0.53, in 3.5 s, 2026-11-23T01:02:03Z
"""  # noqa: E501  # as wide as it is printed


def test_plain() -> None:
    assert list(report.plain(result(reached("a.example"), FAILED))) == PLAIN.splitlines()


def test_an_undiscovered_endpoint_has_a_row() -> None:
    failure = Failure(Stage.HTTP, "discovery-failed", "the regional HIS host is unknown: it answered 500")
    seen = Observation(
        "", "arcferry check", False, TAKEN, failure=failure, endpoint=endpoint(""), elapsed=0.1
    )
    text = "\n".join(report.plain(result(seen)))
    assert "<regional HIS>  |false" in text
    assert "FAIL  <regional HIS> http discovery-failed: the regional HIS host is unknown" in text
    assert report.document(result(seen))["endpoints"][0]["host"] == ""


def test_behind_a_proxy() -> None:
    proxy = "http://proxy.example:8080"
    seen = replace(reached("a.example"), proxy=proxy, dns=None, address=None)
    checked = replace(result(seen, proxy=proxy), resolver="")
    assert report.row(seen)[4:6] == ("set", "by proxy")
    assert report.document(checked)["resolver"] is None
    assert report.document(checked)["endpoints"][0]["dns"] is None
    assert f"through {proxy}" in report.summary(checked)


def test_optional_endpoints_warn() -> None:
    seen = replace(FAILED, endpoint=endpoint("aka.ms", required=False))
    checked = result(reached("a.example"), seen)
    assert [word for word, _ in report.failures(checked)] == ["warn"]
    assert checked.failed == ()
    assert report.summary(checked).startswith("1 of 1 required")


def test_the_failed_row_is_red_and_marked() -> None:
    text = drawn(result(reached("a.example"), FAILED))
    (line,) = [line for line in text.splitlines() if "3.50 s" in line]
    assert "\x1b[1;31m" in line
    (told,) = [line for line in text.splitlines() if "FAIL" in line and NAME in line]
    assert "✗ FAIL" in told
    assert "✗ FAIL  1 of 2 required" in text


def test_without_colour_the_words_remain() -> None:
    text = drawn(result(reached("a.example"), FAILED), color=False)
    assert "\x1b[1;31m" not in text
    assert "\x1b[3" not in text
    assert "✗ FAIL  https://" in text


def test_no_glyphs_off_a_terminal() -> None:
    text = drawn(result(reached("a.example"), FAILED), terminal=False)
    assert "✗" not in text
    assert "FAIL  https://" in text


def test_no_colour_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    check_terminal.draw(result(FAILED), (), Console(file=stream, force_terminal=True, width=160))
    assert "\x1b[1;31m" not in stream.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_nothing_is_cut_on_a_narrow_terminal(width: int) -> None:
    text = drawn(result(FAILED), width=width, color=False)
    assert NAME in "".join(text.split())
    assert "40.115.144.3" in text
    assert "…" not in text


def test_what_a_service_says_cannot_steer_the_terminal() -> None:
    failure = Failure(Stage.HTTP, "not-http", "begins with \x1b]0;owned\x07 [bold]x[/bold]\nFAIL y")
    text = drawn(result(replace(FAILED, failure=failure)), color=False)
    assert "\x1b]" not in text
    assert "[bold]x[/bold] FAIL y" in text


def test_what_is_announced_has_its_day_and_who_says_so() -> None:
    announced, nothing = catalog.ahead(date(2026, 11, 28)), judge([])
    (fields,) = report.judged_document(result(), nothing, announced)["ahead"]
    assert (fields["day"], fields["host"], fields["begins"]) == ("2027-02-01", "", True)
    assert "agent-release-notes.md" in fields["source"]
    *_, empty, (_, line) = report.conclusions(result(), nothing, announced)
    assert empty == ("", "")
    assert line.startswith("Ahead, from 2027-02-01: the agent refuses certificates")
