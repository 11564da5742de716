"""What is known of one endpoint, joined over every document that speaks of it, and where it lies."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TypeVar

from arcferry import catalog
from arcferry.catalog import Carrier, Endpoint, Steering, When
from arcferry.evidence.case import Case
from arcferry.probe.observation import Attempt, DnsAnswer, Failure, Stage, TlsSession
from arcferry.routing.azure_json import WHOLE_CLOUD
from arcferry.routing.coverage import Coverage, Verdict, coverage, dated
from arcferry.routing.reception import NOTHING_RECEIVED, reception
from arcferry.routing.route_filter import RouteFilter

_STAGES = tuple(Stage)
_TRAFFIC_MANAGER = (".trafficmanager.net", ".trafficmanager.cn", ".usgovtrafficmanager.net")
_EDGE = (".azurefd.net", ".azureedge.net", ".t-msedge.net", ".edgekey.net", ".akamaiedge.net", ".akamai.net")
_REGION_LINK = re.compile(
    r"\.([a-z0-9]{4,40})\.cloudapp\.(?:azure\.com|chinacloudapi\.cn|usgovcloudapi\.net)$"
)
_LEAST_LIKELY_FIRST = (
    Verdict.NOT_IN_FILTER,
    Verdict.NO_DOCUMENTED_COMMUNITY,
    Verdict.NOT_ON_PEERING,
    Verdict.PRIVATE,
    Verdict.UNKNOWN,
    Verdict.CARRIED,
)
_MOST_ADDRESSES = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Destination:
    """One endpoint.

    Attributes:
        host: empty for a regional HIS host whose discovery failed.
        endpoint: the catalogue's entry, None for a name that it does not know.
        coverages: where each of its addresses lies, those that are least likely to be carried first.
        beside: every endpoint of the diagnosis, itself included, for what one endpoint's success tells of
            another; they have no `beside` of their own.
    """

    host: str
    endpoint: Endpoint | None
    attempts: tuple[Attempt, ...]
    answers: tuple[DnsAnswer, ...]
    coverages: tuple[Coverage, ...]
    beside: tuple["Destination", ...] = field(default=(), repr=False, compare=False)

    @property
    def latest(self) -> Attempt | None:
        """The attempt that counts: the newest failure, unless a success is dated later than it."""
        failed = [seen for seen in self.attempts if not seen.reachable]
        reached = [seen for seen in self.attempts if seen.reachable]
        if not failed or not reached:
            return max(failed or reached, key=_telling, default=None)
        last_failed = max(failed, key=_telling)
        last_reached = max(reached, key=_telling)
        later = last_failed.taken and last_reached.taken and last_reached.taken > last_failed.taken
        return last_reached if later else last_failed

    @property
    def failed(self) -> bool:
        """Whether the endpoint was tried, and not reached."""
        return self.latest is not None and not self.latest.reachable

    @property
    def reached(self) -> bool:
        """Whether the endpoint was tried, and reached."""
        return self.latest is not None and self.latest.reachable

    @property
    def failure(self) -> Failure | None:
        """The step that failed, where a document tells."""
        return self.latest.failure if self.latest and self.failed else None

    @property
    def stage(self) -> Stage | None:
        """The step that failed; None where no document tells."""
        return self.failure.stage if self.failure else None

    @property
    def kind(self) -> str:
        """How the step failed, in the probe's own word; empty where no document tells."""
        return self.failure.kind if self.failure else ""

    @property
    def tls(self) -> TlsSession | None:
        """What the server showed in the handshake, where it came that far."""
        return self.latest.tls if self.latest else None

    @property
    def issuer(self) -> str:
        """Who issued the certificate that the server showed; empty where none was seen."""
        return self.tls.issuer if self.tls else ""

    @property
    def may_be_routing(self) -> bool:
        """Whether a missing route could be the reason: no proxy between, and nothing behind TCP was reached.

        An endpoint that nobody has tried counts where it is required.
        """
        if self.reached or self.proxied or (not self.failed and not self.required):
            return False
        return self.stage in (None, Stage.TCP) and self.kind not in ("refused", "reset")

    @property
    def silent(self) -> bool:
        """Whether TCP was tried from here and got no answer at all."""
        return self.failed and not self.proxied and self.stage is Stage.TCP and self.kind == "timeout"

    @property
    def answers_privately(self) -> bool:
        """Whether its answer is a private address."""
        if self.coverages:
            return self.coverages[0].verdict is Verdict.PRIVATE
        return any(seen.private for seen in self.attempts)

    @property
    def fails_privately(self) -> bool:
        """Whether it fails at a private address, with no proxy between."""
        fails = self.failed and not self.proxied and self.stage in (None, Stage.TCP)
        return fails and self.answers_privately

    @property
    def resolvers(self) -> tuple[str, ...]:
        """Every resolver that was asked for the name, as far as is known."""
        named = [answer.resolver for answer in self.answers] + [seen.resolver for seen in self.attempts]
        return tuple(dict.fromkeys(filter(None, named)))

    @property
    def proxied(self) -> bool:
        """Whether a proxy stands between, so that this server's own routes do not decide."""
        return any(seen.proxied for seen in self.attempts)

    @property
    def proxy(self) -> str:
        """The URL of the proxy that stands between, as far as a document names it."""
        return next((seen.proxy for seen in self.attempts if seen.proxy), "")

    @property
    def required(self) -> bool:
        """Whether the work stops without it: a document says so, or the catalogue does."""
        said = [seen.required for seen in self.attempts if seen.required is not None]
        if said:
            return any(said)
        if any(seen.install and not seen.reachable for seen in self.attempts):
            return True
        return self.endpoint is not None and self.endpoint.required and self.endpoint.when is not When.INSTALL

    @property
    def carrier(self) -> Carrier:
        """The service behind the name, as far as routing cares."""
        return self.endpoint.carrier if self.endpoint else Carrier.REGIONAL

    @property
    def coverage(self) -> Coverage:
        """Where the address that decides lies: the least likely to be carried, or the most once reached.

        Without any address it is one of which nothing is known.
        """
        if not self.coverages:
            return Coverage(self.host, "", "", "", "", (), (), Verdict.UNKNOWN, ())
        return self.coverages[-1] if self.reached else self.coverages[0]

    @property
    def crosses_the_circuit(self) -> bool:
        """Whether a fault of the circuit could be why this endpoint fails."""
        off_the_circuit = self.verdict in (Verdict.PRIVATE, Verdict.NOT_ON_PEERING)
        return self.may_be_routing and not off_the_circuit and not self.coverage.has_route

    @property
    def circuit_works(self) -> bool:
        """Whether any endpoint beside it is reached over Microsoft peering, as far as is known."""
        return any(
            one.reached and not one.proxied and not one.at_the_edge and one.verdict is not Verdict.PRIVATE
            for one in self.beside
        )

    @property
    def verdict(self) -> Verdict:
        """What is expected of the address that decides."""
        return self.coverage.verdict

    @property
    def chain(self) -> tuple[str, ...]:
        """The links of every answer, each once."""
        return tuple(dict.fromkeys(link for answer in self.answers for link in answer.chain))

    @property
    def steered(self) -> bool:
        """Whether Traffic Manager decides where the name answers, by its answers or by the catalogue."""
        if any(link.endswith(_TRAFFIC_MANAGER) for link in self.chain):
            return True
        return self.endpoint is not None and self.endpoint.steering is Steering.TRAFFIC_MANAGER

    @property
    def at_the_edge(self) -> bool:
        """Whether Front Door or a CDN serves the name, by its answers or by the catalogue."""
        return (self.endpoint is not None and self.endpoint.at_the_edge) or bool(edge_links(self.chain))


def edge_links(chain: tuple[str, ...]) -> tuple[str, ...]:
    """The links of a DNS answer that are Front Door's or a CDN's."""
    return tuple(link for link in chain if link.endswith(_EDGE))


def _telling(seen: Attempt) -> tuple[bool, float, int, tuple[str, ...]]:
    """Sorts what names a step to the end, then what is newer, then what came further."""
    stage = _STAGES.index(seen.failure.stage) if seen.failure else 0
    taken = seen.taken.timestamp() if seen.taken else 0.0
    kind = seen.failure.kind if seen.failure else ""
    return seen.failure is not None, taken, stage, (seen.origin, kind, seen.address, seen.proxy)


def destinations_of(case: Case) -> tuple[Destination, ...]:
    """Every endpoint that a document speaks of, in the order of its first mention.

    Of names that only DNS answers know, those of the catalogue count; others may be anything.
    """
    attempts: dict[str, list[Attempt]] = {}
    answers: dict[str, list[DnsAnswer]] = {}
    for seen in case.attempts:
        attempts.setdefault(seen.host, []).append(seen)
    for answer in case.answers:
        if answer.host in attempts or catalog.endpoint_named(answer.host):
            answers.setdefault(answer.host, []).append(answer)
    hosts = dict.fromkeys([*attempts, *answers])
    every = tuple(_joined(host, attempts.get(host, []), answers.get(host, []), case) for host in hosts)
    return tuple(replace(one, beside=every) for one in every)


def _joined(host: str, attempts: list[Attempt], answers: list[DnsAnswer], case: Case) -> Destination:
    """One endpoint, at the addresses that a failing connection used, else at every one that was answered."""
    endpoint = catalog.endpoint_named(host) if host else None
    carrier = endpoint.carrier if endpoint else Carrier.REGIONAL
    used = [seen for seen in attempts if seen.address]
    failing = [seen.address for seen in used if not seen.reachable]
    answered = [address for answer in answers for address in answer.addresses]
    addresses = list(dict.fromkeys(failing or answered or [seen.address for seen in used]))
    coverages = []
    for address in addresses[:_MOST_ADDRESSES]:
        # Answers of several resolvers differ: the chain counts that led to this address.
        chain = next((answer.chain for answer in answers if address in answer.addresses), ())
        coverages.append(place(host, address, carrier, chain, case))
    return Destination(host, endpoint, tuple(attempts), tuple(answers), worst_first(coverages))


def worst_first(coverages: Iterable[Coverage]) -> tuple[Coverage, ...]:
    """Those that are least likely to be carried first; IPv4 before IPv6 among equals."""

    def likely(one: Coverage) -> tuple[bool, bool, int, int, str]:
        # What is seen of routes comes before what is expected.
        expected = one.verdict is Verdict.CARRIED and not one.lacks_route
        family = ip_address(one.address).version
        return one.has_route, expected, _LEAST_LIKELY_FIRST.index(one.verdict), family, one.address

    return tuple(sorted(coverages, key=likely))


def place(host: str, address: str, carrier: Carrier, chain: tuple[str, ...], case: Case) -> Coverage:
    """Where `address` lies by everything at hand.

    Of several service-tag files and community lists the newest that knows the address is followed; what the
    others say instead is named as a conflict. Of several route filters one that lets the address through
    suffices; if a circuit tells which one is attached, the others do not count.

    Args:
        host: the name that answered with the address.
        address: an IP address.
        carrier: the service behind the host.
        chain: the links of the DNS answer, which may name a region.
        case: everything that was handed in.
    """
    tags = _leading(case.service_tags, lambda one: one.matches(address))
    communities = _leading(case.community_lists, lambda one: one.containing(address))
    tables = case.route_tables
    received = reception(address, tables, links=case.links) if tables else NOTHING_RECEIVED
    sent = any(route.from_microsoft for table in case.own_tables for route in table.covering(address))
    found = []
    deciding = case.filters_for(ip_address(address).version)
    for seen in deciding or (None,):
        one = coverage(host, address, carrier=carrier, tags=tags, communities=communities, route_filter=seen)
        named = _by_name(one, chain)
        found.append(replace(named, by_name=named is not one, received=received, sent=sent))
    chosen = next((one for one in found if one.verdict is Verdict.CARRIED), found[0])
    return replace(chosen, conflicts=_conflicts(chosen, carrier, chain, case, deciding))


def _leading(known: Sequence[T], knows: Callable[[T], object]) -> T | None:
    """The newest that knows the address, else the newest."""
    return next(filter(knows, known), known[0] if known else None)


def _region_in(chain: tuple[str, ...]) -> str:
    """The region that a `*.<region>.cloudapp.azure.com` link names, also a new one; empty if none does."""
    found = filter(None, map(_REGION_LINK.search, reversed(chain)))
    return next((link[1] for link in found), "")


def _by_name(found: Coverage, chain: tuple[str, ...]) -> Coverage:
    """The coverage that a region's name in the chain leads to, if no tag and no list says where it lies."""
    region = _region_in(chain)
    silent = found.service_tag in ("", WHOLE_CLOUD) and not (found.region or found.candidates)
    if not region or not silent or found.verdict not in (Verdict.UNKNOWN, Verdict.NOT_ON_PEERING):
        return found
    documented, held = catalog.region_community(region), found.route_filter
    if documented is None:
        return replace(found, region=region, verdict=Verdict.NO_DOCUMENTED_COMMUNITY)
    value = documented.value
    allowed = held is not None and held.allows(value)
    return replace(
        found,
        region=documented.region,
        community=value,
        candidates=(value,),
        allowed_by=(value,) if allowed else (),
        verdict=Verdict.CARRIED if allowed else Verdict.NOT_IN_FILTER if held else Verdict.UNKNOWN,
    )


def _conflicts(
    found: Coverage, carrier: Carrier, chain: tuple[str, ...], case: Case, deciding: Sequence[RouteFilter]
) -> tuple[str, ...]:
    """What the sources that were not followed say instead."""
    says = list(found.conflicts)
    by_name = _region_in(chain)
    if by_name and found.region and by_name != found.region:
        says.append(f"a name in the DNS answer says region {by_name}, the sources say {found.region}")
    for tags in case.service_tags:
        match = next((match for match in tags.matches(found.address) if match.region), None)
        if tags is not found.tags and match and match.region != found.region:
            says.append(f"{dated(tags)} puts {found.address} in {match.tag}: not followed")
    for other in case.community_lists:
        if other is not found.community_list:
            told = coverage(
                found.host,
                found.address,
                carrier=carrier,
                tags=found.tags,
                communities=other,
                route_filter=None,
            )
            says += told.conflicts
    if found.verdict is Verdict.CARRIED:
        says += [
            f"route filter {seen.name} allows none of {', '.join(found.candidates)}"
            for seen in deciding
            if not any(map(seen.allows, found.candidates))
        ]
    return tuple(dict.fromkeys(says))
