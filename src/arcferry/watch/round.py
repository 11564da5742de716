"""One round: what every resolver answers now, and what can be reached."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from arcferry.catalog import Cloud, Region
from arcferry.evidence.document import Document, observed
from arcferry.probe.dns import answers
from arcferry.probe.location import check
from arcferry.probe.observation import DnsAnswer, Observation
from arcferry.probe.step import ProbeSettings

ORIGIN = "arcferry watch"


@dataclass(frozen=True, slots=True)
class Round:
    """What was seen at one instant.

    Attributes:
        observations: every required endpoint, reached through the first resolver.
        answers: what each resolver answered for each endpoint; no addresses where it had none.
        resolvers: who was asked, the one that the endpoints were reached through first.
    """

    taken: datetime
    observations: tuple[Observation, ...]
    answers: tuple[DnsAnswer, ...]
    resolvers: tuple[str, ...]

    @property
    def document(self) -> Document:
        """The round as evidence, with the answers of every resolver."""
        seen = observed(self.observations, ORIGIN)
        return replace(seen, answers=self.answers)


async def take_round(
    cloud: Cloud, region: Region, settings: ProbeSettings, *, besides: Sequence[str] = ()
) -> Round:
    """Probe every required endpoint, then ask each further resolver for the same names.

    Ends within `deadlines.RUN` seconds and one name's time; a failure is a part of the round.

    Args:
        cloud: the cloud that the region belongs to.
        region: where the machines are.
        settings: how to reach the endpoints, and the resolver that decides.
        besides: further resolvers, as `IP[:PORT]`, which are only asked.

    Raises:
        InputError: a setting cannot be used.
    """
    result = await check(cloud, region, settings)
    own = [_own(seen) for seen in result.observations if seen.dns]
    hosts = [seen.endpoint.host for seen in result.observations if seen.endpoint.host]
    others = await asyncio.gather(*(_asked(hosts, resolver, result.taken) for resolver in besides))
    first = next((answer.resolver for answer in own if answer.resolver), result.resolver)
    return Round(
        taken=result.taken,
        observations=result.observations,
        answers=(*own, *(answer for answers_of_one in others for answer in answers_of_one)),
        resolvers=(first, *besides),
    )


def _own(seen: Observation) -> DnsAnswer:
    answer = seen.dns
    if answer is None:
        return DnsAnswer(seen.endpoint.host, (), (), origin=ORIGIN)
    rcode = "" if answer.addresses or seen.failure is None else seen.failure.kind
    return replace(answer, host=seen.endpoint.host, rcode=rcode, origin=ORIGIN, taken=seen.taken)


async def _asked(hosts: Sequence[str], resolver: str, taken: datetime) -> list[DnsAnswer]:
    lookups = await answers(hosts, resolver)
    return [
        replace(
            found.answer,
            host=host,
            resolver=resolver,
            rcode=found.failure.kind if found.failure else "",
            origin=ORIGIN,
            taken=taken,
        )
        for host, found in zip(hosts, lookups, strict=True)
    ]
