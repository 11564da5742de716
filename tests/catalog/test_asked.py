"""Codes as people type them: by any number, name or spelling that a tool printed."""

import re

import pytest

from arcferry import catalog
from arcferry.diagnosis.causes import CAUSES


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ("AZCM0026", ["agent AZCM0026"]),
        ("26", ["agent AZCM0026"]),
        ("exit code 26", ["agent AZCM0026"]),
        ("azcmagent exit code 26", ["agent AZCM0026"]),
        ("5", ["agent AZCM0005", "win32 5"]),
        ("1603", ["msiexec 1603"]),
        ("0x80070643", ["msiexec 1603"]),
        ("Error 1603", ["msiexec 1603"]),
        ("msi error 1601", ["msi-error 1601"]),
        ("12002", ["winhttp 12002"]),
        ("0x80072ee7", ["winhttp 12007"]),
        ("80072EE7", ["winhttp 12007"]),
        ("0X80072EE7.", ["winhttp 12007"]),
        ("80072ee7h", ["winhttp 12007"]),
        ("&H80072EE7", ["winhttp 12007"]),
        ("0x2ee7", ["winhttp 12007"]),
        ("-2147012889", ["winhttp 12007"]),
        ("2147954407", ["winhttp 12007"]),
        ("HRESULT: 0x80072EE7", ["winhttp 12007"]),
        ("hr=0x80072f8f", ["winhttp 12175"]),
        ("error_internet_timeout", ["winhttp 12002"]),
        ("error 10060", ["winsock 10060"]),
        ("WSAETIMEDOUT", ["winsock 10060"]),
        ("ECONNREFUSED", ["winsock 10061"]),
        ("0x80072746", ["winsock 10054"]),
        ("0x80070005", ["win32 5"]),
        ("0x80090331", ["hresult 0x80090331"]),
        ("SEC_E_ALGORITHM_MISMATCH", ["hresult 0x80090331"]),
        ("-2146762487", ["hresult 0x800b0109"]),
        ("0x80131509", ["hresult 0x80131509"]),
        ("-2146233079", ["hresult 0x80131509"]),
        ("curl 28", ["curl 28"]),
        ("curl: (28)", ["curl 28"]),
        ("curl error 28", ["curl 28"]),
        ("143", ["install-script AZCM0143"]),
        ("407", ["http 407"]),
        ("HTTP 403", ["http 403"]),
        ("AZCM0026 AZCM0044", ["agent AZCM0026", "agent AZCM0044"]),
        ("exit status 26", ["agent AZCM0026"]),
        ("錯誤碼 0x80072EE7", ["winhttp 12007"]),
        ("結束代碼: 1603", ["msiexec 1603"]),
        ("FATAL AZCM0026: Network Error. See AADSTS7000215.", ["agent AZCM0026", "entra AADSTS7000215"]),
        ("The server name could not be resolved (0x80072ee7)", ["winhttp 12007"]),
        ("HIMDS", ["service himds"]),
        ("himdsd", ["service himds"]),
        ("gcad", ["service GCArcService"]),
        ("DisabledSubscription", ["arm ReadOnlyDisabledSubscription"]),
        ("authorization failed", ["arm AuthorizationFailed"]),
    ],
)
def test_what_is_meant(given: str, codes: list[str]) -> None:
    assert [f"{code.family} {code.code}" for code in catalog.asked(given)] == codes


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        "AADSTS99999",
        "check.txt",
        "facade12",
        "server 26",
        "subscription",
        "0x80240022",
        "9" * 5000,
    ],
)
def test_what_nothing_is_known_of(given: str) -> None:
    assert catalog.asked(given) == ()


def test_a_number_that_curl_has_too() -> None:
    assert [code.title for code in catalog.also_asked("28")] == ["curl 28"]
    assert catalog.also_asked("0x1c") == ()


@pytest.mark.parametrize(
    ("given", "words"), [("0x80240022", "Windows Update"), ("-2145124318", "Windows Update"), ("12345", "")]
)
def test_who_defines_a_number(given: str, words: str) -> None:
    assert catalog.facility(given) == words


def test_every_row_says_what_it_means_what_to_do_and_who_says_so() -> None:
    for code in catalog.system_codes():
        assert code.meaning.endswith("."), code.title
        assert code.remedy.endswith("."), code.title
        assert re.search(r", 20\d\d-\d\d-\d\d$", code.source), code.title
        assert not code.cause or code.cause in CAUSES, code.title


def test_no_reader_judges_by_them() -> None:
    assert not {code.family for code in catalog.codes()} & {code.family for code in catalog.system_codes()}
    assert catalog.known_code("12002") is None
