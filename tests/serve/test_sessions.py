"""Who is signed in, and for how long."""

from dataclasses import dataclass

import pytest

from arcferry.serve.sessions import IDLE, LINK, LONGEST, Attempts, Sessions

TOKEN = "a-token-of-a-test-0123456789"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(TOKEN, clock)


@pytest.mark.parametrize("wrong", ["", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "\ud800"])
def test_the_token_alone_signs_in(sessions: Sessions, wrong: str) -> None:
    assert sessions.by_token(wrong) == ""
    assert sessions.of(sessions.by_token(TOKEN)) is not None
    assert sessions.of("") is None


def test_a_link_works_once_and_soon(sessions: Sessions, clock: Clock) -> None:
    assert sessions.by_link("") == ""
    link = sessions.link()
    assert sessions.by_link(link + "x") == ""
    assert sessions.by_link(link)
    assert sessions.by_link(link) == ""
    old = sessions.link()
    clock.now += LINK
    assert sessions.by_link(old) == ""


def test_a_session_ends_when_nothing_is_asked_for(sessions: Sessions, clock: Clock) -> None:
    name = sessions.by_token(TOKEN)
    clock.now += IDLE - 1
    assert sessions.of(name)
    clock.now += IDLE - 1
    assert sessions.of(name, looks=True)  # which makes it no younger
    clock.now += 1
    assert sessions.of(name) is None


def test_a_session_ends_however_much_is_asked_for(sessions: Sessions, clock: Clock) -> None:
    name, begun = sessions.by_token(TOKEN), clock.now
    while clock.now + IDLE / 2 < begun + LONGEST:
        clock.now += IDLE / 2
        assert sessions.of(name)
    clock.now = begun + LONGEST
    assert sessions.of(name) is None


def test_who_signed_out_is_out_and_the_others_are_not(sessions: Sessions) -> None:
    one, other = sessions.by_token(TOKEN), sessions.by_token(TOKEN)
    sessions.end(one)
    assert (sessions.of(one), sessions.of(other) is None) == (None, False)


def test_a_form_is_of_one_session(sessions: Sessions) -> None:
    one, other = sessions.by_token(TOKEN), sessions.by_token(TOKEN)
    session = sessions.of(one)
    assert session
    assert sessions.is_own(one, session.csrf)
    assert not sessions.is_own(other, session.csrf)
    assert not sessions.is_own(one, "")
    assert not sessions.is_own("", "")


def test_there_are_no_more_sessions_than_there_is_room_for(sessions: Sessions, clock: Clock) -> None:
    names = []
    for _ in range(70):
        clock.now += 1
        names.append(sessions.by_token(TOKEN))
    there = [name for name in names if sessions.of(name, looks=True)]
    assert there == names[-64:]


def test_wrong_tokens_are_waited_for_by_address(clock: Clock) -> None:
    attempts = Attempts(clock)
    for _ in range(5):
        assert attempts.wait("10.0.0.1") == 0
        attempts.wrong("10.0.0.1")
        clock.now += 1
    assert attempts.wait("10.0.0.1") == 55
    assert attempts.wait("10.0.0.2") == 0
    clock.now += 55
    assert attempts.wait("10.0.0.1") == 0


def test_many_addresses_take_no_more_room(clock: Clock) -> None:
    attempts = Attempts(clock)
    for number in range(3000):
        attempts.wrong(f"10.0.{number // 250}.{number % 250}")
    assert len(attempts._wrong) == 1024
