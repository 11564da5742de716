"""Where names answered by everything that was handed in, for a plan of the communities that this takes."""

from dataclasses import replace

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.evidence.case import Case, Document
from arcferry.probe.observation import Attempt, DnsAnswer
from arcferry.routing.coverage import Coverage, Verdict
from arcferry.routing.planned import KnownAnswer


def known_answers(case: Case) -> tuple[KnownAnswer, ...]:
    """The newest answer of each name in each region, the names in the order of their first mention.

    Private addresses are left out, which no route filter concerns, and so is what a proxy answered. Of each
    name the first 64 addresses are looked at, so newer documents are to stand first.
    """
    found: dict[tuple[str, str, bool], KnownAnswer] = {}
    direct = [one for one in case.attempts if one.address and not one.proxied]
    for destination in destinations_of(Case(tuple(map(_answers_alone, case.documents)))):
        for coverage in destination.coverages:
            if coverage.verdict is not Verdict.PRIVATE:
                one = _known(destination, coverage, direct)
                key = one.host, one.region, one.on_peering
                found[key] = max(one, found.get(key, one), key=lambda known: (known.day, bool(known.reached)))
    return tuple(found.values())


def _answers_alone(document: Document) -> Document:
    """The document with the addresses of its attempts as answers, so that no answer outweighs another."""
    answers = (*document.answers, *filter(None, map(_answer, document.attempts)))
    return replace(document, attempts=(), answers=tuple(one for one in answers if _matters(one.host)))


def _answer(attempt: Attempt) -> DnsAnswer | None:
    if not attempt.address or attempt.proxied:
        return None
    return DnsAnswer(
        attempt.host, (), (attempt.address,), attempt.resolver, "", attempt.origin, attempt.taken
    )


def _matters(host: str) -> bool:
    """Whether the region decides: where Entra ID has a community of its own, that carries every answer."""
    endpoint, cloud = catalog.endpoint_named(host), catalog.cloud_of(host)
    return not (
        endpoint
        and cloud
        and endpoint.carrier is Carrier.ENTRA
        and catalog.service_community(Carrier.ENTRA, cloud)
    )


def _known(destination: Destination, coverage: Coverage, direct: list[Attempt]) -> KnownAnswer:
    told = [one for one in destination.answers if coverage.address in one.addresses]
    newest = max(told, key=lambda one: one.taken.timestamp() if one.taken else 0.0)
    tried = [one for one in direct if (one.host, one.address) == (coverage.host, coverage.address)]
    return KnownAnswer(
        host=destination.host,
        region=coverage.region,
        address=coverage.address,
        day=newest.taken.date().isoformat() if newest.taken else "",
        origin=newest.origin or "asked from here",
        reached=any(one.reachable for one in tried) if tried else None,
        on_peering=coverage.verdict is not Verdict.NOT_ON_PEERING,
    )
