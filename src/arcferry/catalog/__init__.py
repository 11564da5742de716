"""What Azure Arc requires, as dated data: clouds, regions, endpoints, codes, communities and releases."""

from arcferry.catalog.ahead import Announced, ahead, coming, going
from arcferry.catalog.answers import PublishedAnswer, published_answers
from arcferry.catalog.bgp import (
    arm_region,
    communities,
    community,
    region_community,
    regions_without_community,
    service_community,
)
from arcferry.catalog.exit_codes import code, codes, is_code
from arcferry.catalog.geography import PeeringLocation, geography_of, peering_location, within_reach
from arcferry.catalog.peering import CalledTag, called_tags, peering_notes, way_out
from arcferry.catalog.places import UNLISTED, cloud, clouds, region, regions
from arcferry.catalog.releases import AgentRelease, agent_releases, is_out_of_support, oldest_supported
from arcferry.catalog.requirements import (
    PKI,
    cloud_of,
    endpoint_named,
    endpoints,
    endpoints_source,
    feature_endpoints,
    features,
    requirements,
)
from arcferry.catalog.store import dated
from arcferry.catalog.types import (
    Carrier,
    Cloud,
    Code,
    DocumentedCommunity,
    Endpoint,
    Region,
    Source,
    Steering,
    When,
)

__all__ = [
    "PKI",
    "UNLISTED",
    "AgentRelease",
    "Announced",
    "CalledTag",
    "Carrier",
    "Cloud",
    "Code",
    "DocumentedCommunity",
    "Endpoint",
    "PeeringLocation",
    "PublishedAnswer",
    "Region",
    "Source",
    "Steering",
    "When",
    "agent_releases",
    "ahead",
    "arm_region",
    "called_tags",
    "cloud",
    "cloud_of",
    "clouds",
    "code",
    "codes",
    "coming",
    "communities",
    "community",
    "dated",
    "endpoint_named",
    "endpoints",
    "endpoints_source",
    "feature_endpoints",
    "features",
    "geography_of",
    "going",
    "is_code",
    "is_out_of_support",
    "oldest_supported",
    "peering_location",
    "peering_notes",
    "published_answers",
    "region",
    "region_community",
    "regions",
    "regions_without_community",
    "requirements",
    "service_community",
    "way_out",
    "within_reach",
]
