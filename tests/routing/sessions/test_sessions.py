"""BGP sessions out of every router's own words."""

import tomllib
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.routing.session import Session
from arcferry.routing.tables.sessions import read_sessions

SAMPLES = tomllib.loads((Path(__file__).parent / "samples.toml").read_text(encoding="utf-8"))["sample"]
_TEXTS = [sample["text"] for sample in SAMPLES]


def _listed(session: Session) -> list[Any]:
    received = -1 if session.received is None else session.received
    return [session.peer, session.asn or 0, session.state, received, session.since]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_is_read_as_the_router_means_it(sample: dict[str, Any]) -> None:
    assert [_listed(one) for one in read_sessions(sample["text"])] == sample["sessions"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_carriage_returns_and_prompts_around_change_nothing(sample: dict[str, Any]) -> None:
    text = "rt1# show clock\n12:01:09 UTC\n" + sample["text"].replace("\n", "\r\n") + "\r\nrt1# exit\r\n"
    assert [_listed(one) for one in read_sessions(text)] == sample["sessions"]


@given(st.sampled_from(_TEXTS), st.sampled_from(_TEXTS), st.randoms(), st.text(max_size=40))
def test_never_raises_on_what_is_mixed_and_cut(one: str, other: str, chance: Random, odd: str) -> None:
    lines = [*one.splitlines(), *other.splitlines(), odd]
    chance.shuffle(lines)
    text = "\n".join(line[: chance.randrange(1, 120)] for line in lines)
    for session in read_sessions(text):
        assert session.peer
        assert session.state
        assert session.received is None or session.is_up or session.received == 0


def test_secrets_of_a_peer_are_not_kept() -> None:
    assert "geheim" not in repr([read_sessions(text) for text in _TEXTS])
