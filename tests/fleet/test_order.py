"""The order in which an apply would take up its servers, as a plan tells it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arcferry.errors import HostError
from arcferry.fleet.host_state import Action, Decision
from arcferry.fleet.inventory import Host
from arcferry.fleet.order import order_of
from arcferry.fleet.plan import HostPlan
from arcferry.fleet.task import RunRequest
from arcferry.fleet.waves import waves

TO_DO = (("install", Decision(Action.RUN, "none")),)
DONE = (("verified", Decision(Action.RUN, "asked")),)


def request(canary: int, wanted: str = "100%") -> RunRequest:
    given: Any = SimpleNamespace()
    return RunRequest(given, given, given, given, None, Path("state"), canary=canary, waves=waves(wanted))


def hosts(*told: str) -> list[HostPlan]:
    """`name@site` is to be taken in, `name@site done` is done, `name@site off` does not answer."""
    found = []
    for text in told:
        (place, *state) = text.split()
        name, _, site = place.partition("@")
        host = Host(name, "192.0.2.1", site=site)
        error = HostError("it does not answer") if state == ["off"] else None
        steps = DONE if state == ["done"] else TO_DO
        found.append(HostPlan(host, steps=() if error else steps, error=error))
    return found


@pytest.mark.parametrize(
    ("canary", "wanted", "plans", "first", "stages"),
    [
        (1, "100%", ["a@x", "b@x", "c@y"], {"x": ["a"], "y": ["c"]}, {"canary": "ac", "wave 1": "b"}),
        (1, "100%", ["a@x off", "b@x"], {"x": ["b"]}, {"canary": "b", "wave 1": "a"}),
        (1, "100%", ["a@x done", "b@x", "c@x"], {"x": ["b"]}, {"wave 1": "bc"}),
        (0, "1,100%", ["a@x", "b@x"], {}, {"wave 1": "a", "wave 2": "b"}),
        (2, "50%,100%", ["a@x", "b@x", "c@x", "d@x"], {"x": ["a", "b"]}, {"canary": "ab", "wave 2": "cd"}),
        (1, "100%", ["a@x done"], {}, {}),
        (1, "100%", ["a@x off"], {"x": []}, {"wave 1": "a"}),
    ],
)
def test_whose_path_is_proved_and_who_follows(
    canary: int, wanted: str, plans: list[str], first: dict[str, list[str]], stages: dict[str, str]
) -> None:
    found = order_of(request(canary, wanted), hosts(*plans))
    assert {turn.network.removeprefix("site "): list(turn.first) for turn in found.networks} == first
    assert {one.name: "".join(host.name for host in one.hosts) for one in found.stages} == stages
