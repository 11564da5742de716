"""What an unrecognised file looked most like, so that its owner sees what is missing in it."""

import re

from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import values
from arcferry.evidence.readers.decoding import Decoded

_TEXTS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (
            r"https?://\S+\s*\|",
            "a table of azcmagent check, but no row has an endpoint of Azure Arc and a yes or no",
        ),
        (r"(?m)^time=.{0,60} level=", "a log of the agent, but too little of it"),
        (r"(?i)azcmagent", "output about azcmagent, but without a code, a table or the agent's state"),
        (r"(?i)\bMSI \([sc]\)|msiexec", "a log of Windows Installer, but without its result"),
        (r"(?i)BGP|\bAS_?path\b|12076", "routes of a router, but in no format that is read"),
        (r"(?i)\bnslookup\b|\bdig\b|Non-authoritative", "DNS answers, but about no endpoint of Azure Arc"),
        (
            r"AZCM\d{4}(?:.*\n){0,200}?.*AZCM\d{4}",
            "a list of the agent's codes, and not what one run printed",
        ),
    )
)
_KEYS = (
    ({"addressprefixes", "changenumber", "values", "systemservice"}, "service tags"),
    ({"bgpcommunities", "communityvalue", "communityprefixes"}, "a list of BGP communities"),
    ({"rules", "communities", "access", "routefilterruletype"}, "a route filter"),
    ({"peerings", "serviceproviderproperties", "circuitprovisioningstate"}, "an ExpressRoute circuit"),
    ({"network", "nexthop", "locprf", "aspath"}, "routes"),
    ({"answers", "addresses", "rcode"}, "DNS answers"),
    ({"endpoint", "reachable", "tls"}, "a check"),
)
_DEEP = 4
_MOST = 50


def _all_keys(value: object, depth: int = 0) -> set[str]:
    if depth > _DEEP:
        return set()
    items = value if isinstance(value, list) else list(values.mapping(value).values())
    own = {str(key).lower() for key in list(values.mapping(value))[:_MOST]}
    return own.union(*(_all_keys(item, depth + 1) for item in items[:_MOST]))


def document(name: str, decoded: Decoded) -> Document:
    """The document of a file that no reader takes."""
    if decoded.is_json:
        keys = _all_keys(decoded.value)
        shared, words = max(((len(keys & wanted), words) for wanted, words in _KEYS), key=lambda one: one[0])
        like = f"{words}, but its shape is another" if shared else ""
    else:
        sample = decoded.text[:200_000]
        like = next((words for pattern, words in _TEXTS if pattern.search(sample)), "")
    return Document(name, Kind.UNRECOGNISED, notes=(f"it looks most like {like}",) if like else ())
