"""What the block for a server without arcferry wrote, in the words of Windows and of Linux."""

from datetime import UTC, datetime

import pytest

from arcferry.evidence.case import Document, Kind
from arcferry.evidence.reading import read_document

HOST = "gbl.his.arc.azure.com"
# As PowerShell 7.6 under Wine wrote it on 2026-11-28, with the name and the addresses changed.
WINDOWS = f"""arcferry-evidence 1 windows 2026-11-28T15:40:23Z
resolver 10.30.0.53
name {HOST}
alias gbl.his.hybridcompute.trafficmanager.net
address 203.0.113.9 2026-11-28T15:40:23Z
tcp connected
issuer CN=Example Web Gateway CA, O=Example
verify RemoteCertificateChainErrors UntrustedRoot
tls done
http 200
name nosuch.guestconfiguration.azure.com
unresolved 11001
arcferry-evidence end
PS> netsh winhttp show proxy
PS> azcmagent version
not installed
"""


def read(text: str) -> Document:
    found = [one for one in read_document("pasted.txt", text.encode()) if one.kind is Kind.SERVER_EVIDENCE]
    assert len(found) == 1, found
    return found[0]


def tried(*lines: str) -> str:
    head = f"arcferry-evidence 1 linux 2026-11-28T08:00:00Z\nresolver 10.30.0.53\nname {HOST}\n"
    return head + "\n".join(lines) + "\narcferry-evidence end\n"


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["tcp errno=110"], ("tcp", "timeout")),
        (["tcp errno=10060 A connection attempt failed"], ("tcp", "timeout")),
        ([], ("tcp", "timeout")),
        (
            ["tls 40A7:error:8000006F:system library:BIO_connect:Connection refused", "tcp errno=111"],
            ("tcp", "refused"),
        ),
        (["tcp errno=10061 refused"], ("tcp", "refused")),
        (["tcp errno=113"], ("tcp", "unreachable")),
        (["tcp errno=10051 unreachable"], ("tcp", "unreachable")),
        (["tcp errno=104"], ("tcp", "reset")),
        (["tcp connected"], ("tls", "tls-timeout")),
        (["tcp connected", "tls errno=10060 did not properly respond"], ("tls", "tls-timeout")),
        (["tcp connected", "tls errno=104"], ("tls", "tls-cut")),
        (
            ["tcp connected", "tls error:0A000126:SSL routines::unexpected eof while reading"],
            ("tls", "tls-cut"),
        ),
        (
            ["tcp connected", "tls error:0A00042E:SSL routines::tlsv1 alert protocol version"],
            ("tls", "tls-protocol-version"),
        ),
        (
            ["tcp connected", "tls error:0A000410:SSL routines::sslv3 alert handshake failure"],
            ("tls", "tls-cipher-mismatch"),
        ),
        (
            ["tcp connected", "tls errno=-2146893018 unexpected or badly formatted"],
            ("tls", "handshake-failed"),
        ),
        (
            ["tcp connected", "verify 20:unable to get local issuer certificate", "tls done", "http 404"],
            ("tls", "certificate-untrusted"),
        ),
        (["tcp connected", "verify 62:hostname mismatch", "tls done", "http 200"], ("tls", "name-mismatch")),
        (
            ["tcp connected", "verify RemoteCertificateNameMismatch ", "tls done", "http 200"],
            ("tls", "name-mismatch"),
        ),
        (
            ["tcp connected", "verify RemoteCertificateChainErrors NotTimeValid", "tls done"],
            ("tls", "certificate-expired"),
        ),
        (["tcp connected", "verify None ", "tls done"], ("http", "timeout")),
        (["tcp connected", "verify None ", "tls done", "http 404"], None),
    ],
)
def test_how_far_an_address_came(lines: list[str], wanted: tuple[str, str] | None) -> None:
    (seen,) = read(tried("address 203.0.113.9 2026-11-28T08:00:01Z", *lines)).attempts
    assert (seen.failure and (seen.failure.stage.value, seen.failure.kind)) == wanted
    assert seen.reachable is (wanted is None)
    assert seen.address == "203.0.113.9"


@pytest.mark.parametrize(
    ("said", "kind", "rcode"),
    [
        ("NXDOMAIN", "nxdomain", "NXDOMAIN"),
        ("9003", "nxdomain", "NXDOMAIN"),
        ("11001", "nxdomain", "NXDOMAIN"),
        ("SERVFAIL", "servfail", "SERVFAIL"),
        ("9501", "no-addresses", "NOERROR"),
        ("timed out", "no-resolver", None),
        ("9852", "no-resolver", None),
    ],
)
def test_a_name_without_an_address(said: str, kind: str, rcode: str | None) -> None:
    found = read(tried(f"unresolved {said}"))
    (seen,) = found.attempts
    assert seen.failure is not None
    assert (seen.failure.stage.value, seen.failure.kind) == ("dns", kind)
    assert [one.rcode for one in found.answers] == ([] if rcode is None else [rcode])


@pytest.mark.parametrize(
    "form", ["as it is", "crlf", "utf-16", "utf-8 with its mark", "quoted in a mail", "pasted"]
)
def test_in_whatever_form_it_is_handed_in(form: str) -> None:
    text = {
        "crlf": WINDOWS.replace("\n", "\r\n"),
        "quoted in a mail": WINDOWS.replace("\n", "\n> "),
        "pasted": f"PS C:\\Users\\op> # as you asked\n{WINDOWS}PS C:\\Users\\op> ",
    }.get(form, WINDOWS)
    coding = {"utf-16": "utf-16", "utf-8 with its mark": "utf-8-sig"}.get(form, "utf-8")
    (found,) = (
        one for one in read_document("x.txt", text.encode(coding)) if one.kind is Kind.SERVER_EVIDENCE
    )
    answer = found.answers[0]
    assert (answer.host, answer.addresses, answer.resolver) == (HOST, ("203.0.113.9",), "10.30.0.53")
    assert answer.chain == ("gbl.his.hybridcompute.trafficmanager.net",)
    assert found.attempts[0].failure is not None
    assert "Example Web Gateway CA" in found.attempts[0].failure.says
    assert found.taken == datetime(2026, 11, 28, 15, 40, 23, tzinfo=UTC)
    assert found.notes == ()


def test_an_address_that_answers_counts_and_its_clock_is_compared() -> None:
    found = read(
        tried(
            "address 203.0.113.9 2026-11-28T08:00:01Z", "tcp errno=110",
            "address 203.0.113.10 2026-11-28T08:01:40Z", "tcp connected", "tls done", "http 404",
            "date Sat, 28 Nov 2026 08:00:00 GMT",
        )
    )  # fmt: skip
    assert [(one.reachable, one.address, one.clock_skew) for one in found.attempts] == [
        (True, "203.0.113.10", 100.0)
    ]
    assert found.answers[0].addresses == ("203.0.113.9", "203.0.113.10")


def test_a_hosts_file_and_a_proxy_are_told() -> None:
    found = read(tried("hosts-file 203.0.113.9", "address 203.0.113.9 x", "tcp errno=110").replace(
        "resolver", "proxy https_proxy http://proxy.example:8080\nresolver", 1))  # fmt: skip
    assert (found.answers[0].resolver, found.answers[0].chain) == ("/etc/hosts", ())
    assert any("https_proxy" in note for note in found.notes)


def test_what_was_cut_short_says_so() -> None:
    assert "cut short" in read(WINDOWS.partition("arcferry-evidence end")[0]).notes[0]


@pytest.mark.parametrize("prompt", ["PS>", "$"])
def test_what_the_agent_said_beneath_is_read_as_itself(prompt: str) -> None:
    agent = (
        f"{prompt} azcmagent version\nazcmagent version 1.61.03319.2737\n"
        f"{prompt} azcmagent show\n"
        "Resource Name                           : PLANT-DB01\n"
        "Agent Version                           : 1.61.03319.2737\n"
        "Agent Status                            : Disconnected\n"
        "Agent Last Heartbeat                    : 2026-11-26T04:50:29Z\n"
        "Using HTTPS Proxy                       : http://10.77.0.8:3128\n"
    )
    text = tried("address 203.0.113.9 2026-11-28T08:00:01Z", "tcp errno=110") + agent
    found = {one.kind: one for one in read_document("pasted.txt", text.encode())}
    assert {Kind.SERVER_EVIDENCE, Kind.AGENT_SHOW} <= set(found)
    assert Kind.UNRECOGNISED not in found
    state = found[Kind.AGENT_SHOW].agent_state
    assert state is not None
    assert (state.status, state.proxy) == ("Disconnected", "http://10.77.0.8:3128")
    assert [one.address for one in found[Kind.SERVER_EVIDENCE].attempts] == ["203.0.113.9"]
