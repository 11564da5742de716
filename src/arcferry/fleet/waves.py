"""Waves and budgets as an operator writes them: counts and shares of a run's hosts."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from arcferry.errors import InputError
from arcferry.fleet.inventory import Host
from arcferry.text import quoted, whole

_WHOLE = 100
_MOST = 1_000_000
CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Amount:
    """So many hosts, or so many of a hundred."""

    number: int
    percent: bool = False

    def of(self, total: int) -> int:
        """How many hosts of so many: at least one, and no more than there are."""
        count = math.ceil(total * self.number / _WHOLE) if self.percent else self.number
        return min(max(count, 1), total)

    def least(self, total: int) -> int:
        """The same as a limit, which a share of few hosts reaches with the first."""
        return max(1, total * self.number // _WHOLE) if self.percent else self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)


ALL = Amount(_WHOLE, percent=True)


@dataclass(frozen=True, slots=True)
class Stage:
    """Hosts that begin together, once the stage before has ended.

    Attributes:
        name: `canary`, or `wave 2`.
    """

    name: str
    hosts: tuple[Host, ...]


def amount(text: str, option: str) -> Amount:
    """A count such as 20, or a share such as 5%.

    Raises:
        InputError: it is neither.
    """
    digits, percent, rest = text.strip().partition("%")
    number = whole(digits, most=_WHOLE if percent else _MOST)
    if not number or rest:
        raise InputError(
            f"{option}: {quoted(text)} is neither a number of hosts nor a share of them",
            hint="It is written as 20, or as 5%: whole numbers, from 1, and to 100%.",
        )
    return Amount(number, bool(percent))


def waves(text: str) -> tuple[Amount, ...]:
    """`5%,25%,100%`: how many hosts are begun by the end of each wave, canaries among them.

    The last wave takes in everybody: 100% is added where it is not there.

    Raises:
        InputError: an amount cannot be read, or is no more than the one before.
    """
    read = [amount(part, "--waves") for part in text.split(",")]
    for before, after in itertools.pairwise(read):
        if before.percent == after.percent and after.number <= before.number:
            raise InputError(
                f"--waves: {after} comes after {before} and is no more",
                hint="Each wave says how many servers are begun by its end: 5%,25%,100%.",
            )
    return (*read, *(() if read[-1] == ALL else (ALL,)))


def stages(hosts: Sequence[Host], canaries: Sequence[Host], amounts: Sequence[Amount]) -> Iterator[Stage]:
    """The canaries, then the waves; each host once, in the order of the inventory.

    Args:
        hosts: every host of the run, those that are done too, so that a wave is the same when it goes on.
        canaries: those that go before the waves; the first wave has these too among its number.
        amounts: how many are begun by the end of each wave; a wave that adds nobody is left out.
    """
    first = {host.name for host in canaries}
    if canaries:
        yield Stage(CANARY, tuple(canaries))
    ordered = [host for host in hosts if host.name in first]
    ordered += [host for host in hosts if host.name not in first]
    begun = len(canaries)
    for number, wanted in enumerate(amounts, start=1):
        end = wanted.of(len(ordered))
        if end > begun:
            yield Stage(f"wave {number}", tuple(ordered[begun:end]))
            begun = end
