"""BGP sessions as JSON: of FRR, Arista, NX-OS, OpenBGPD and Junos, and Azure's `list-route-tables-summary`.

All of them are objects with a neighbour, its AS and a state, under names that differ; the neighbour may be
the key that leads to the object.
"""

import re
from collections.abc import Iterator, Mapping

from arcferry import typed
from arcferry.routing.session import ESTABLISHED, STATES, Session, state_of
from arcferry.routing.tables.values import address, text
from arcferry.text import whole

_DEEP = 9
_MOST = 2000
_LAST_AS = 2**32 - 1
_MOST_ROUTES = 10**9
_ODD = re.compile(r"[^a-z0-9]")
_PEER = ("neighbor", "neighborid", "peeraddress", "remoteaddr", "remoteaddress", "peer")
_AS = ("as", "asproperty", "asn", "remoteas", "neighboras", "peeras", "ipv4as")
_STATE = ("peerstate", "bgpstate", "sessionstate", "statepfxrcd", "state")
_RECEIVED = (
    "pfxrcd",
    "prefixreceived",
    "prefixesreceived",
    "prefixcount",
    "receivedprefixcount",
    "statepfxrcd",
)
_SINCE = ("updown", "peeruptime", "lastupdown", "elapsedtime", "uptime", "time")


def sessions_in(value: object) -> tuple[Session, ...]:
    """Every BGP session in the document; none if it holds none."""
    found: list[Session] = []
    for session in _walk(value, "", _DEEP):
        found.append(session)
        if len(found) >= _MOST:
            break
    return tuple(found)


def _walk(value: object, key: str, depth: int) -> Iterator[Session]:
    if depth < 0:
        return
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, "", depth - 1)
    elif isinstance(value, dict):
        fields = {_ODD.sub("", str(name).lower()): item for name, item in value.items()}
        session = _session(fields, key)
        if session:
            yield session
        else:
            for name, item in value.items():
                yield from _walk(item, str(name), depth - 1)


def _first(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The first of these fields that is there as text; Junos wraps each in `[{"data": …}]`."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            value = value[0].get("data")
        if shown := text(value):
            return shown
    return ""


def _session(fields: Mapping[str, object], key: str) -> Session | None:
    peer = address(_first(fields, _PEER).partition("+")[0]) or address(key)
    asn, state = _first(fields, _AS), _first(fields, _STATE)
    if not peer or not state or (number := whole(asn, most=_LAST_AS)) is None:
        return None
    shown = state_of(state)
    if not shown.startswith(STATES):
        return None
    counted = _first(fields, _RECEIVED) or _inner(fields)
    return Session(
        peer,
        number,
        shown,
        whole(counted, most=_MOST_ROUTES) if shown.startswith(ESTABLISHED) else None,
        typed.label(_first(fields, _SINCE)[:40]),
        of_azure="statepfxrcd" in fields and "neighbor" in fields,
    )


def _inner(fields: Mapping[str, object]) -> str:
    """The prefixes where they stand one object further in: Junos's `bgp-rib`, OpenBGPD's `stats.prefixes`."""
    rib = fields.get("bgprib")
    if isinstance(rib, list) and rib and isinstance(rib[0], dict):
        return _first({_ODD.sub("", str(name).lower()): item for name, item in rib[0].items()}, _RECEIVED)
    stats = fields.get("stats")
    prefixes = stats.get("prefixes") if isinstance(stats, dict) else None
    return text(prefixes.get("received")) if isinstance(prefixes, dict) else ""
