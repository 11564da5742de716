"""What the engine promises beyond single cases."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arcferry import catalog, times
from arcferry.diagnosis import Owner, judge, pages
from arcferry.diagnosis.causes import CAUSES, FAULTS, RISKS
from arcferry.errors import UnknownNameError
from arcferry.evidence.case import AgentState, CodeSeen, Document, Kind, observed
from arcferry.probe.observation import Attempt, Failure, Observation, Stage

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
CASES = Path(__file__).parents[1] / "cases"
TOLD_HERE = {
    "dns/resolver-fails",
    "evidence/unreadable",
    "path/discovery-failed",
    "path/no-http-answer",
    "proxy/refused",
    "proxy/name-not-found",
    "proxy/not-a-proxy",
    "proxy/credentials-in-url",
    "tcp/reset",
    "tls/protocol-version",
    "tls/cipher-mismatch",
    "tls/revocation-unreachable",
}
"""Causes that one word of a probe tells, or that no file tells; a folder of files would add nothing."""


def failing(host: str, stage: Stage, kind: str, **more: object) -> Attempt:
    seen = Attempt(
        host, "check.json", reachable=False, taken=NOON, required=True, failure=Failure(stage, kind, kind)
    )
    return replace(seen, **more)  # type: ignore[arg-type] # each test names fields of Attempt


def test_nothing_handed_in_gives_nothing() -> None:
    diagnosis = judge([])
    assert list(diagnosis.findings) == []
    assert not diagnosis.has_errors


def test_every_cause_is_asked() -> None:
    asked = {cause.slug for cause in (*FAULTS, *RISKS)}
    of_the_whole = {cause.slug for cause in CAUSES.values() if cause.of_case}
    assert set(CAUSES) == asked | of_the_whole
    assert len(FAULTS) == len({cause.slug for cause in FAULTS})


def test_every_cause_has_a_whole_page() -> None:
    for page in pages.pages():
        assert page.meaning
        assert page.tells
        assert page.symptom, page.slug
        assert page.fix
        assert page.example
        assert page.request or page.owner is Owner.SERVER, page.slug
        assert not page.request or page.request.startswith("Subject: "), page.slug


def test_every_cause_has_a_case_or_a_test_that_tells_it() -> None:
    told = "\n".join(file.read_text("utf-8") for file in CASES.glob("*/expected.toml"))
    without = {slug for slug in CAUSES if f'"{slug}"' not in told and not slug.startswith("risk/steered")}
    assert without <= TOLD_HERE


@pytest.mark.parametrize(
    ("stage", "kind", "cause"),
    [
        (Stage.DNS, "servfail", "dns/resolver-fails"),
        (Stage.DNS, "timeout", "dns/resolver-unreachable"),
        (Stage.DNS, "discovery-failed", "path/discovery-failed"),
        (Stage.HTTP, "not-http", "path/no-http-answer"),
        (Stage.HTTP, "timeout", "path/no-http-answer"),
        (Stage.PROXY, "proxy-refused", "proxy/refused"),
        (Stage.PROXY, "timeout", "proxy/refused"),
        (Stage.PROXY, "proxy-name-not-found", "proxy/name-not-found"),
        (Stage.PROXY, "proxy-not-http", "proxy/not-a-proxy"),
        (Stage.TCP, "refused", "tcp/refused"),
        (Stage.TCP, "reset", "tcp/reset"),
        (Stage.TCP, "unreachable", "tcp/unreachable"),
        (Stage.TCP, "timeout", "path/endpoint-unreachable"),
        (Stage.TLS, "certificate-untrusted", "tls/intercepted"),
        (Stage.TLS, "self-signed", "tls/intercepted"),
        (Stage.TLS, "tls-protocol-version", "tls/protocol-version"),
        (Stage.TLS, "tls-cipher-mismatch", "tls/cipher-mismatch"),
        (Stage.TLS, "reset", "tls/connection-cut"),
        (Stage.TLS, "tls-timeout", "tls/no-answer"),
        (Stage.TLS, "something-new", "tls/handshake-failed"),
        (Stage.HTTP, "captive-page", "path/captive-page"),
        (Stage.HTTP, "http-503", "install/download-refused"),
    ],
)
def test_the_step_that_failed_decides(stage: Stage, kind: str, cause: str) -> None:
    document = Document(
        "check.json", Kind.ARCFERRY_CHECK, attempts=(failing("pas.windows.net", stage, kind),)
    )
    (finding,) = judge([document]).findings
    assert finding.cause == cause


def test_credentials_in_a_proxy_url_are_said_and_not_shown() -> None:
    agent = AgentState("show.txt", proxy="http://proxy.example:8080", proxy_credentials=True)
    (finding,) = judge([Document("show.txt", Kind.AGENT_SHOW, agent_state=agent)]).findings
    assert (finding.cause, finding.severity) == ("proxy/credentials-in-url", "warning")


def test_an_offline_revocation_list_is_told_by_its_code() -> None:
    code = CodeSeen("0x80092013", "CRYPT_E_REVOCATION_OFFLINE", "himds.log")
    findings = judge([Document("himds.log", Kind.AGENT_LOG, codes=(code,))]).findings
    assert "tls/revocation-unreachable" in [finding.cause for finding in findings]


def test_the_root_comes_before_what_follows_from_it() -> None:
    order = [cause.slug for cause in FAULTS]
    chains = (
        ("path/discovery-failed", "proxy/refused", "tls/intercepted"),
        ("dns/wrong-address", "tls/name-mismatch", "path/captive-page"),
        ("clock/skew", "tls/expired"),
        ("tls/untrusted-root", "tls/intercepted", "tls/handshake-failed"),
        ("dns/resolver-fails", "dns/resolver-unreachable"),
        ("private-link/scope-not-given", "dns/private-answer-leak"),
        ("route/filtered-by-own-policy", "route/peering-down", "route/no-route-filter"),
        ("route/no-route-filter", "route/empty-route-filter", "route/session-down"),
        ("route/session-down", "route/community-not-in-filter", "route/outside-sku-geography"),
        ("route/outside-sku-geography", "route/not-received", "tcp/nat-prefix-not-validated"),
        ("tcp/asymmetric-return", "tcp/filtered", "tcp/timeout-with-route", "path/endpoint-unreachable"),
    )
    for chain in chains:
        places = [order.index(slug) for slug in chain]
        assert places == sorted(places), chain
    assert order[-1] == "path/endpoint-unreachable"


def test_a_resolver_each_is_a_finding_each() -> None:
    seen = (
        failing("pas.windows.net", Stage.DNS, "nxdomain", resolver="10.0.0.1"),
        failing("aka.ms", Stage.DNS, "nxdomain", resolver="10.0.0.1", install=True),
        failing("management.azure.com", Stage.DNS, "nxdomain", resolver="10.0.0.2"),
    )
    found = judge([Document("check.json", Kind.ARCFERRY_CHECK, attempts=seen)]).findings
    assert sorted(finding.cause for finding in found) == [
        "dns/name-not-found",
        "dns/name-not-found",
        "route/not-on-microsoft-peering",
    ]


def test_errors_come_before_warnings() -> None:
    seen = (
        failing("guestnotificationservice.azure.com", Stage.TCP, "refused", required=False),
        failing("pas.windows.net", Stage.TLS, "reset"),
    )
    found = judge([Document("check.json", Kind.ARCFERRY_CHECK, attempts=seen)]).findings
    assert [finding.severity for finding in found] == ["error", "warning"]


def test_a_live_probe_needs_no_file_between() -> None:
    endpoint = catalog.endpoint_named("pas.windows.net")
    assert endpoint is not None
    refused = Failure(Stage.TCP, "refused", "192.0.2.1:443 refused")
    seen = Observation(endpoint.host, "", False, NOON, failure=refused, endpoint=endpoint, elapsed=0.1)
    document = observed([seen])
    diagnosis = judge([document])
    assert diagnosis.findings[0].cause == "tcp/refused"
    assert diagnosis.inputs[0].taken == NOON


def test_a_code_that_names_no_endpoint_asks_for_a_check() -> None:
    text = b"INFO    Exit Code:  AZCM0026: Network Error\n"
    (finding,) = judge(read_all("connect.txt", text)).findings
    assert finding.cause == "path/endpoint-unreachable"
    assert finding.would_decide[0] == "agent-check"


def test_an_unknown_code_is_said_to_be_unknown() -> None:
    (finding,) = judge(read_all("connect.txt", b"FATAL AZCM0999: new")).findings
    assert finding.cause == "install/agent-code"
    assert "does not know" in finding.title


def read_all(name: str, data: bytes) -> tuple[Document, ...]:
    from arcferry.evidence.reading import read_document  # noqa: PLC0415 - one helper, close to its use

    return read_document(name, data)


def test_pages_are_found_in_any_letter_case_and_offer_near_names() -> None:
    assert pages.page("TLS/Intercepted").slug == "tls/intercepted"
    with pytest.raises(UnknownNameError) as caught:
        pages.page("tls/intercept")
    assert "tls/intercepted" in caught.value.near


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("route-filter.json", "the filter of unknown day"),
        ("route-filter-2026-01-08.json", "the filter as of 2026-01-08"),
    ],
)
def test_the_letter_says_of_which_day_the_filter_is(name: str, says: str) -> None:
    folder = CASES / "two-names-one-community"
    documents = [
        document
        for path in sorted(folder.iterdir())
        if path.name != "expected.toml"
        for document in read_all(name if path.name == "route-filter.json" else path.name, path.read_bytes())
    ]
    (finding,) = (one for one in judge(documents).findings if one.cause == "route/community-not-in-filter")
    assert says in finding.remedy.request


FILTERS = "providers/Microsoft.Network/routeFilters/rf-msp"


@pytest.mark.parametrize(
    ("place", "reference"),
    [
        ("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-edge", "rf-msp"),
        ("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/RG-EDGE", "rf-msp"),
        ("/subscriptions/S/resourceGroups/rg-hub", f"/subscriptions/S/resourceGroups/rg-hub/{FILTERS}"),
        ("", f"/subscriptions/SUBSCRIPTION-ID/resourceGroups/RESOURCE-GROUP-OF-THE-FILTER/{FILTERS}"),
    ],
    ids=["same-group", "same-group-in-capitals", "another-group", "group-unknown"],
)
def test_a_filter_of_another_group_is_attached_by_its_whole_id(place: str, reference: str) -> None:
    documents = []
    for path in sorted((CASES / "no-filter-attached").iterdir()):
        data = path.read_bytes()
        if path.name == "route-filter.json":
            held = json.loads(data)
            data = json.dumps({**held, "id": f"{place}/{FILTERS}" if place else ""}).encode()
        documents += read_all(path.name, data) if path.name != "expected.toml" else ()
    (finding,) = judge(documents).findings
    assert finding.remedy.commands[0].text == (
        "az network express-route peering update --resource-group rg-edge --circuit-name er-hk "
        f"--name MicrosoftPeering --route-filter {reference}"
    )


@pytest.mark.parametrize("release", catalog.agent_releases(), ids=lambda release: release.version)
def test_an_agent_is_too_old_by_the_month_of_its_release_and_the_day(release: catalog.AgentRelease) -> None:
    state = AgentState("show.txt", status="Connected", version=f"{release.version}.03224.2567")
    found = judge([Document("show.txt", Kind.AGENT_SHOW, agent_state=state)])
    told = [finding for finding in found.findings if finding.cause == "agent/too-old"]
    assert bool(told) is (times.now().date() >= release.unsupported_from)
