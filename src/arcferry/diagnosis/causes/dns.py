"""Names that get no address, answers that cannot be meant, and private ones, meant or not."""

from arcferry.catalog import Carrier
from arcferry.diagnosis.causes.coded import named_by_words
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Evidence, Owner, Severity
from arcferry.diagnosis.names import region_name
from arcferry.diagnosis.rule import Line, Match, Value, cause, failed_with, line
from arcferry.evidence.case import Case
from arcferry.language import _
from arcferry.probe.observation import DnsAnswer, Stage
from arcferry.probe.tcp import is_private
from arcferry.routing.coverage import Verdict

_NOWHERE = ("0.0.0.0", "127.0.0.1", "::", "::1")  # noqa: S104 - what block lists answer; nothing binds to it

_SCOPE = "private link scope"
"""What the agent calls it in every message about one."""

resolver_unreachable = failed_with(
    "dns/resolver-unreachable",
    *("no-resolver", "timeout", "refused", "unreachable"),
    owner=Owner.NETWORK,
    stage=Stage.DNS,
    signature=lambda one: one.resolvers,
)


@cause("dns/resolver-fails", Owner.NETWORK)
def resolver_fails(destination: Destination, _: Case) -> Match | None:
    """SERVFAIL, or silence of a resolver that answers other names."""
    is_silent = _failed_with(destination, "timeout")
    silent = set(destination.resolvers) if is_silent else set()
    answers_others = any(
        silent & set(one.resolvers)
        for one in destination.beside
        if any(answer.addresses for answer in one.answers)
    )
    # An endpoint that was reached had its name resolved on this server, by whichever resolver.
    answers_others |= is_silent and any(one.reached and not one.proxied for one in destination.beside)
    if not answers_others and not _failed_with(destination, "servfail"):
        return None
    return Match(signature=destination.resolvers)


@cause("dns/no-addresses", Owner.NETWORK, routed=True)
def no_addresses(destination: Destination, _: Case) -> Match | None:
    """The name exists, and the answer has no address."""
    exists = any(answer.rcode == "NOERROR" or answer.chain for answer in destination.answers)
    if _failed_with(destination, "no-addresses") or (_is_unanswered(destination) and exists):
        return Match(signature=destination.resolvers)
    return None


@cause("dns/name-not-found", Owner.NETWORK, routed=True)
def name_not_found(destination: Destination, _: Case) -> Match | None:
    """The name does not exist, or nobody says why there is no address."""
    if _failed_with(destination, "nxdomain") or _is_unanswered(destination):
        return Match(signature=destination.resolvers)
    return None


@cause("dns/blocked-answer", Owner.NETWORK, routed=True)
def blocked_answer(destination: Destination, _: Case) -> Match | None:
    """An address that leads nowhere, as DNS filters and hosts files answer it."""
    coverage = destination.coverage
    if destination.reached or destination.proxied or coverage.service_tag:
        return None
    return Match(signature=destination.resolvers) if coverage.address in _NOWHERE else None


@cause("dns/wrong-address", Owner.NETWORK, routed=True)
def wrong_address(destination: Destination, _: Case) -> Match | None:
    """No service tag holds any address of the answer, though Microsoft's own service should answer."""
    if not destination.failed or destination.proxied or destination.endpoint is None:
        return None
    if destination.at_the_edge or destination.carrier is Carrier.EDGE:
        return None
    if destination.stage in (Stage.DNS, Stage.PROXY) or not destination.coverages:
        return None
    if not all(
        one.verdict is Verdict.NOT_ON_PEERING and not one.service_tag and not one.has_route
        for one in destination.coverages
    ):
        return None
    # Somebody else's certificate or page proves it; an address without a connection does not.
    proven = destination.stage in (Stage.TLS, Stage.HTTP)
    return Match(Confidence.OBSERVED if proven else Confidence.EXPECTED, destination.resolvers)


@cause("dns/private-answer-leak", Owner.NETWORK, routed=True)
def private_answer_leak(destination: Destination, case: Case) -> Match | None:
    """A private address, and no private link scope in use."""
    return Match() if destination.fails_privately and not case.private_link_scope else None


@cause("dns/answers-differ", Owner.NETWORK, Severity.WARNING, routed=True)
def answers_differ(destination: Destination, _: Case) -> Match | None:
    """Answers of several resolvers, of which the filter lets some through and others not."""
    if destination.proxied or len(destination.resolvers) <= 1:
        return None
    answers = [answer for answer in destination.answers if answer.addresses]
    seen = {answer.resolver: _verdicts(destination, answer) for answer in answers}
    verdicts = {verdict for found in seen.values() for verdict, _ in found}
    if verdicts <= {Verdict.CARRIED} or Verdict.CARRIED not in verdicts:
        return None
    evidence = [
        line(
            answer.origin,
            "answers",
            answer.taken,
            resolver=answer.resolver,
            host=destination.host,
            regions=_regions(destination, answer),
        )
        for answer in answers
    ]
    return Match(signature=tuple(sorted(seen)), evidence=tuple(evidence))


def _failed_with(destination: Destination, *kinds: str) -> bool:
    return destination.stage is Stage.DNS and destination.kind in kinds


def _is_unanswered(destination: Destination) -> bool:
    """Whether answers were handed in and none has an address, of a name that nobody saw fail later."""
    none = bool(destination.answers) and not any(answer.addresses for answer in destination.answers)
    return none and destination.stage is None and not destination.proxied and not destination.reached


def _regions(destination: Destination, answer: DnsAnswer) -> tuple[str, ...]:
    """The regions of one answer, each with what is expected of it."""
    found = _verdicts(destination, answer)
    return tuple(sorted(f"{region_name(region)} ({_(verdict)})" for verdict, region in found))


def _verdicts(destination: Destination, answer: DnsAnswer) -> set[tuple[Verdict, str]]:
    """What is expected of the addresses of one answer, and their regions."""
    return {(one.verdict, one.region) for one in destination.coverages if one.address in answer.addresses}


@cause("private-link/scope-not-given", Owner.SERVER, routed=True)
def scope_not_given(destination: Destination, case: Case) -> Match | None:
    """Every name that a scope can serve answers privately, or the agent itself asks for the scope."""
    if not destination.fails_privately or case.private_link_scope or not _can_be_served(destination):
        return None
    if told := named_by_words("private-link/scope-not-given", destination, case):
        return told
    for code in case.codes:
        if _SCOPE in code.says.lower():
            return Match(evidence=(line(code.origin, "ended", code.taken, code=code.code, words=code.says),))
    said = [one for document in case.documents for one in document.error_lines if _SCOPE in one.says.lower()]
    if said:
        return Match(evidence=(Evidence(said[0].origin, said[0].says, said[0].taken),))
    servable = [
        one
        for one in destination.beside
        if _can_be_served(one) and (one.coverages or any(seen.private is not None for seen in one.attempts))
    ]
    # One name alone tells no scope that is meant from a zone that leaks.
    if len(servable) == 1 or not all(one.answers_privately for one in servable):
        return None
    seen = line("", "all_private", hosts=tuple(one.host for one in servable))
    return Match(Confidence.EXPECTED, evidence=(seen,))


@cause("private-link/public-answer", Owner.NETWORK, routed=True)
def public_answer_in_scope(destination: Destination, case: Case) -> Match | None:
    """A scope is used, and the name answers with a public address, alone or beside a private one."""
    if not case.private_link_scope or not destination.failed or destination.proxied:
        return None
    if destination.stage not in (None, Stage.TCP) or not _can_be_served(destination):
        return None
    if not destination.coverages or destination.answers_privately:
        return None
    told = [address for answer in destination.answers for address in answer.addresses]
    addresses = tuple(dict.fromkeys(told or [one.address for one in destination.coverages]))
    key = "mixed" if any(map(is_private, addresses)) else "scope_and_public"
    return Match(evidence=(_of_scope(case, key, host=destination.host, addresses=addresses),))


@cause("private-link/unreachable", Owner.NETWORK, routed=True)
def private_endpoint_unreachable(destination: Destination, case: Case) -> Match | None:
    """A scope is used, and the private address does not answer."""
    if not case.private_link_scope or not destination.fails_privately:
        return None
    return Match(evidence=(_of_scope(case, "scope"),))


def _can_be_served(destination: Destination) -> bool:
    return destination.endpoint is not None and destination.endpoint.private_link


def _of_scope(case: Case, key: str, **values: Value) -> Line:
    origin = next(one.origin for one in case.agents if one.private_link_scope)
    return line(origin, key, scope=case.private_link_scope, **values)
