"""Private link scopes: not given though the names are private, not answered privately, or not reached."""

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Owner
from arcferry.diagnosis.rule import Line, Match, cause, line
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage


@cause("private-link/scope-not-given", Owner.SERVER, routed=True)
def scope_not_given(destination: Destination, case: Case) -> Match | None:
    """Every name that a scope can serve answers privately, or the agent itself asks for the scope."""
    if not destination.fails_privately or case.private_link_scope or not _can_be_served(destination):
        return None
    for code in case.codes:
        if "private link scope" in code.says.lower():
            return Match(evidence=(line(code.origin, "ended", code.taken, code=code.code, words=code.says),))
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
def public_answer(destination: Destination, case: Case) -> Match | None:
    """The agent uses a scope, and the name answers with a public address."""
    if not case.private_link_scope or not destination.failed or destination.proxied:
        return None
    if destination.stage not in (None, Stage.TCP) or not _can_be_served(destination):
        return None
    if not destination.coverages or destination.answers_privately:
        return None
    return Match(evidence=(_by_the_agent(case, "scope_and_public", host=destination.host),))


@cause("private-link/unreachable", Owner.NETWORK, routed=True)
def unreachable(destination: Destination, case: Case) -> Match | None:
    """The agent uses a scope, and the private address does not answer."""
    if not case.private_link_scope or not destination.fails_privately:
        return None
    return Match(evidence=(_by_the_agent(case, "scope"),))


FAMILY = (scope_not_given, public_answer, unreachable)


def _can_be_served(destination: Destination) -> bool:
    return destination.endpoint is not None and destination.endpoint.private_link


def _by_the_agent(case: Case, key: str, **values: str) -> Line:
    origin = next(one.origin for one in case.agents if one.private_link_scope)
    return line(origin, key, scope=case.private_link_scope, **values)
