"""How findings call endpoints, communities, regions, filters and days, and lists of them."""

from collections.abc import Sequence
from datetime import date, datetime

from arcferry import catalog
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Affected
from arcferry.diagnosis.words import family, filled
from arcferry.language import ENGLISH, spoken
from arcferry.routing import filter_change
from arcferry.routing.filter_change import FILTER_UNKNOWN
from arcferry.routing.route_filter import RouteFilter

MOST_LISTED = 6


def listed(names: Sequence[str], most: int = MOST_LISTED) -> str:
    """`a, b and c`, with a count of what is left out."""
    words: dict[str, str] = family("common")["list"]
    if not names:
        return words["none"]
    if len(names) > most:
        more = words["more"].replace("{count}", str(len(names) - most))
        return words["comma"].join(names[:most]) + more
    return words["and"].join(filter(None, (words["comma"].join(names[:-1]), names[-1])))


def day(instant: date | datetime | None) -> str:
    """`2025-10-28`, or the words for an unknown day."""
    if instant is None:
        return common("unknown_day")
    return (instant.date() if isinstance(instant, datetime) else instant).isoformat()


def named(destination: Destination) -> str:
    """The endpoint's name; a regional HIS host that discovery did not give is called so."""
    return destination.host or common("regional_his")


def said_of(name: str, says: str) -> str:
    """`NAME: what is said of it`, with the colon of the language that is spoken."""
    return f"{name}: {says}" if spoken() == ENGLISH else f"{name}\uff1a{says}"


def affected(destination: Destination) -> Affected:
    """The endpoint with what is known of its address."""
    found = destination.coverage
    return Affected(destination.host, found.address, found.region, found.service_tag, found.community)


def community_name(value: str) -> str:
    """`12076:51012 (Japan East)`, or the bare value if no document names it."""
    known = catalog.community(value)
    return f"{value} ({known.name})" if known else value


def region_name(region: str) -> str:
    """The region's display name, or the name as it is if the catalogue does not know it."""
    known = catalog.region_community(region)
    return known.name if known else region or common("unknown_region")


def common(key: str, **values: str) -> str:
    """The words that all causes share under this key, with these values in braces."""
    return filled(str(family("common")["words"][key]), values.__getitem__)


def region_community(region: str) -> str:
    """`12076:51012 (Japan East)` of a region, or its name and that no community is documented."""
    known = catalog.region_community(region)
    if known:
        return community_name(known.value)
    return common("without_community", region=region)


def filter_name(known: RouteFilter | None) -> str:
    """The filter's name, or a placeholder in capitals; a file's name is not the filter's."""
    if known is None or known.name == known.origin:
        return FILTER_UNKNOWN
    return filter_change.named_filter(known.name)
