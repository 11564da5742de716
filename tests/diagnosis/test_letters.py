"""A letter asks its team for what that team can do, and claims no more than is known."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arcferry.diagnosis import Finding, Owner, Severity, judge, pages
from arcferry.diagnosis.causes import CAUSES
from arcferry.diagnosis.causes.path import undetermined
from arcferry.diagnosis.words import how_to_get
from arcferry.diagnosis.written import written
from arcferry.evidence.case import Case, Document, Kind
from arcferry.evidence.reading import read_document

_OURS = Path(__file__).parents[1] / "cases"
_SHARED = Path(__file__).parents[3] / "shared/cases"
_ON_A_SERVER = re.compile(
    r"azcmagent (?!check$)\w|arcferry|nslookup|Resolve-DnsName|\bdig\b|\bcurl\b|Test-NetConnection|systemctl|"
    r"Invoke-\w|Restart-Service|\bopenssl\b|traceroute|tracert|msiexec|\bdpkg\b|certutil|w32tm|chronyc|\bsudo\b",
    re.IGNORECASE,
)
"""What is run on a server, which the network team has no access to."""


def _folders() -> Iterator[Any]:
    for place in sorted(_OURS.glob("*/expected.toml")):
        yield pytest.param(place.parent, id=place.parent.name)
    for place in sorted(_SHARED.rglob("expected.toml")):
        name = place.parent.relative_to(_SHARED).as_posix()
        yield pytest.param(place.parent, id=f"shared-{name}", marks=pytest.mark.shared)


def _findings(folder: Path) -> list[Finding]:
    files = [path for path in sorted(folder.iterdir()) if path.name != "expected.toml"]
    documents: list[Document] = []
    for path in files:
        documents += read_document(path.name, path.read_bytes())
    # One file alone leaves the most undetermined.
    alone = [one for document in documents for one in judge([document]).findings]
    return [*judge(documents).findings, *alone]


def _asked(letter: str) -> str:
    """The letter without the quotations of what was seen, which name files and programs."""
    return "\n".join(
        line for line in letter.splitlines() if not re.match(r"- \S[^:]{0,80}\.(?:log|txt|json)", line)
    )


@pytest.mark.parametrize("folder", list(_folders()))
def test_the_network_team_is_asked_for_nothing_on_a_server(folder: Path) -> None:
    for finding in _findings(folder):
        if finding.owner is Owner.NETWORK:
            asked = _ON_A_SERVER.search(_asked(finding.remedy.request))
            assert asked is None, (finding.cause, asked, finding.remedy.request)


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.slug)
def test_nor_do_the_pages_ask_for_it(page: pages.Page) -> None:
    asked = [line for line in page.request.splitlines() if re.match(r"- |Please ", line)]
    assert page.owner is not Owner.NETWORK or _ON_A_SERVER.search("\n".join(asked)) is None


@pytest.mark.parametrize("kind", how_to_get())
def test_each_kind_of_evidence_is_asked_of_who_has_it(kind: str) -> None:
    match = undetermined((kind,))
    found = written(CAUSES["path/endpoint-unreachable"], match, Case(()), Severity.ERROR)
    on_a_server = kind in ("agent-check", "arcferry-check", "dns-answers", "agent-show", "agent-logs-zip")
    elsewhere = kind == "service-tags"
    assert found.owner is (Owner.SERVER if on_a_server or elsewhere else Owner.NETWORK)
    assert bool(found.remedy.request) is (found.owner is Owner.NETWORK)
    assert how_to_get()[kind] in found.remedy.steps[0]
    assert ("server team" if on_a_server or elsewhere else "network team") in found.remedy.steps[0]


def test_what_the_server_must_run_is_in_the_steps_and_not_in_the_letter() -> None:
    text = b"INFO    Exit Code:  AZCM0026: Network Error\nFATAL   required endpoints unavailable: https://pas.windows.net\n"
    (finding,) = judge(read_document("connect.txt", text)).findings
    assert finding.owner is Owner.NETWORK
    assert any("arcferry check --location" in step and "server team" in step for step in finding.remedy.steps)
    assert "show ip bgp" in finding.remedy.request
    assert "az network route-filter show" in finding.remedy.request
    assert "arcferry" not in finding.remedy.request
    assert "resolver" not in finding.remedy.request


@pytest.mark.parametrize(
    ("today", "order", "wanted"),
    [
        ("FranceCentral", "by name", ["Japan East", "Japan West", "Southeast Asia"]),
        (
            "EastAsia",
            "those of the same geography as today's answer first, each part by name",
            ["Southeast Asia", "France Central", "Japan East", "Japan West"],
        ),
    ],
)
def test_regions_outside_stand_in_the_order_that_the_letter_names(
    today: str, order: str, wanted: list[str]
) -> None:
    regions = ("JapanWest", "SoutheastAsia", "JapanEast", "FranceCentral", "EastAsia")
    rows = [
        {
            "name": f"AzureArcInfrastructure.{region}",
            "properties": {"region": region.lower(), "addressPrefixes": [f"198.51.100.{number * 16}/28"]},
        }
        for number, region in enumerate(regions)
    ]
    tags = {"changeNumber": 1, "cloud": "Public", "values": rows}
    host, address = "gbl.his.arc.azure.com", f"198.51.100.{regions.index(today) * 16 + 1}"
    dns = {"resolver": "192.0.2.53", "answers": {host: {"chain": [], "addresses": [address]}}}
    rule = {
        "properties": {
            "access": "Allow",
            "communities": ["12076:51010", "12076:51030"][: 1 + (today != "EastAsia")],
        }
    }
    folder = {
        "ServiceTags_Public_20260105.json": tags,
        "dns.json": dns,
        "rf.json": {"name": "rf-x", "properties": {"rules": [rule]}},
    }
    documents = [
        one for name, value in folder.items() for one in read_document(name, json.dumps(value).encode())
    ]
    found = [one for one in judge(documents).findings if one.cause.startswith("risk/steered")]
    (line,) = [line for line in found[0].remedy.request.splitlines() if line.startswith("Outside today")]
    assert line.startswith(f"Outside today, {order}: ")
    assert re.findall(r"\(([^)]+)\)", line) == wanted
    assert "nearest" not in found[0].remedy.request.lower()


def test_every_kind_that_a_finding_may_want_says_how_it_is_had() -> None:
    wanted = {
        Kind.AGENT_CHECK,
        Kind.ARCFERRY_CHECK,
        Kind.AGENT_LOGS_ZIP,
        Kind.COMMUNITY_LIST,
        Kind.ROUTE_FILTER,
    }
    assert wanted <= set(how_to_get())


@pytest.mark.parametrize("folder", list(_folders()))
def test_what_would_decide_is_had_without_arcferry_on_the_server(folder: Path) -> None:
    on_a_server = {Kind.ARCFERRY_CHECK.value, Kind.DNS_ANSWERS.value, Kind.AGENT_CHECK.value}
    for finding in _findings(folder):
        wanted, commands = on_a_server & set(finding.would_decide), finding.remedy.commands
        if wanted and finding.endpoints:
            names = [one.host for one in finding.endpoints if one.host]
            assert [one.tool for one in commands[:2]] == ["powershell", "sh"], finding.cause
            assert all(name in one.text for one in commands[:2] for name in names)
        if wanted:
            assert any(one.text.startswith("arcferry evidence script") for one in commands), finding.cause
        for kind in wanted:
            (step,) = [one for one in finding.remedy.steps if one.startswith(f"{kind}, by ")]
            first = re.search(r"the block|arcferry check|azcmagent check|nslookup", step)
            assert first is not None
            assert first[0] != "arcferry check"


@pytest.mark.parametrize("slug", CAUSES)
def test_arcferry_on_a_server_is_never_the_only_way(slug: str) -> None:
    page = pages.page(slug)
    texts = [*page.fix, *(one.text for one in page.example)]
    if any(re.search(r"arcferry (?:check|watch)\b", text) for text in texts):
        other = r"azcmagent check|arcferry evidence script|nslookup|Resolve-DnsName|\bdig\b|\bcurl\b"
        assert re.search(other, "\n".join(texts)), page.slug


_SERVER_TOOLS = _ON_A_SERVER.pattern
_ROUTER_TOOLS = r"show (?:ip|bgp|route)|display |route-map|adjust-mss|birdc"
_CANNOT = {
    "network": rf"{_SERVER_TOOLS}|ServiceTags|service[- ]tags? (?:file|download)|download",
    "azure": rf"{_SERVER_TOOLS}|{_ROUTER_TOOLS}",
    "identity": rf"{_SERVER_TOOLS}|{_ROUTER_TOOLS}|az (?:network|group|provider|lock|policy)",
    "server": rf"{_ROUTER_TOOLS}|az network|\bpeering\b|route filter",
    "Microsoft support": _ROUTER_TOOLS,
}
"""What a letter may not ask of whom: they have no access to it, or it is not theirs."""
_THEIRS = {
    "Proxy": ("network",),
    "Firewall": ("network",),
    "ExpressRoute": ("network",),
    "DNS": ("network",),
    "Routing": ("network",),
    "Network": ("network",),
    "Time": ("network",),
    "Conditional Access": ("identity",),
    "Azure Policy": ("azure",),
    "Group policy": ("server",),
}
"""Whose a thing is, by the first word of a letter's subject."""


def _letters() -> Iterator[tuple[str, str, str]]:
    for page in pages.pages():
        yield page.slug, page.to or page.owner.value, page.request
    for folder in sorted(_OURS.glob("*/expected.toml")):
        for one in _findings(folder.parent):
            yield one.cause, one.remedy.to or one.owner.value, one.remedy.request


def test_a_letter_goes_to_whom_can_act_and_asks_for_what_they_have() -> None:
    written = 0
    for cause, to, letter in dict.fromkeys(one for one in _letters() if one[2]):
        written += 1
        # What was seen is quoted, and names what it names.
        asked = _asked(letter.partition("What was seen:")[0])
        found = re.search(_CANNOT[to], asked, re.IGNORECASE)
        assert found is None, (cause, to, found, asked)
        topic = letter.splitlines()[0].removeprefix("Subject: ").partition(":")[0]
        for word, theirs in _THEIRS.items():
            assert not topic.startswith(word) or to in theirs, (cause, to, topic)
    assert written > 60
