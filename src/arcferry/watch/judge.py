"""What a round changes: an answer that nears or leaves what the filter carries, a name that falls silent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry.diagnosis.placing import place, worst_first
from arcferry.diagnosis.wording import community_name, region_name
from arcferry.evidence.case import Case
from arcferry.probe import Observation
from arcferry.probe.observation import DnsAnswer
from arcferry.routing.coverage import Coverage, Verdict
from arcferry.watch.round import Round

OUTSIDE = (Verdict.NOT_IN_FILTER, Verdict.NO_DOCUMENTED_COMMUNITY, Verdict.NOT_ON_PEERING)
"""What an answer is expected to be lost in."""


class Level(StrEnum):
    """A failure is there, a warning says that one is near, a note tells of a change for the better."""

    FAIL = "FAIL"
    WARN = "warn"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Notice:
    """One change worth telling."""

    level: Level
    host: str
    says: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one resolver's answer for one name lay in a round.

    Attributes:
        region: ARM name, empty where unknown.
        verdict: of the address that is least likely to be carried.
        address: that address; empty where there was none.
    """

    region: str
    verdict: Verdict
    address: str
    community: str
    reached: bool | None = None

    @property
    def place(self) -> str:
        """What a move is measured by: the service whose community carries it anywhere, else the region.

        Entra answers in another region from minute to minute, and 12076:5060 carries all of them.
        """
        known = catalog.community(self.community)
        return known.name if known and known.kind == "service" else self.region


Standings = Mapping[tuple[str, str], Standing]


def standings(
    answers: Iterable[DnsAnswer], reached: Mapping[str, bool], case: Case
) -> dict[tuple[str, str], Standing]:
    """Where every answer of a round lies, by name and resolver, and whether the name was reached."""
    return {
        (answer.host, answer.resolver): standing_of(answer, case, reached.get(answer.host))
        for answer in answers
    }


def standing_of(answer: DnsAnswer, case: Case, reached: bool | None = None) -> Standing:
    """Where one answer lies, by its address that is least likely to be carried."""
    endpoint = catalog.endpoint_named(answer.host)
    carrier = endpoint.carrier if endpoint else Carrier.REGIONAL
    placed = worst_first(
        place(answer.host, address, carrier, answer.chain, case) for address in answer.addresses
    )
    if not placed:
        return Standing("", Verdict.UNKNOWN, "", "", reached)
    found: Coverage = placed[0]
    coverage = found
    return Standing(coverage.region, found.verdict, coverage.address, coverage.community, reached)


def judge(seen: Round, before: Standings, now: Standings) -> tuple[Notice, ...]:
    """What to tell of a round, given where the answers lay in it and in the round before.

    The first resolver is the servers' own: an answer of it outside the filter is a failure, also before a
    connection fails. An answer of another resolver outside is a warning, because the own one may follow. On
    a first round everything that is wrong counts as a change.
    """
    own = seen.resolvers[0] if seen.resolvers else ""
    notices = [
        notice
        for (host, resolver), standing in now.items()
        for notice in _moved(host, resolver, standing, before.get((host, resolver)), own=resolver == own)
    ]
    known = {host: standing.reached for (host, resolver), standing in before.items() if resolver == own}
    for one in seen.observations:
        notices += _reach(one, known.get(one.endpoint.host))
    return tuple(dict.fromkeys(notices))


def _moved(
    host: str, resolver: str, now: Standing, before: Standing | None, *, own: bool
) -> Iterator[Notice]:
    asked = f"resolver {resolver}" if resolver else "the system's resolver"
    was_outside = before is not None and before.verdict in OUTSIDE
    if now.verdict in OUTSIDE:
        if not was_outside or (before and before.place != now.place):
            level = Level.FAIL if own and not now.reached else Level.WARN
            yield Notice(
                level, host, f"{asked} answers {now.address}{_where(now)}: {_why(now)}{_follow(own)}"
            )
    elif was_outside and now.address:
        yield Notice(Level.OK, host, f"{asked} answers {now.address}{_where(now)} again, inside the filter")
    elif before and before.address and before.place != now.place and now.address:
        says = f"{asked} moved from {_named(before)} to {_named(now)}"
        yield Notice(Level.WARN, host, says)


def _reach(seen: Observation, before: bool | None) -> Iterator[Notice]:
    host = seen.endpoint.host or "the regional his.arc endpoint"
    if seen.failure and before is not False:
        yield Notice(Level.FAIL, host, f"not reached: {seen.failure.says}")
    elif not seen.failure and before is False:
        yield Notice(Level.OK, host, "reached again")


def _named(standing: Standing) -> str:
    return region_name(standing.region) if standing.region else "an unknown region"


def _where(standing: Standing) -> str:
    return f" in {region_name(standing.region)}" if standing.region else ""


def _why(standing: Standing) -> str:
    match standing.verdict:
        case Verdict.NOT_IN_FILTER:
            return f"the route filter lacks {community_name(standing.community)}"
        case Verdict.NO_DOCUMENTED_COMMUNITY:
            return "no community is documented for that region"
        case _:
            return "Microsoft peering does not carry that address"


def _follow(own: bool) -> str:
    return "" if own else "; the servers' own resolver may follow"
