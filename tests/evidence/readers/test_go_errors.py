"""Network errors of Go: every endpoint of a line is its own, with its own error, address and resolver."""

from pathlib import Path

import pytest

from arcferry.diagnosis import judge
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import go_errors
from arcferry.evidence.reading import read_document
from arcferry.probe.observation import Attempt

_SHARED = Path(__file__).parents[4] / "shared/cases/field-2026-11/minimal"
Seen = tuple[str, str, str, str]

_HIS, _GAS = "gbl.his.arc.azure.com", "agentserviceapi.guestconfiguration.azure.com"
_PAS, _ARM, _LOGIN = "pas.windows.net", "management.azure.com", "login.microsoftonline.com"


def told(seen: Attempt) -> Seen:
    return seen.host, seen.failure.kind if seen.failure else "", seen.address, seen.resolver


def of_line(line: str) -> list[Seen]:
    return [told(seen) for seen in go_errors.attempts([(None, line)], "x").values()]


_LINES: dict[str, tuple[str, list[Seen]]] = {
    "one": (
        f'Get "https://{_ARM}": dial tcp 203.0.113.7:443: i/o timeout',
        [(_ARM, "timeout", "203.0.113.7", "")],
    ),
    "a list": (
        (
            f'required endpoints unavailable: https://{_ARM}/ (error: Get "https://{_ARM}": dial tcp '
            f'203.0.113.7:443: connect: connection refused), https://{_PAS}/ (error: Get "https://{_PAS}": '
            f"dial tcp: lookup {_PAS} on 192.0.2.53:53: server misbehaving)"
        ),
        [(_ARM, "refused", "203.0.113.7", ""), (_PAS, "servfail", "", "192.0.2.53")],
    ),
    "without https": (
        (
            f"required endpoints unavailable: {_ARM} (error: dial tcp 203.0.113.7:443: i/o timeout), "
            f"{_PAS}:443 (error: EOF-less words of a new release), {_LOGIN}/ (error: "
            f"dial tcp: lookup {_LOGIN} on [2001:db8::53]:53: no such host)"
        ),
        [
            (_ARM, "timeout", "203.0.113.7", ""),
            (_PAS, "", "", ""),
            (_LOGIN, "nxdomain", "", "2001:db8::53"),
        ],
    ),
    "brackets and quotes within": (
        (
            f'https://{_HIS}/ (error: Get "https://{_HIS}/test": tls: failed to verify certificate: x509: '
            f'certificate is valid for proxy.corp.example ("Corp (Test) CA"), not {_HIS}), '
            f"https://{_GAS}/ (error: Get "
            f'"https://{_GAS}": dial tcp [2001:db8::7]:443: connectex: (a message (in any language).))'
        ),
        [(_HIS, "name-mismatch", "", ""), (_GAS, "timeout", "2001:db8::7", "")],
    ),
    "a bracket that never closes, as where a line was cut": (
        (
            f'https://{_HIS}/ (error: Get "https://{_HIS}/t": EOF), '
            f'https://{_GAS}/ (error: Get "https://{_GAS}": '
            "dial tcp 203.0.113.7:443: connectex: Eine Verbindung ("
        ),
        [(_HIS, "tls-cut", "", ""), (_GAS, "timeout", "203.0.113.7", "")],
    ),
    "a proxy for one of them": (
        (
            f'https://{_ARM}/ (error: Get "https://{_ARM}": proxyconnect tcp: dial tcp 192.0.2.80:8080: i/o '
            f'timeout), https://{_PAS}/ (error: Get "https://{_PAS}": net/http: TLS handshake timeout)'
        ),
        [(_ARM, "proxy-unreachable", "", ""), (_PAS, "tls-timeout", "", "")],
    ),
    "requests without a list": (
        (
            f'first Get "https://{_ARM}/x": EOF; then Head "https://{_PAS}/y": dial tcp 203.0.113.7:443: '
            "i/o timeout"
        ),
        [(_ARM, "tls-cut", "", ""), (_PAS, "timeout", "203.0.113.7", "")],
    ),
    "one that did not fail": (
        f'https://{_ARM}/ (error: <nil>), https://{_PAS}/ (error: Get "https://{_PAS}": EOF)',
        [(_PAS, "tls-cut", "", "")],
    ),
    "a lookup alone": (
        f"dial tcp: lookup {_PAS} on 192.0.2.53:53: read udp 192.0.2.9:53->192.0.2.53:53: i/o timeout",
        [(_PAS, "timeout", "", "192.0.2.53")],
    ),
}


@pytest.mark.parametrize("name", _LINES)
def test_each_endpoint_has_its_own_error(name: str) -> None:
    line, wanted = _LINES[name]
    assert of_line(line) == wanted


def test_an_error_that_is_known_is_not_lost_to_a_later_line_without_one() -> None:
    lines = [f'Get "https://{_PAS}": EOF', f"https://{_PAS}/ (error: of a kind that is new)"]
    (seen,) = go_errors.attempts([(None, line) for line in lines], "x").values()
    assert told(seen) == (_PAS, "tls-cut", "", "")


def test_what_each_says_is_its_own_words() -> None:
    line, _ = _LINES["a list"]
    arm, pas = go_errors.attempts([(None, line)], "x").values()
    assert arm.failure
    assert pas.failure
    assert arm.failure.says == "dial tcp 203.0.113.7:443: connect: connection refused"
    assert _ARM not in pas.failure.says


_AZCM0026: dict[str, list[Seen]] = {
    "t1.txt": [(_ARM, "timeout", "4.150.241.10", ""), (_PAS, "nxdomain", "", "10.1.1.53")],
    "t4.txt": [(_LOGIN, "tls-cut", "", ""), (_GAS, "timeout", "40.115.144.3", "")],
    "t5.txt": [(_HIS, "tls-timeout", "", ""), (_GAS, "timeout", "40.115.144.3", "")],
}


@pytest.mark.shared
@pytest.mark.skipif(not _SHARED.exists(), reason="no shared cases beside the checkout")
@pytest.mark.parametrize("name", _AZCM0026)
def test_the_line_of_azcm0026(name: str) -> None:
    document = _read(name)
    assert [told(seen) for seen in document.attempts] == _AZCM0026[name]


@pytest.mark.shared
@pytest.mark.skipif(not _SHARED.exists(), reason="no shared cases beside the checkout")
def test_a_fatal_line_that_nothing_explains_is_a_finding() -> None:
    (finding,) = judge([_read("f1.txt")]).findings
    assert (finding.cause, finding.severity) == ("agent/unexplained-error", "error")
    assert (finding.confidence, finding.owner) == ("undetermined", "server")
    words = "error connecting machine to Azure: failed to send a heartbeat: context canceled"
    assert [line.says for line in finding.evidence] == [words]
    assert finding.title.endswith(words)
    assert {"agent-check", "arcferry-check"} <= set(finding.would_decide)


def _read(name: str) -> Document:
    documents = read_document(name, (_SHARED / name).read_bytes())
    (document,) = [one for one in documents if one.kind in (Kind.AGENT_LOG, Kind.AGENT_CONNECT)]
    return document


@pytest.mark.parametrize("form", ["log", "console"])
def test_both_forms_of_the_line_say_the_same(form: str) -> None:
    line, wanted = _LINES["a list"]
    if form == "console":
        text = f"INFO    Exit Code:  AZCM0026: Network Error\nFATAL   {line}\n"
    else:
        head = 'time="2026-02-11T08:00:00Z" level='
        quoted = line.replace('"', '\\"')
        text = (
            f'{head}debug msg="Agent Version: 1.67.0"\n{head}debug msg="Agent Command: connect"\n'
            f'{head}info msg="Exit Code:  AZCM0026: Network Error"\n{head}fatal msg="{quoted}"\n'
        )
    (document,) = read_document("x", text.encode())
    assert [told(seen) for seen in document.attempts] == wanted
    assert [finding.cause for finding in judge([document]).findings if finding.severity == "error"] == [
        "dns/resolver-fails",
        "tcp/refused",
    ]


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("FATAL   the agent ends here: nobody foresaw why\n", "error"),
        ("INFO    Connecting machine...\nFATAL   the agent ends here: nobody foresaw why\n", "error"),
        (
            (
                'time="2026-02-11T08:00:00Z" level=info msg="Heartbeat"\n'
                'time="2026-02-11T08:00:01Z" level=info msg="Extensions"\n'
                'time="2026-02-11T08:00:02Z" level=error msg="the agent ends here: nobody foresaw why" '
                "Where=here\n"
            ),
            "warning",
        ),
    ],
    ids=["FATAL alone", "the console", "an error in himds.log"],
)
def test_no_failure_of_the_agents_goes_without_a_finding(text: str, severity: str) -> None:
    (finding,) = judge(read_document("x.txt", text.encode())).findings
    assert (finding.cause, finding.severity) == ("agent/unexplained-error", severity)
    assert [line.says for line in finding.evidence] == ["the agent ends here: nobody foresaw why"]


def test_what_a_code_or_an_endpoint_explains_is_told_once() -> None:
    text = b"INFO    Exit Code:  AZCM0042: x\nFATAL   AADSTS7000215: Invalid client secret provided\n"
    assert [one.cause for one in judge(read_document("x", text)).findings] == ["signin/secret-invalid"]
