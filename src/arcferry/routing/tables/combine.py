"""One table of all the answers in a capture."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from arcferry.routing.route import Route, Routes, RouteTable, Vantage, route_table
from arcferry.routing.tables.reading import Reading


def table_of(readings: Sequence[Reading], notes: Iterable[str] = ()) -> RouteTable:
    """The table that the readings make together.

    One reading is taken as it is. Several are laid on each other: the same route in two answers is one, with
    the communities of both. Where what the neighbour sent and the router's whole table are both there, what
    stands in the first alone was dropped by the router's own policy.
    """
    notes = (*notes, *dict.fromkeys(note for one in readings for note in one.notes))
    formats = dict.fromkeys(one.format for one in readings)
    vantages = {one.vantage for one in readings}
    return route_table(
        readings[0].name,
        readings[0].routes if len(readings) == 1 else _laid(readings),
        format=" and ".join(formats),
        vantage=vantages.pop() if len(vantages) == 1 else Vantage.ROUTER,
        taken=max((one.taken for one in readings if one.taken), default=None),
        shows_communities=all(
            one.shows_communities for one in readings if one.routes.size or len(readings) == 1
        ),
        complete=any(one.complete for one in readings) and not any(one.cut for one in readings),
        notes=notes,
    )


def _laid(readings: Sequence[Reading]) -> Routes:
    received = [one for one in readings if one.vantage is Vantage.RECEIVED and not one.filtered]
    router = [one for one in readings if one.vantage is Vantage.ROUTER]
    whole = any(one.complete for one in router)
    laid: dict[str, list[Route]] = {}
    for one in readings:
        against = router if one in received and whole else []
        for route in one.routes:
            dropped = bool(against) and not any(other.routes.holds(route.prefix) for other in against)
            found = replace(route, filtered=True, best=False) if dropped else route
            _lay(laid.setdefault(route.prefix, []), found)
    return Routes(route for routes in laid.values() for route in routes)


def _lay(held: list[Route], route: Route) -> None:
    """Add a route, or what it tells more of one that is there; those of one answer stay apart."""
    for index, other in enumerate(held):
        if other.next_hop == route.next_hop and other.as_path == route.as_path:
            held[index] = replace(
                other,
                communities=tuple(dict.fromkeys((*other.communities, *route.communities))),
                best=other.best if other.best is not None else route.best,
                filtered=other.filtered or route.filtered,
            )
            return
    held.append(route)
