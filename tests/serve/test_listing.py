"""Hosts by state, cause, site and tag; what a page shows of them."""

from typing import Any

import pytest

from arcferry.fleet.following import RunState
from arcferry.serve.listing import Choice, HostRow, RunView, listing, steps_of

EVENTS = ("", "started", "waiting", "done", "failed", "blocked", "not-heard-from", "connected", "stopped")


def view(*rows: HostRow, state: RunState = RunState.RUNNING, total: int = 0, **more: Any) -> RunView:  # noqa: ANN401
    named = {row.name: row for row in rows}
    return RunView(id="r", total=total or len(rows), state=state, rows=named, **more)


def rows(count: int) -> list[HostRow]:
    return [
        HostRow(
            number, f"server{number}", f"site{number % 2}", {"role": f"r{number % 3}"}, EVENTS[number % 9]
        )
        for number in range(count)
    ]


def test_states_while_it_is_at_work_and_afterwards() -> None:
    assert view(*rows(9)).counts == {
        "failed": 1, "blocked": 1, "not-heard-from": 1, "stopped": 1, "waiting": 1, "at-work": 2,
        "not-begun": 1, "connected": 1,
    }  # fmt: skip
    ended = view(*rows(9), state=RunState.ENDED).counts
    assert (ended["stopped"], ended.get("at-work"), ended.get("waiting")) == (4, None, None)
    assert view(total=7).counts == {"not-begun": 7}


CHOSEN = [
    (Choice(), 18),
    (Choice(state="failed"), 2),
    (Choice(site="site1"), 9),
    (Choice(tag="role=r2"), 6),
    (Choice(tag="role"), 0),
    (Choice(tag="role=r2", site="site1"), 3),
    (Choice(cause="tcp/timeout"), 1),
    (Choice(cause="no/such"), 0),
    (Choice(host="SERVER1"), 9),
]


@pytest.mark.parametrize(("choice", "found"), CHOSEN)
def test_who_is_chosen(choice: Choice, found: int) -> None:
    seen = view(*rows(18), of_cause={"tcp/timeout": frozenset({"server4"})})
    assert listing(seen, choice).found == found


@pytest.mark.parametrize(
    ("page", "shown"),
    [("", 0), ("1", 0), ("3", 200), ("4", 200), ("0", 0), ("-1", 0), ("x", 0), ("9" * 5000, 0)],
)
def test_pages(page: str, shown: int) -> None:
    found = listing(
        view(*(HostRow(number, f"server{number}") for number in range(250))), Choice.of({"page": page})
    )
    assert (found.pages, found.rows[0].number) == (3, shown)


def test_what_failed_is_first_and_what_is_done_last() -> None:
    names = ["c-done", "b-failed", "w", "a-failed", "at", "blocked", "none", "a-done"]
    events = ["connected", "failed", "waiting", "failed", "started", "blocked", "", "connected"]
    seen = view(
        *(HostRow(at, name, event=event) for at, (name, event) in enumerate(zip(names, events, strict=True)))
    )
    found = [row.name for row in listing(seen, Choice()).rows]
    assert found == ["b-failed", "a-failed", "blocked", "at", "w", "none", "c-done", "a-done"]
    assert [row.name for row in listing(seen, Choice(host="a-")).rows] == ["a-failed", "a-done"]


def test_an_address_says_what_is_chosen() -> None:
    given = {"state": "failed", "tag": "a&b=c d", "page": "2", "seen": "x"}
    choice = Choice.of(given)
    assert choice.query(page=1) == "state=failed&tag=a%26b%3Dc+d"
    assert choice.query(seen="1.2") == "state=failed&tag=a%26b%3Dc+d&page=2&seen=1.2"


def test_what_there_is_to_choose() -> None:
    found = view(*rows(9), of_cause={"tcp/timeout": frozenset()}).choices
    assert (found.causes, found.sites) == (("tcp/timeout",), ["site0", "site1"])
    assert found.tags == ["role=r0", "role=r1", "role=r2"]


def event(step: str, kind: str, attempt: int = 1, **more: object) -> dict[str, object]:
    return {"step": step, "event": kind, "attempt": attempt, "time": f"t{attempt}", "says": "", **more}


def test_steps_are_those_of_the_last_attempt_with_what_was_recorded() -> None:
    events = [
        event("facts", "failed"),
        event("facts", "started", 2),
        event("facts", "done", 2, says="Debian", seconds=1.5),
        event("", "failed", 2),
    ]
    recorded = [
        {"step": "facts", "state": "done", "output": "\x1b[31mx\ny"},
        {"step": "check", "state": "failed"},
    ]
    facts, check = steps_of(events, 2, recorded)
    assert (facts.began, facts.state, facts.says, facts.seconds) == ("t2", "done", "Debian", 1.5)
    assert facts.output == "x\ny"
    assert (check.step, check.state) == ("check", "failed")
    assert [one.step for one in steps_of(events, 1, recorded)] == ["facts"]


@pytest.mark.parametrize("odd", [{"seconds": "x"}, {"attempt": "2"}, {"says": None}, {"time": []}])
def test_a_journal_of_odd_values_is_no_fault(odd: dict[str, object]) -> None:
    [step] = steps_of([event("facts", "done") | odd], 0, [])
    assert step.state == "done"
