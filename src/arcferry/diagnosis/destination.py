"""What is known of one endpoint, joined over every document that speaks of it."""

from dataclasses import dataclass, field, replace

from arcferry import catalog
from arcferry.catalog import Carrier, Endpoint, Steering, When
from arcferry.diagnosis.placing import place, worst_first
from arcferry.evidence.case import Case
from arcferry.evidence.document import Attempt
from arcferry.probe.observation import DnsAnswer, Failure, Stage, TlsSession
from arcferry.routing.coverage import Coverage, Verdict

_STAGES = tuple(Stage)
_TRAFFIC_MANAGER = (".trafficmanager.net", ".trafficmanager.cn", ".usgovtrafficmanager.net")
_EDGE = (".azurefd.net", ".azureedge.net", ".t-msedge.net", ".edgekey.net", ".akamaiedge.net", ".akamai.net")


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
    def coverage(self) -> Coverage | None:
        """Where the address that decides lies: the least likely to be carried, or the most once reached."""
        if not self.coverages:
            return None
        return self.coverages[-1] if self.reached else self.coverages[0]

    @property
    def has_route(self) -> bool:
        """Whether a route of Microsoft's to the address that decides is seen in use."""
        return self.coverage is not None and self.coverage.has_route

    @property
    def lacks_route(self) -> bool:
        """Whether a router's whole table shows that Microsoft sent no route to the address that decides."""
        return self.coverage is not None and self.coverage.lacks_route

    @property
    def crosses_the_circuit(self) -> bool:
        """Whether a fault of the circuit could be why this endpoint fails."""
        if not self.may_be_routing or self.verdict in (Verdict.PRIVATE, Verdict.NOT_ON_PEERING):
            return False
        return not self.has_route

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
        return self.coverage.verdict if self.coverage else Verdict.UNKNOWN

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
        return (self.endpoint is not None and is_at_the_edge(self.endpoint)) or bool(edge_links(self.chain))


def is_at_the_edge(endpoint: Endpoint) -> bool:
    """Whether Front Door or a CDN serves the endpoint, by the catalogue."""
    return endpoint.carrier is Carrier.EDGE or endpoint.steering in (Steering.FRONT_DOOR, Steering.CDN)


def edge_links(chain: tuple[str, ...]) -> tuple[str, ...]:
    """The links of a DNS answer that are Front Door's or a CDN's."""
    return tuple(link for link in chain if link.endswith(_EDGE))


def _telling(seen: Attempt) -> tuple[bool, float, int, tuple[str, ...]]:
    """Sorts what names a step to the end, then what is newer, then what came further."""
    stage = _STAGES.index(seen.failure.stage) if seen.failure else 0
    taken = seen.taken.timestamp() if seen.taken else 0.0
    kind = seen.failure.kind if seen.failure else ""
    return seen.failure is not None, taken, stage, (seen.origin, kind, seen.address, seen.proxy)


def _addresses(attempts: list[Attempt], answers: list[DnsAnswer]) -> list[str]:
    """The addresses that a failing connection used, else every address that was answered."""
    tried = [seen.address for seen in attempts if seen.address and not seen.reachable]
    answered = [address for answer in answers for address in answer.addresses]
    used = [seen.address for seen in attempts if seen.address]
    return list(dict.fromkeys(tried or answered or used))[:64]


def _chain_to(address: str, answers: list[DnsAnswer]) -> tuple[str, ...]:
    """The links of the answer that gave this address; answers of several resolvers differ."""
    return next((answer.chain for answer in answers if address in answer.addresses), ())


def _facts(host: str, attempts: list[Attempt], answers: list[DnsAnswer], case: Case) -> Destination:
    endpoint = catalog.endpoint_named(host) if host else None
    carrier = endpoint.carrier if endpoint else Carrier.REGIONAL
    coverages = [
        place(host, address, carrier, _chain_to(address, answers), case)
        for address in _addresses(attempts, answers)
    ]
    return Destination(host, endpoint, tuple(attempts), tuple(answers), worst_first(coverages))


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
    every = tuple(_facts(host, attempts.get(host, []), answers.get(host, []), case) for host in hosts)
    return tuple(replace(one, beside=every) for one in every)
