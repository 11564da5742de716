"""The board of a run: hosts by state, the rate, the time left, and the last causes of failure."""

from io import StringIO

import pytest
from rich.console import Console

from arcferry.fleet.events import Event, EventKind
from arcferry.report.progress import Board, tell

HOSTS = [f"web{number:02}" for number in range(1, 6)]
CLOSED = "10.20.0.12 port 22: connection refused"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def drawn(board: Board, width: int = 80) -> str:
    console = Console(file=StringIO(), force_terminal=True, color_system=None, width=width)
    console.print(board)
    return console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board(HOSTS, 8, Console(file=StringIO(), width=80), clock=clock)


def test_before_anything_happened_all_wait(board: Board) -> None:
    assert board.sum() == "0 of 5 connected, 5 waiting"


def test_hosts_are_counted_by_state_with_rate_and_time_left(board: Board, clock: Clock) -> None:
    for name in HOSTS[:3]:
        board.see(Event(name, EventKind.STARTED, "reach"))
    board.see(Event("web01", EventKind.CONNECTED))
    board.see(Event("web02", EventKind.FAILED, "reach", f"web02: {CLOSED}"))
    board.see(Event("web02", EventKind.FAILED))
    clock.now = 30.0
    told = "1 of 5 connected, 1 failed, 1 at work, 2 waiting, 4.0 a minute, about 1 min left"
    assert board.sum() == told
    assert told in drawn(board).replace("\n", " ").replace("  ", " ")


def test_failures_are_told_by_cause_the_newest_last(board: Board) -> None:
    for name, says in zip(HOSTS, ("a", "b", "c", "d", "b"), strict=True):
        board.see(Event(name, EventKind.FAILED, "reach", f"{name}: {says}"))
    assert board.failures() == ["1 host: reach: c", "1 host: reach: d", "2 hosts: reach: b"]


def test_an_errand_has_its_own_word(clock: Clock) -> None:
    board = Board(HOSTS, 1, Console(file=StringIO()), "tagged", clock)
    board.see(Event("web01", EventKind.DONE))
    assert board.sum() == "1 of 5 tagged, 4 waiting"


@pytest.mark.parametrize("width", [60, 80])
def test_each_host_has_one_line_within_the_window(board: Board, width: int) -> None:
    board.see(Event("web01", EventKind.WAITING, "verify", "waits for a heartbeat " * 20))
    lines = [line.rstrip() for line in drawn(board, width).splitlines()]
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines[:5]] == HOSTS


def test_off_a_terminal_a_change_is_a_line() -> None:
    console = Console(file=StringIO(), width=80)
    tell(Event("web01", EventKind.FAILED, "reach", CLOSED), console)
    tell(Event("web01", EventKind.STARTED, "reach"), console)
    assert console.file.getvalue() == f"web01 reach failed: {CLOSED}\n"  # type: ignore[attr-defined]
