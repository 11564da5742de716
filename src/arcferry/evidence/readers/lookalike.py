"""What an unrecognised file looked most like, so that its owner sees what is missing in it."""

import re

from arcferry.evidence.readers import values

_TEXTS = (
    (
        re.compile(r"https?://\S+\s*\|"),
        "a table of azcmagent check, but no row has an endpoint of Azure Arc and a yes or no",
    ),
    (re.compile(r"^time=.{0,60} level=", re.MULTILINE), "a log of the agent, but too little of it"),
    (
        re.compile(r"azcmagent", re.IGNORECASE),
        "output about azcmagent, but without a code, a table or the agent's state",
    ),
    (
        re.compile(r"\bMSI \([sc]\)|msiexec", re.IGNORECASE),
        "a log of Windows Installer, but without its result",
    ),
    (
        re.compile(r"BGP|\bAS_?path\b|12076", re.IGNORECASE),
        "routes of a router, but in no format that is read",
    ),
    (
        re.compile(r"\bnslookup\b|\bdig\b|Non-authoritative", re.IGNORECASE),
        "DNS answers, but about no endpoint of Azure Arc",
    ),
    (
        re.compile(r"AZCM\d{4}(?:.*\n){0,200}?.*AZCM\d{4}"),
        "a list of the agent's codes, and not what one run printed",
    ),
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
    if isinstance(value, list):
        return {key for item in value[:_MOST] for key in _all_keys(item, depth + 1)}
    fields = values.mapping(value)
    own = {str(key).lower() for key in list(fields)[:_MOST]}
    return own | {key for item in list(fields.values())[:_MOST] for key in _all_keys(item, depth + 1)}


def of_json(value: object) -> str:
    """What a JSON value looked most like; empty where it looks like nothing that is known."""
    keys = _all_keys(value)
    shared, words = max(((len(keys & wanted), words) for wanted, words in _KEYS), key=lambda one: one[0])
    return f"{words}, but its shape is another" if shared else ""


def of_text(text: str) -> str:
    """What a text looked most like; empty where it looks like nothing that is known."""
    sample = text[:200_000]
    return next((words for pattern, words in _TEXTS if pattern.search(sample)), "")
