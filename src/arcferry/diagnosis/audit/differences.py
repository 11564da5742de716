"""Why what was seen of an endpoint is not what was expected of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from arcferry import catalog
from arcferry.diagnosis.audit.expected import Expected
from arcferry.diagnosis.audit.observed import Observed
from arcferry.diagnosis.values import community_name, region_name
from arcferry.routing.coverage import Verdict
from arcferry.routing.reception import Reception


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides of one row."""

    expected: Expected
    observed: Observed

    @property
    def agrees(self) -> bool | None:
        """Whether the two agree; None where one of them is not known, or a proxy makes routes pointless.

        A route and a connection must both be as expected, as far as they were seen.
        """
        expected, observed = self.expected.path, self.observed
        seen = [one for one in (observed.has_route, observed.connected) if one is not None]
        if expected is None or not seen or observed.proxied:
            return None
        return all(one == expected for one in seen)


def differences(compared: Compared) -> tuple[str, ...]:
    """Every difference as a sentence, then what the sources disagree about."""
    return tuple(dict.fromkeys([*_differences(compared), *compared.expected.notes]))


def _differences(compared: Compared) -> Iterator[str]:
    expected, observed = compared.expected, compared.observed
    if observed.proxied:
        yield "a proxy stands between: the routes here do not decide whether it is reached"
        return
    if expected.peering:
        yield expected.peering
    if expected.within_reach is False:
        yield f"the circuit's SKU does not reach {region_name(expected.region)}, whatever the filter holds"
    if expected.path and observed.has_route is False:
        yield from _no_route(compared)
    if expected.path is False and observed.has_route:
        yield from _route_against_expectation(expected, observed)
    yield from _other_community(expected, observed)
    yield from _connections(expected, observed)


def _no_route(compared: Compared) -> Iterator[str]:
    expected, observed = compared.expected, compared.observed
    match observed.reception:
        case Reception.FILTERED_HERE:
            yield "Microsoft sends the route, and this router's own inbound policy drops it"
        case Reception.ANOTHER_PATH:
            yield f"the router sends it by {observed.route}, which is not from Microsoft"
        case _:
            reach = "" if expected.within_reach else "the circuit's SKU may not reach the region, "
            yield (
                f"the filter allows {community_name(expected.community)}, and no route came: {reach}"
                "the filter may not be the one attached, the session may be down, or the lists are older "
                "than the addresses"
            )


def _route_against_expectation(expected: Expected, observed: Observed) -> Iterator[str]:
    if expected.verdict is Verdict.NOT_ON_PEERING:
        yield f"a route from Microsoft holds it after all ({observed.route}): the service tags are older"
    elif expected.verdict is Verdict.NOT_IN_FILTER:
        yield (
            f"a route came although {expected.route_filter} does not allow its community: the filter was "
            "changed since, or is not the one attached"
        )
    elif expected.peering or expected.within_reach is False:
        yield "a route came all the same: the circuit's document is older than the routes, or of another one"


def _other_community(expected: Expected, observed: Observed) -> Iterator[str]:
    """Where the route's own community names another region than tags and lists do."""
    if observed.reception is not Reception.RECEIVED or not observed.communities or not expected.region:
        return
    regions = [known.region for value in observed.communities if (known := _regional(value))]
    if regions and expected.region not in regions:
        carried = community_name(observed.communities[0])
        says = region_name(expected.region)
        yield f"the route carries {carried}, tags and lists say {says}: they are older"


def _regional(value: str) -> catalog.DocumentedCommunity | None:
    known = catalog.community(value)
    return known if known and known.region else None


def _connections(expected: Expected, observed: Observed) -> Iterator[str]:
    if observed.connected and observed.has_route is False:
        yield "it is reached over another path than Microsoft peering"
    elif observed.connected and expected.path is False and observed.has_route is None:
        yield "it is reached although no path is expected: over another path, or the documents are older"
    elif observed.connected is False and observed.has_route:
        yield (
            f"the route is there, and the connection is not ({observed.connection}): the way back, a prefix "
            "that Microsoft has not validated, a firewall, or the service itself"
        )
    elif observed.connected is False and expected.path and observed.has_route is None:
        yield (
            f"a path is expected, and the connection is not there ({observed.connection}): "
            "the router's routes would tell where it breaks off"
        )
