"""Which prefix, service tag, region and community an address is in, and whether a filter lets it through."""

from arcferry.routing.communities import CommunityList, ListedCommunity, read_community_list
from arcferry.routing.coverage import Coverage, Verdict, coverage
from arcferry.routing.prefixes import PrefixMap
from arcferry.routing.route_filter import RouteFilter, read_route_filter
from arcferry.routing.service_tags import ServiceTags, TagMatch, read_service_tags

__all__ = [
    "CommunityList",
    "Coverage",
    "ListedCommunity",
    "PrefixMap",
    "RouteFilter",
    "ServiceTags",
    "TagMatch",
    "Verdict",
    "coverage",
    "read_community_list",
    "read_route_filter",
    "read_service_tags",
]
