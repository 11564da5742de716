"""Every cmdlet that arcferry prints, against Microsoft's references."""

import re

import pytest
from tests.commands.powershell_lines import (
    CMDLET,
    TABLE,
    Call,
    calls,
    every,
    powershell_texts,
    problem,
    takes,
)
from tests.commands.texts import printed, written

from arcferry.diagnosis.pages import pages

EVERY = every(powershell_texts())

# What is named in a sentence and is no cmdlet of Windows or Az.
OTHERS = {"Test-ArcEndpoints": "the name of a third party's script, as the source of data"}


def _id(call: Call) -> str:
    return f"{call.where}-{call.text[:50]}"


@pytest.mark.parametrize("call", EVERY, ids=_id)
def test_powershell_takes_the_call(call: Call) -> None:
    assert problem(call) == "", call


def test_every_cmdlet_that_a_sentence_names_is_one() -> None:
    named = {
        (one.where, found[0])
        for one in (*written(), *printed())
        if not one.where.endswith((".ps1", ".sh", ".py"))
        for found in CMDLET.finditer(one.text)
    }
    assert {one for one in named if not takes(one[1]) and one[1] not in OTHERS} == set()


REFUSED = {
    "Invoke-RestMethod -NoProxy http://X": "no parameter -noproxy",
    "Test-NetConnection X -TcpPort 443": "no parameter -tcpport",
    "Set-AzRouteFilterRuleConfig -RouteFilter $f -Name n -Access Permit -RouteFilterRuleType Community "
    "-CommunityList $v": "-access takes",
    "Set-AzRouteFilterRuleConfig -Name n -Access Allow -RouteFilterRuleType Community": "needs",
    "Get-AzRouteFilters -Name x": "not in the table",
    "Test-NetConnection X -Port": "lacks its value",
    "Get-TlsCipherSuite one two": "places for 1",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_call_that_powershell_refuses_is_found(text: str) -> None:
    (call,) = calls("x", text)
    assert REFUSED[text] in problem(call)


def test_a_cmdlet_of_newer_windows_is_said_to_be_one() -> None:
    """Servers of 2012 R2 are connected too."""
    newer = set(TABLE["windows2016"]["cmdlets"])
    for page in pages():
        if any(name in text for name in newer for text in (one.text for one in page.example)):
            assert any(TABLE["windows2016"]["since"] in step for step in page.fix), page.slug


def test_the_tables_name_their_sources() -> None:
    for group in (one for one in TABLE.values() if isinstance(one, dict)):
        assert "/" in group["source"]
        for name, (_, commit, dated) in group["cmdlets"].items():
            assert re.fullmatch(r"[0-9a-f]{12}", commit), name
            assert re.fullmatch(r"(20\d\d-\d\d-\d\d)?", dated), name


def test_there_are_calls_to_look_at() -> None:
    assert {"Resolve-DnsName", "Set-AzRouteFilter", "Set-GPPermission", "Get-FileHash"} <= {
        one.name for one in EVERY
    }
    assert len(EVERY) > 40
