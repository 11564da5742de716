"""History as spans: what stayed the same from one round to the next is one row, however long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from arcferry.probe.observation import DnsAnswer


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """One answer of one resolver for one name, while it stayed the same.

    Attributes:
        addresses: sorted; none where there was no address.
        says: the failure's kind where there was no address, such as `nxdomain`.
        first: the first round that saw it.
        last: the last one; the answer may have changed anywhere up to the next round.
        rounds: how many rounds saw it.
    """

    host: str
    resolver: str
    chain: tuple[str, ...]
    addresses: tuple[str, ...]
    says: str
    first: datetime
    last: datetime
    rounds: int

    @property
    def answer(self) -> DnsAnswer:
        """The answer as evidence, as of the last round that saw it."""
        return DnsAnswer(
            self.host, self.chain, self.addresses, self.resolver, self.says, "arcferry watch", self.last
        )


@dataclass(frozen=True, slots=True)
class ReachSpan:
    """Whether one endpoint was reached, while that stayed the same.

    Attributes:
        says: empty where it was reached, else step and kind, such as `tcp timeout`.
    """

    host: str
    says: str
    first: datetime
    last: datetime
    rounds: int

    @property
    def reached(self) -> bool:
        """Whether the endpoint answered."""
        return not self.says


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a history holds of a time, the oldest first.

    Attributes:
        notices: instant, level, host and text of what was told at the time.
    """

    answers: tuple[AnswerSpan, ...]
    reach: tuple[ReachSpan, ...]
    notices: tuple[tuple[datetime, str, str, str], ...]

    @property
    def first(self) -> datetime | None:
        """The oldest round."""
        return min((span.first for span in self.reach), default=None)

    @property
    def interval(self) -> timedelta:
        """How far apart its rounds were, on average; zero where there were too few to tell."""
        steps = sum(span.rounds - 1 for span in self.reach)
        whole = sum((span.last - span.first for span in self.reach), timedelta())
        return whole / steps if steps else timedelta()

    @property
    def last(self) -> datetime | None:
        """The newest round."""
        return max((span.last for span in self.reach), default=None)
