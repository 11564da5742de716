"""Logs of the agent: the end counts, and Go's network errors tell the step, in any language of Windows."""

from datetime import UTC, datetime

import pytest

from arcferry.evidence.case import Document
from arcferry.evidence.readers import agent_log, go_errors


def line(minute: int, text: str, level: str = "info", hour: int = 6) -> str:
    return f'time="2026-01-10T{hour:02}:{minute:02}:00Z" level={level} msg="{text}"'


def run(hour: int, command: str, *texts: str) -> list[str]:
    first = [line(0, "Agent Version: 1.64"), line(0, f"Agent Command: {command}")]
    lines = [*first, *(line(1 + place, text) for place, text in enumerate(texts))]
    return [one.replace("T06:", f"T{hour:02}:") for one in lines]


def log(*lines: str) -> Document:
    document = agent_log.read("azcmagent.log", "\n".join(lines))
    assert document is not None
    return document


def test_the_last_run_that_failed_counts_and_earlier_ones_are_said() -> None:
    found = log(
        *run(4, "connect", "Exit Code: AZCM0041: x"),
        *run(5, "connect", "Exit Code: AZCM0044: x"),
        *run(6, "show", "Loading"),
    )
    assert [code.code for code in found.codes] == ["AZCM0044"]
    assert any("1 earlier runs" in note for note in found.notes)
    assert found.taken == datetime(2026, 1, 10, 6, 1, tzinfo=UTC)


def test_a_later_connect_without_an_error_ends_the_matter() -> None:
    found = log(
        *run(4, "connect", "Exit Code: AZCM0044: x"), *run(5, "connect", "Connected machine to Azure")
    )
    assert ([code.code for code in found.codes], found.attempts) == (["connected"], ())


def test_of_a_service_s_log_the_last_hour_counts() -> None:
    error = r"Post \"https://gbl.his.arc.azure.com/x\": dial tcp 203.0.113.9:443: i/o timeout"
    old = [line(minute, error, "error", hour=3) for minute in range(5)]
    assert log(*old, *(line(minute, "ok", hour=6) for minute in range(5))).attempts == ()
    (seen,) = log(
        *(line(minute, "ok", hour=3) for minute in range(5)), line(1, error, "error", hour=6)
    ).attempts
    assert (seen.host, seen.address) == ("gbl.his.arc.azure.com", "203.0.113.9")
    assert seen.taken == datetime(2026, 1, 10, 6, 1, tzinfo=UTC)


def test_a_log_that_is_no_log() -> None:
    assert agent_log.read("x", "hello\n" * 10) is None
    # Beside lines of a console it is the console's reader that has them all.
    assert agent_log.read("x", "INFO    Connecting\n" + line(0, "x")) is None


def test_one_line_of_a_log_is_enough() -> None:
    document = agent_log.read("x", "hello\n" + line(0, "it broke", "fatal"))
    assert document
    assert [one.says for one in document.error_lines] == ["it broke"]


_URL = 'Get "https://gbl.his.arc.azure.com/discovery?location=eastasia"'


@pytest.mark.parametrize(
    ("text", "stage", "kind"),
    [
        (f"{_URL}: dial tcp 203.0.113.9:443: i/o timeout", "tcp", "timeout"),
        (f"{_URL}: dial tcp 203.0.113.9:443: connect: connection refused", "tcp", "refused"),
        (f"{_URL}: dial tcp 203.0.113.9:443: connect: no route to host", "tcp", "unreachable"),
        (
            f"{_URL}: dial tcp [2001:db8::9]:443: connectex: 拒否されました (10061)",
            "tcp",
            "refused",
        ),
        (
            f"{_URL}: dial tcp 203.0.113.9:443: connectex: Ein Verbindungsversuch ist fehlgeschlagen.",
            "tcp",
            "timeout",
        ),
        (f"{_URL}: dial tcp: lookup gbl.his.arc.azure.com on 10.0.0.53:53: no such host", "dns", "nxdomain"),
        (
            f"{_URL}: dial tcp: lookup gbl.his.arc.azure.com: getaddrinfow: 不知道这样的主机。",
            "dns",
            "nxdomain",
        ),
        (
            f"{_URL}: dial tcp: lookup gbl.his.arc.azure.com on 10.0.0.53:53: server misbehaving",
            "dns",
            "servfail",
        ),
        (
            (
                f"{_URL}: dial tcp: lookup gbl.his.arc.azure.com on 10.0.0.53:53: read udp "
                "10.1.2.3:5->10.0.0.53:53: i/o timeout"
            ),
            "dns",
            "timeout",
        ),
        (f"{_URL}: proxyconnect tcp: dial tcp 10.1.2.3:8080: i/o timeout", "proxy", "proxy-unreachable"),
        (
            f"{_URL}: proxyconnect tcp: dial tcp: lookup proxy.corp: no such host",
            "proxy",
            "proxy-name-not-found",
        ),
        (f"{_URL}: Proxy Authentication Required", "proxy", "proxy-authentication-required"),
        (f"{_URL}: Forbidden", "proxy", "proxy-refused"),
        (f"{_URL}: Bad Gateway", "proxy", "proxy-cannot-reach"),
        (f"{_URL}: x509: certificate signed by unknown authority", "tls", "certificate-untrusted"),
        (
            (
                f"{_URL}: tls: failed to verify certificate: x509: certificate has expired or is not yet "
                "valid: current time 2026-01-10T06:00:00Z is after 2025-12-01T00:00:00Z"
            ),
            "tls",
            "certificate-expired",
        ),
        (
            (
                f"{_URL}: x509: certificate has expired or is not yet valid: current time "
                "2020-01-10T06:00:00Z is before 2025-12-01T00:00:00Z"
            ),
            "tls",
            "certificate-not-yet-valid",
        ),
        (
            f"{_URL}: x509: certificate is valid for block.example, not gbl.his.arc.azure.com",
            "tls",
            "name-mismatch",
        ),
        (f"{_URL}: net/http: TLS handshake timeout", "tls", "tls-timeout"),
        (f"{_URL}: remote error: tls: handshake failure", "tls", "tls-cipher-mismatch"),
        (f"{_URL}: remote error: tls: protocol version not supported", "tls", "tls-protocol-version"),
        (f"{_URL}: EOF", "tls", "tls-cut"),
        (f"{_URL}: read tcp 10.1.2.3:5->203.0.113.9:443: read: connection reset by peer", "tcp", "reset"),
    ],
)
def test_a_network_error_tells_its_step(text: str, stage: str, kind: str) -> None:
    (seen,) = go_errors.attempts([(None, text)], "log").values()
    assert seen.host == "gbl.his.arc.azure.com"
    assert seen.failure is not None
    assert (seen.failure.stage, seen.failure.kind) == (stage, kind)
    assert seen.proxied == (stage == "proxy")


@pytest.mark.parametrize(
    "text", [f"{_URL}: 400 Bad Request", "dial tcp 203.0.113.9:443: i/o timeout", "lookup nothing"]
)
def test_what_is_no_network_error_of_an_endpoint(text: str) -> None:
    assert go_errors.attempts([(None, text)], "log") == {}
