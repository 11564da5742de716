"""A round, what every resolver answers now and what can be reached, and what it changes.

An answer may near or leave what the filter carries, a name may fall silent.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from arcferry import catalog
from arcferry.catalog import Carrier, Cloud, Region
from arcferry.diagnosis.destination import place, worst_first
from arcferry.diagnosis.finding import NOTHING_JUDGED, Diagnosis, Finding, Severity
from arcferry.diagnosis.names import community_name, region_name
from arcferry.evidence.case import Case, Document, observed
from arcferry.probe.dns import answers
from arcferry.probe.https import check
from arcferry.probe.observation import WATCH, DnsAnswer, Failure, Observation
from arcferry.probe.step import ProbeSettings
from arcferry.routing.coverage import Verdict

ORIGIN = WATCH
OUTSIDE = (Verdict.NOT_IN_FILTER, Verdict.NO_DOCUMENTED_COMMUNITY, Verdict.NOT_ON_PEERING)
"""What an answer is expected to be lost in."""


class Level(StrEnum):
    """A failure is there, a warning says that one is near, a note tells of a change for the better."""

    FAIL = "FAIL"
    WARN = "warn"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Notice:
    """One change worth telling.

    Attributes:
        cause: the finding's, if the change comes with one.
        owner: the team that can mend it, as the finding says.
        to: who can act on the request, if that is not the owner.
        request: the letter to them.
    """

    level: Level
    host: str
    says: str
    cause: str = ""
    owner: str = ""
    to: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """What was seen at one instant.

    Attributes:
        observations: every required endpoint, reached through the first resolver; none where nobody could
            look.
        answers: what each resolver answered for each endpoint; no addresses where it had none.
        resolvers: who was asked, the one that the endpoints were reached through first.
        location: the region that was probed for.
        diagnosis: what follows from it, once it was judged.
        site: whose resolvers or servers were asked; empty where the watch has no sites.
        notices: what is to be told of the looking itself.
    """

    taken: datetime
    observations: tuple[Observation, ...]
    answers: tuple[DnsAnswer, ...]
    resolvers: tuple[str, ...]
    location: str = ""
    diagnosis: Diagnosis = NOTHING_JUDGED
    site: str = ""
    notices: tuple[Notice, ...] = ()

    @property
    def document(self) -> Document:
        """The round as evidence, with the answers of every resolver."""
        seen = observed(self.observations, ORIGIN, location=self.location)
        return replace(seen, answers=self.answers)


async def take_round(
    cloud: Cloud, region: Region, settings: ProbeSettings, *, besides: Sequence[str] = (), site: str = ""
) -> Round:
    """Probe every required endpoint, then ask each further resolver for the same names.

    Ends within `deadlines.RUN` seconds and one name's time; a failure is a part of the round.

    The resolver of the settings decides; those `besides`, as `IP[:PORT]`, are only asked.

    Raises:
        InputError: a setting cannot be used.
    """
    result = await check(cloud, region, settings)
    own = [
        _noted(seen.dns, seen.endpoint.host, seen.failure, seen.taken)
        for seen in result.observations
        if seen.dns
    ]
    hosts = [seen.endpoint.host for seen in result.observations if seen.endpoint.host]
    others = await asyncio.gather(*(_asked(hosts, resolver, result.taken) for resolver in besides))
    first = next((answer.resolver for answer in own if answer.resolver), result.resolver)
    return Round(
        taken=result.taken,
        observations=result.observations,
        answers=(*own, *(answer for answers_of_one in others for answer in answers_of_one)),
        resolvers=(first, *besides),
        location=region.name,
        site=site,
    )


def _noted(answer: DnsAnswer, host: str, failure: Failure | None, taken: datetime | None) -> DnsAnswer:
    """The answer as a round keeps it: by the name that was asked for, and why it has no address."""
    rcode = failure.kind if failure and not answer.addresses else ""
    return replace(answer, host=host, rcode=rcode, origin=ORIGIN, taken=taken)


async def _asked(hosts: Sequence[str], resolver: str, taken: datetime | None) -> list[DnsAnswer]:
    found = zip(hosts, await answers(hosts, resolver), strict=True)
    noted = [_noted(seen.answer, host, seen.failure, taken) for host, seen in found]
    return [replace(answer, resolver=resolver) for answer in noted]


@dataclass(frozen=True, slots=True)
class AnswerRegion:
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


AnswerRegions = Mapping[tuple[str, str], AnswerRegion]


def answer_regions(
    answers: Iterable[DnsAnswer], reached: Mapping[str, bool], case: Case
) -> dict[tuple[str, str], AnswerRegion]:
    """Where every answer of a round lies, by name and resolver, and whether the name was reached."""
    return {
        (answer.host, answer.resolver): region_of_answer(answer, case, reached.get(answer.host))
        for answer in answers
    }


def region_of_answer(answer: DnsAnswer, case: Case, reached: bool | None = None) -> AnswerRegion:
    """Where one answer lies, by its address that is least likely to be carried."""
    endpoint = catalog.endpoint_named(answer.host)
    carrier = endpoint.carrier if endpoint else Carrier.REGIONAL
    placed = worst_first(
        place(answer.host, address, carrier, answer.chain, case) for address in answer.addresses
    )
    if not placed:
        return AnswerRegion("", Verdict.UNKNOWN, "", "", reached)
    found = placed[0]
    return AnswerRegion(found.region, found.verdict, found.address, found.community, reached)


def changes(
    seen: Round, before: AnswerRegions, now: AnswerRegions, findings: Sequence[Finding] = ()
) -> tuple[Notice, ...]:
    """What to tell of a round, given where the answers lay in it and in the round before.

    The first resolver is the servers' own: an answer of it outside the filter is a failure, also before a
    connection fails. An answer of another resolver outside is a warning, because the own one may follow. On
    a first round everything that is wrong counts as a change. A failure is told with the title of its
    finding, of those that the judgement of this round gives.
    """
    causes = {
        affected.host: finding
        for finding in reversed(findings)
        if finding.severity is not Severity.INFO
        for affected in finding.endpoints
    }
    own = seen.resolvers[0] if seen.resolvers else ""
    notices = [
        notice
        for (host, resolver), region in now.items()
        for notice in _moved(host, resolver, region, before.get((host, resolver)), own=resolver == own)
    ]
    known = {host: region.reached for (host, resolver), region in before.items() if resolver == own}
    for one in seen.observations:
        notices += _reach(one, known.get(one.endpoint.host))
    return tuple(dict.fromkeys(_explained(notice, causes.get(notice.host)) for notice in notices))


def _explained(notice: Notice, finding: Finding | None) -> Notice:
    """A failure with the cause that the judgement found; what is only near has none yet."""
    if finding is None or notice.level is not Level.FAIL:
        return notice
    return replace(
        notice,
        says=f"{notice.says}; {finding.title}",
        cause=finding.cause,
        owner=finding.owner.value,
        to=finding.remedy.to,
        request=finding.remedy.request,
    )


def _moved(
    host: str, resolver: str, now: AnswerRegion, before: AnswerRegion | None, *, own: bool
) -> Iterator[Notice]:
    asked = f"resolver {resolver}" if resolver else "the system's resolver"
    was_outside = before is not None and before.verdict in OUTSIDE
    if now.verdict in OUTSIDE:
        if not was_outside or (before and before.place != now.place):
            level = Level.FAIL if own and not now.reached else Level.WARN
            follows = "" if own else "; the servers' own resolver may follow"
            was = (
                f", and answered {before.address}{_where(before)} before" if before and before.address else ""
            )
            says = f"{asked} answers {now.address}{_where(now)}{was}: {_why(now)}{follows}"
            yield Notice(level, host, says)
    elif was_outside and now.address:
        yield Notice(Level.OK, host, f"{asked} answers {now.address}{_where(now)} again, inside the filter")
    elif before and before.address and before.place != now.place and now.address:
        moved = [region_name(one.region) for one in (before, now)]
        yield Notice(Level.WARN, host, f"{asked} moved from {moved[0]} to {moved[1]}")


def _reach(seen: Observation, before: bool | None) -> Iterator[Notice]:
    host = seen.endpoint.host or "the regional his.arc endpoint"
    if seen.failure and before is not False:
        yield Notice(Level.FAIL, host, f"not reached: {seen.failure.says}")
    elif not seen.failure and before is False:
        yield Notice(Level.OK, host, "reached again")


def _where(region: AnswerRegion) -> str:
    return f" in {region_name(region.region)}" if region.region else ""


def _why(region: AnswerRegion) -> str:
    match region.verdict:
        case Verdict.NOT_IN_FILTER:
            return f"the route filter lacks {community_name(region.community)}"
        case Verdict.NO_DOCUMENTED_COMMUNITY:
            return "no community is documented for that region"
        case _:
            return "Microsoft peering does not carry that address"
