"""Addresses to which no route leads, as a router's BGP sessions and its own tables show."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from arcferry.diagnosis.causes.route import MAY_BE_ALLOWED
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Evidence, Owner, Severity
from arcferry.diagnosis.rule import Line, Match, cause, line
from arcferry.evidence.case import Case, Document
from arcferry.routing.coverage import Verdict
from arcferry.routing.reception import Reception, named
from arcferry.routing.route import MICROSOFT_AS, RouteTable

if TYPE_CHECKING:
    from arcferry.routing.session import Session


def _told_of(document: Document, session: "Session") -> Line:
    key = "session_of_azure" if session.of_azure else "session"
    received = "" if session.received is None else f"{session.received:,}"
    return line(
        document.name,
        key,
        document.taken,
        peer=session.peer,
        asn="" if session.asn is None else str(session.asn),
        state=session.state,
        since=session.since,
        received=received,
    )


def _links_down(case: Case) -> tuple[tuple[Line, ...], bool]:
    """What says that a session with Microsoft, or the link below it, is down; and whether one is up."""
    told = case.microsoft_sessions
    links = [one for one in case.documents if one.arp]
    down = [_told_of(document, session) for document, session in told if not session.is_up]
    down += [line(one.name, "no_arp", one.taken) for one in links if one.sees_no_router]
    answered = any(not one.sees_no_router for one in links)
    return tuple(down), any(session.is_up for _, session in told) or (answered and not told)


def _all_down(case: Case) -> Match | None:
    down, one_is_up = _links_down(case)
    return (
        Match(signature=("sessions",), evidence=down, values={"sessions": True, "one_is_up": False})
        if down and not one_is_up
        else None
    )


def _down_of_the_case(case: Case) -> tuple[Match, ...]:
    """Told of the sessions alone, if nobody tried an endpoint; and of one link, if the other works."""
    if (match := _all_down(case)) and not case.attempts:
        return (match,)
    down, one_is_up = _links_down(case)
    if not down or not one_is_up:
        return ()
    return (
        Match(
            signature=("one",),
            evidence=down,
            severity=Severity.WARNING,
            values={"sessions": True, "one_is_up": True},
        ),
    )


@cause("route/session-down", Owner.NETWORK, routed=True, halts=True, of_case=_down_of_the_case)
def session_down(destination: Destination, case: Case) -> Match | None:
    """No session with Microsoft is up, or no table of the customer's has any route of Microsoft's."""
    if not destination.crosses_the_circuit or destination.circuit_works:
        return None
    if match := _all_down(case):
        return match
    whole = [table for table in case.own_tables if table.complete]
    if not whole or any(_may_hold_microsoft(table, destination.beside) for table in case.own_tables):
        return None
    return Match(
        signature=tuple(table.name for table in whole),
        evidence=tuple(
            line(table.name, "none_of_microsoft", table.taken, table=named(table), routes=table.size)
            for table in whole
        ),
        values={"sessions": False, "one_is_up": False},
    )


def _nothing_over_sessions(case: Case) -> Match | None:
    up = [
        (one, session) for one, session in case.microsoft_sessions if session.is_up and not session.of_azure
    ]
    if not up or any(session.received != 0 for _, session in up):
        return None
    return Match(
        signature=tuple(session.peer for _, session in up), evidence=tuple(_told_of(*one) for one in up)
    )


def _nothing_of_the_case(case: Case) -> tuple[Match, ...]:
    match = _nothing_over_sessions(case)
    return () if match is None or case.attempts else (match,)


@cause("route/session-without-routes", Owner.NETWORK, routed=True, halts=True, of_case=_nothing_of_the_case)
def session_without_routes(destination: Destination, case: Case) -> Match | None:
    """The sessions with Microsoft are up, and not one prefix comes over any of them."""
    if not destination.crosses_the_circuit or destination.circuit_works:
        return None
    return _nothing_over_sessions(case)


def _may_hold_microsoft(table: RouteTable, destinations: Iterable[Destination]) -> bool:
    """Whether the table has any route of Microsoft's, or cannot show whether it has."""
    if any(value.startswith(f"{MICROSOFT_AS}:") for value in table.values):
        return True
    if not table.shows_communities:
        # AS paths tell as well; a table in which no route has one shows nothing.
        paths = [route.as_path for route in table.routes if route.as_path]
        return not paths or any(MICROSOFT_AS in path for path in paths)
    addresses = [one.address for destination in destinations for one in destination.coverages]
    return any(route.from_microsoft for address in addresses for route in table.covering(address))


def _received_as(destination: Destination, wanted: Reception) -> Evidence | None:
    """The table's own words, if it says this of the address and the endpoint fails."""
    if not destination.may_be_routing or destination.coverage.received.reception is not wanted:
        return None
    return Evidence.of_table(destination.coverage.received)


@cause("route/filtered-by-own-policy", Owner.NETWORK, routed=True)
def filtered_by_own_policy(destination: Destination, _: Case) -> Match | None:
    """The route is in what the neighbour sent, and not in what the router uses."""
    said = _received_as(destination, Reception.FILTERED_HERE)
    return Match(signature=(said.origin,), evidence=(said,)) if said else None


@cause("route/another-path-preferred", Owner.NETWORK, routed=True)
def another_path_preferred(destination: Destination, _: Case) -> Match | None:
    """Microsoft sent a route, or one of the router's own hides it, and the one in use is not Microsoft's."""
    if not destination.coverage.sent and not destination.coverage.hides_others:
        return None
    route = destination.coverage.received.route
    said = _received_as(destination, Reception.ANOTHER_PATH)
    if said is None and route is not None and route.best and not route.as_path:
        said = _received_as(destination, Reception.UNKNOWN)
    if said is None:
        return None
    evidence: list[Line | Evidence] = [said]
    if route is not None and not route.as_path:
        evidence.append(line(said.origin, "local_route", said.taken, prefix=route.prefix))
    return Match(signature=(said.origin, route.next_hop if route else ""), evidence=tuple(evidence))


@cause("route/not-received", Owner.NETWORK, routed=True)
def not_received(destination: Destination, _: Case) -> Match | None:
    """The router's whole table lacks the route, and the filter is not known to be the reason."""
    coverage = destination.coverage
    if not coverage.lacks_route or not destination.crosses_the_circuit:
        return None
    said = Evidence.of_table(coverage.received)
    if coverage.verdict not in MAY_BE_ALLOWED or said is None:
        return None
    return Match(
        signature=(said.origin, coverage.community),
        evidence=(said,) if coverage.route_filter else (said, line("", "no_filter")),
        values={"let_through": coverage.verdict is Verdict.CARRIED},
    )
