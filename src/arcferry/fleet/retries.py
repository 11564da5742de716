"""Which failed steps are tried again within a run, and when: those alone that pass by themselves."""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from arcferry import catalog
from arcferry.fleet.outcome import StepResult, StepState

_GROWTH = 2.0
_LEAST, _MOST = 0.5, 1.5


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failure is tried again.

    Attributes:
        base: seconds before the first time; each wait after it is twice the one before.
        source: who says that it passes.
    """

    times: int
    base: float
    source: str


@cache
def retries() -> Mapping[str, Retry]:
    """Every failure that is tried again, by its code in lower case or its cause's slug."""
    text = resources.files("arcferry.fleet").joinpath("retries.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    sources = document["sources"]
    return {
        str(row.get("code") or row["cause"]).lower(): Retry(row["times"], row["base"], sources[row["source"]])
        for row in document["retries"]
    }


def retry_of(result: StepResult) -> Retry | None:
    """How a failed step is tried again; None where it is not, or did not fail."""
    if result.state is not StepState.FAILED or not result.code or result.unreachable:
        return None
    known = catalog.known_code(result.code)
    return retries().get(result.code.lower()) or retries().get(known.cause if known else "")


def pause_before(retry: Retry, time: int) -> float:
    """Seconds before the so-and-so-many-th time, the first being 1: never the same for two hosts."""
    spread = random.uniform(_LEAST, _MOST)  # noqa: S311  # no secret hangs on it
    wait: float = retry.base * _GROWTH ** (time - 1) * spread
    return wait
