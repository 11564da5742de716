"""The findings document is exactly the design's; the text is for people, and hostile input stays text."""

import json
from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from arcferry.command_line import Does
from arcferry.diagnosis import Diagnosis, Finding, Owner, Severity
from arcferry.diagnosis.finding import Affected, Command, Confidence, Evidence, Remedy, Taken
from arcferry.report import as_json, findings

TAKEN = datetime(2026, 1, 10, 6, 0, 0, tzinfo=UTC)
DAY = datetime(2026, 1, 5, tzinfo=UTC)
FINDING = Finding(
    cause="route/community-not-in-filter",
    title="Route filter rf lacks 12076:51012",
    severity=Severity.ERROR,
    confidence=Confidence.EXPECTED,
    owner=Owner.NETWORK,
    endpoints=(Affected("a.example", "203.0.113.5", "japaneast", "AzureCloud.japaneast", "12076:51012"),),
    evidence=(
        Evidence("dns.json", "a.example: 203.0.113.5", TAKEN),
        Evidence("tags.json", "in japaneast", DAY),
    ),
    remedy=Remedy(
        "Add it.",
        ("First.", "Then."),
        (Command("az", "az one\naz two", Does.CHANGES),),
        "Subject: x\n\nPlease [add].",
    ),
)
DIAGNOSIS = Diagnosis([Taken("dns.json", "dns-answers", TAKEN), Taken("x.bin", "unrecognised")], [FINDING])


def drawn(diagnosis: Diagnosis, *, terminal: bool = False, width: int = 80) -> str:
    out = StringIO()
    findings.draw(
        diagnosis, Console(file=out, force_terminal=terminal, width=width, markup=False, emoji=False)
    )
    return out.getvalue()


def test_the_document_is_the_designs() -> None:
    assert json.loads(json.dumps(as_json.findings(DIAGNOSIS))) == {
        "schema": 1,
        "kind": "findings",
        "inputs": [
            {"name": "dns.json", "kind": "dns-answers", "taken": "2026-01-10T06:00:00Z"},
            {"name": "x.bin", "kind": "unrecognised", "taken": None},
        ],
        "outcome": "findings",
        "findings": [
            {
                "cause": "route/community-not-in-filter",
                "title": "Route filter rf lacks 12076:51012",
                "severity": "error",
                "confidence": "expected",
                "owner": "network",
                "endpoints": [
                    {
                        "host": "a.example",
                        "address": "203.0.113.5",
                        "region": "japaneast",
                        "service_tag": "AzureCloud.japaneast",
                        "community": "12076:51012",
                    }
                ],
                "evidence": [
                    {"origin": "dns.json", "says": "a.example: 203.0.113.5", "taken": "2026-01-10T06:00:00Z"},
                    {"origin": "tags.json", "says": "in japaneast", "taken": "2026-01-05T00:00:00Z"},
                ],
                "would_decide": [],
                "remedy": {
                    "summary": "Add it.",
                    "steps": ["First.", "Then."],
                    "commands": [{"tool": "az", "text": "az one\naz two", "does": "changes"}],
                    "request": "Subject: x\n\nPlease [add].",
                    "to": "",
                },
            }
        ],
        "evidence": {"schema": 1, "kind": "evidence", "documents": []},
    }


def test_json_lines_end_with_a_sum() -> None:
    first, _, last = json.loads(json.dumps([*as_json.finding_lines(DIAGNOSIS)]))
    assert (first["kind"], first["cause"]) == ("finding", "route/community-not-in-filter")
    assert (last["kind"], last["errors"], len(last["inputs"])) == ("findings", 1, 2)


def test_the_text_has_everything_an_engineer_needs() -> None:
    text = drawn(DIAGNOSIS)
    for part in (
        "ERROR  Route filter rf lacks 12076:51012",
        "route/community-not-in-filter",
        "network team",
        "dns.json, 2026-01-10T06:00:00Z",
        "tags.json, 2026-01-05\n",
        "x.bin     not recognised",
        "1.  First.",
        "    az, changes\n      az one\n      az two",
        "Please [add].",
        "1 error",
    ):
        assert part in text


def test_commands_are_never_wrapped() -> None:
    long = "az " + "x" * 300
    remedy = Remedy("s", commands=(Command("az", long, Does.READS),))
    one = Finding("a/b", "t", Severity.INFO, Confidence.OBSERVED, Owner.SERVER, (), (), remedy)
    for terminal in (False, True):
        assert long in drawn(Diagnosis([], [one]), terminal=terminal, width=40)


def test_off_a_terminal_there_is_no_colour() -> None:
    text = drawn(DIAGNOSIS, width=20)
    assert "\x1b" not in text
    assert "ERROR  Route filter\n       rf lacks\n       12076:51012\n" in text


def test_hostile_text_is_text() -> None:
    bad = "\x1b]0;owned\x07[red]x[/red]\u202e\x00\nnew line"
    remedy = Remedy(bad, (bad,), (Command(bad, bad, Does.READS),), bad)
    one = Finding(
        "a/b",
        bad,
        Severity.ERROR,
        Confidence.OBSERVED,
        Owner.SERVER,
        (Affected(bad),),
        (Evidence(bad, bad),),
        remedy,
    )
    text = drawn(Diagnosis([Taken(bad, "agent-check")], [one]))
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "\u202e" not in text
    assert "[red]x[/red]" in text


def test_many_endpoints_are_cut_and_counted() -> None:
    many = tuple(Affected(f"h{number}.example") for number in range(60))
    one = Finding("a/b", "t", Severity.ERROR, Confidence.OBSERVED, Owner.SERVER, many, (), Remedy("s"))
    text = drawn(Diagnosis([], [one]))
    assert "h39.example" in text
    assert "h40.example" not in text
    assert "and 20 more, see --output json" in text


def test_no_findings_is_said() -> None:
    assert "No findings" in drawn(Diagnosis([Taken("a", "agent-check")], []))
