"""Causes that codes of the catalogue tell: one form of headline, evidence, advice and letter for all."""

import re

import pytest

from arcferry import catalog
from arcferry.diagnosis import Finding, judge
from arcferry.diagnosis.causes import CAUSES
from arcferry.diagnosis.words import entry
from arcferry.evidence.case import CodeSeen, Document, Kind
from arcferry.language import speaking

# What is about an endpoint alone needs the line that names it.
_TELLING = [
    code
    for code in catalog.codes()
    if code.cause and not code.only_with and (CAUSES[code.cause].of_case or code.family != "words")
]


def told(*seen: CodeSeen) -> Finding:
    (finding,) = judge([Document("connect.txt", Kind.AGENT_CONNECT, codes=seen)]).findings
    return finding


@pytest.mark.parametrize("code", _TELLING, ids=lambda code: code.code)
def test_a_code_alone_gives_its_cause_its_meaning_and_its_way_out(code: catalog.Code) -> None:
    name = f"msi error {code.code}" if code.family == "msi-error" else code.code
    finding = told(CodeSeen(name, "some words", "connect.txt"))
    assert finding.cause == code.cause
    # What fails on Linux alone has a title in Linux's own words.
    of_linux = code.meaning.startswith("Linux:") and code.cause == "install/failed"
    assert of_linux or finding.title == f"{entry(code.cause).title} ({name})"
    assert finding.title.endswith(f" ({name})")
    assert finding.remedy.steps[0] == code.remedy
    says = {line.says: line.origin for line in finding.evidence}
    assert says[f"{name}: {code.meaning}"] == f"catalogue ({code.source})"
    assert [line.origin for line in finding.evidence].count("connect.txt") == 1


def test_a_finding_tells_a_code_in_the_language_that_is_spoken() -> None:
    with speaking("zh-TW"):
        own, unknown = (told(CodeSeen(code, "words", "connect.txt")) for code in ("AZCM0018", "AZCM0072"))
    assert own.remedy.steps[0] == "請以本機系統管理員或 root 身分執行。"
    assert "AZCM0018\uff1a指令執行時沒有系統管理員權限。" in [line.says for line in own.evidence]
    assert unknown.title.endswith("管理擴充功能的工具失敗")
    assert unknown.remedy.summary == "請查看擴充功能的記錄\uff08ext_mgr_logs\uff09。"
    assert "\n- connect.txt\uff1a代理程式" in unknown.remedy.request


def test_the_letter_quotes_what_was_seen_and_not_the_catalogue() -> None:
    where = "/subscriptions/22222222-3333-4444-5555-666666666666/resourceGroups/rg-arc"
    inner = CodeSeen("AuthorizationFailed", f"no authorization over scope '{where}'", "connect.txt")
    around = CodeSeen("AZCM0042", "Failed to Create Resource", "connect.txt")
    finding = told(around, inner)
    assert finding.cause == "arm/not-authorized"
    assert finding.remedy.request.splitlines()[2:] == [
        "The identity with object id OBJECT_ID is refused creating the machine.",
        f'Please assign it the role "Azure Connected Machine Onboarding" at {where}.',
        "",
        "What was seen:",
        f"- connect.txt: AuthorizationFailed: no authorization over scope '{where}'",
        "- connect.txt: the agent ended with AZCM0042: Failed to Create Resource",
    ]


def test_a_code_that_says_the_same_words_around_it_does_not_repeat_them() -> None:
    words = "the client has no authorization"
    finding = told(CodeSeen("AuthorizationFailed", words, "a"), CodeSeen("AZCM0042", words, "a"))
    assert [line.says for line in finding.evidence if line.origin == "a"] == [
        f"AuthorizationFailed: {words}",
        "the agent ended with AZCM0042, around it",
    ]


@pytest.mark.parametrize(
    ("code", "owner", "severity", "title"),
    [
        (
            "AZCM0041",
            "identity",
            "error",
            "AZCM0041: Entra ID refused the credentials, or gave no access token",
        ),
        ("AZCM0072", "server", "error", "AZCM0072: The tool that manages extensions failed"),
        ("AADSTS999", "identity", "error", "AADSTS999: a code that the catalogue does not know"),
    ],
)
def test_a_code_without_a_cause_has_the_owner_of_its_phase(
    code: str, owner: str, severity: str, title: str
) -> None:
    finding = told(CodeSeen(code, "", "connect.txt"))
    assert (finding.cause, finding.owner, finding.severity) == ("install/agent-code", owner, severity)
    assert finding.title == title
    known = catalog.known_code(code) is not None
    assert (re.search("ook (?:it|the code) up", finding.remedy.request) is None) is known
    assert ("The same command will fail again." in finding.remedy.steps) is known


def test_the_region_that_comes_nearest_is_offered() -> None:
    for words, region in (
        ('location "eastasai" is not valid', "eastasia"),
        ('location "East Asai" is not valid', "eastasia"),
        ('location "nowhere" is not valid', "REGION"),
    ):
        commands = told(CodeSeen("AZCM0020", words, "connect.txt")).remedy.commands
        assert commands[-1].text == f"azcmagent check --location {region}"


def test_a_code_of_entra_that_no_table_has_is_told_where_it_stands() -> None:
    summary = told(CodeSeen("AADSTS987654", "something odd", "connect.txt")).remedy.summary
    assert "https://login.microsoftonline.com/error?code=987654" in summary
