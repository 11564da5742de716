"""What was out of reach, and what a page says when it was reached afterwards."""

from typing import Any

import pytest
from tests.report.page import samples
from tests.report.page.samples import LOST, Document
from tests.report.page.test_page import page_of

from arcferry.report.page.words import load

BROKEN = {"taken": "2026-11-20T08:00:00Z"}
LATER = {"taken": "2026-11-20T10:00:00Z"}
ELSEWHERE = "agent.other.example"


def explained(*hosts: str, **fields: Any) -> Document:  # noqa: ANN401 - any field
    return samples.document("findings", findings=[samples.finding(*hosts, **fields)])


def run(began: str, *states: str) -> Document:
    """A run whose servers ended their check like this; an empty state is of one that did not come to it."""
    steps = [[{"step": "check", "state": state, "seconds": 1}] if state else [] for state in states]
    hosts = [
        {"name": f"server{number}", "outcome": "connected", "steps": one} for number, one in enumerate(steps)
    ]
    return samples.document(
        "run", run="1", started=began, ended="2026-11-20T11:00:00Z", hosts=hosts, findings=[]
    )


ALL_OF_TWO = "All 2 servers that tried since then reach it, as of 2026-11-20 11:00 UTC."


@pytest.mark.parametrize(
    ("documents", "level", "act"),
    [
        ([explained(), run("2026-11-20T09:00:00Z", "done", "done")], "FAIL", ALL_OF_TWO),
        ([explained("server1"), run("2026-11-20T09:00:00Z", "done", "done")], "warn", ALL_OF_TWO),
        (
            [explained("server0"), run("2026-11-20T09:00:00Z", "done", "")],
            "warn",
            "Since then server0 reaches it, as of 2026-11-20 11:00 UTC.",
        ),
        (
            [explained(), samples.check(LOST) | BROKEN, samples.check() | LATER],
            "FAIL",
            "Since then where arcferry ran reaches it, as of 2026-11-20 10:00 UTC.",
        ),
        (
            [
                explained("server1"),
                run("2026-11-20T09:00:00Z", "done", "done"),
                samples.verification("stale"),
            ],
            "FAIL",
            ALL_OF_TWO,
        ),
    ],
)
def test_the_answer_tells_both(documents: list[Document], level: str, act: str) -> None:
    page = page_of(*documents)
    assert page.answer.says.startswith("As of 2026-11-20 08:00 UTC: Route filter rf-arc lacks")
    assert (page.answer.level, page.answer.act) == (level, act)
    assert page.causes[0].again
    assert load().reached_again(page.causes[0].again) == act
    assert page.path
    assert page.path.why.startswith("As of ")


@pytest.mark.parametrize(
    "documents",
    [
        [explained(), run("2026-11-20T07:00:00Z", "done")],  # before it was seen
        [explained(), run("2026-11-20T09:00:00Z", "failed", "failed")],
        [explained("server1"), run("2026-11-20T09:00:00Z", "done", "")],  # server1 did not come to it
        [explained("server9"), run("2026-11-20T09:00:00Z", "done")],
        [explained(), samples.verification("connected")],  # a machine may be connected without it
        [explained(), samples.check() | LATER, samples.check(LOST) | {"taken": "2026-11-20T12:00:00Z"}],
        [explained(), samples.watch()],
        [explained(evidence=[]), run("2026-11-20T09:00:00Z", "done")],
        [explained(endpoints=[]), run("2026-11-20T09:00:00Z", "done")],
        [explained(endpoints=[{"host": LOST}, {"host": ELSEWHERE}]), samples.check() | LATER],
        [
            explained(evidence=[{"origin": "dns", "says": "", "taken": "2026-11-20T00:00:00Z"}]),
            run("2026-11-20T09:00:00Z", "done"),
        ],  # of a day whose hour is not known
    ],
)
def test_what_nobody_shows_to_be_reached_stays_broken(documents: list[Document]) -> None:
    page = page_of(*documents)
    assert page.causes[0].again is None
    assert page.answer.says.startswith("Route filter rf-arc lacks")
    assert page.answer.level == "FAIL"


def test_what_is_reached_again_stands_behind_what_is_not() -> None:
    open_one = samples.finding(cause="dns/other", title="Another", endpoints=[{"host": ELSEWHERE}])
    page = page_of(explained(), samples.document("findings", findings=[open_one]), samples.check() | LATER)
    assert [one.slug for one in page.causes] == ["dns/other", "route/community-not-in-filter"]
    assert page.answer.says == "Another."
    assert page.answer.act.startswith("The network team can change it")
