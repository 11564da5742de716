"""`show bgp` as text, of Cisco IOS, IOS-XR and NX-OS, Arista EOS, Huawei VRP, FortiGate, and FRRouting.

The last two print as IOS does.
"""

import re
from collections.abc import Sequence

from arcferry.routing.tables.capture import TypedCommand
from arcferry.routing.tables.dialect import Dialect, TableReader
from arcferry.routing.tables.reading import TextFormat

_XR_SIGN = (
    r"BGP (?:VRF .*, state:|router identifier \S+, local AS number|generic scan interval"
    r"|main routing table version|table state: )"
    r"|\s{0,3}BGP routing table entry for |Processed \d+ prefixes, \d+ paths"
)
_XR_OWN = (
    r"BGP (?:VRF .*, state:|generic scan interval|main routing table version|table state: )"
    r"|Versions:\s*$|\s+Process\s+bRIB|\s+Path #\d+: Received by speaker|Processed \d+ prefixes"
)
_NXOS_SIGN = (
    r"BGP routing table information for VRF \S+, address family "
    r"|Peer \S+ routes for address family |Status: s-suppressed, "
    r"|\s{0,3}BGP routing table entry for |[*s ][>| ][iecla rI](?:\d|[0-9a-fA-F]{1,4}:)\S*/\d+\s"
)
_NXOS_OWN = (
    r"BGP routing table information for VRF \S+, address family |Peer \S+ routes for address family "
    r"|Status: s-suppressed, |Path type: i-internal|\s+Path type: |Flags: \(0x"
    r"|[*s ][>| ][iecla](?:\d|[0-9a-fA-F]{1,4}:)\S*/\d+\s"
)
_EOS_SIGN = (
    r"BGP routing table information for VRF \S+\s*$|Route status codes: "
    r"|\s+Network\s+Next Hop\s+Metric\s+(?:AIGP\s+)?LocPref"
)
_FRR_SIGN = (
    r"BGP table version is \d+, local router ID is \S+, vrf |Default local pref \d+|Displayed\s+\d+ "
    r"|\s{0,3}BGP routing table entry for |No BGP prefixes displayed"
)
_FRR_OWN = (
    r"BGP table version is \d+, local router ID is \S+, vrf |Default local pref \d+, local AS "
    r"|Displayed\s+\d+ |Nexthop codes: @NNN|\s+Last update: |No BGP prefixes displayed"
)
_IOS_SIGN = (
    r"BGP table version is \d+, local router ID is "
    r"|\s*Network\s+Next Hop\s+Metric\s+LocPrf\s+Weight\s+Path"
    r"|\s{0,3}BGP routing table entry for "
    r"|Total number of prefixes \d+|% Network not in table"
    r"|\s?[*r][ >a-z]{1,5}\s{0,3}[0-9a-fA-F:.]+(?:/\d+)?\s+[0-9a-fA-F:.]+\s.*[ie?]\s*$"
)


def _format(dialect: Dialect, sign: str, own: str, within: int) -> TextFormat:
    """A router that is told from the others by one of the first lines."""
    pattern = re.compile(own)
    return TextFormat(
        dialect.name,
        re.compile(sign),
        lambda head, _: any(pattern.match(line) for line in head[:within]),
        lambda reading, lines: TableReader(dialect, reading).routes(lines),
    )


def _is_ios(head: Sequence[str], command: TypedCommand | None) -> bool:
    if not head[0].startswith(("Total number", "%")):
        return True
    return command is not None and "bgp" in command.text.lower()


_FORTIGATE_SIGN = (
    r"VRF \d+ BGP (?:table version is|routing table entry for) "
    r"|\s*Network\s+Next Hop\s+Metric\s+LocPrf\s+Weight\s+RouteTag\s+Path"
)
_VRP_SIGN = r"\s{0,3}BGP Local router ID is |\s{0,12}Network\s+NextHop\s+MED\s"
_IOS = Dialect("cisco-ios")
FORMATS = (
    _format(Dialect("fortigate"), _FORTIGATE_SIGN, _FORTIGATE_SIGN, 8),
    _format(Dialect("huawei-vrp", weight_joins_path=False), _VRP_SIGN, _VRP_SIGN, 4),
    _format(Dialect("cisco-xr", classful=False), _XR_SIGN, _XR_OWN, 30),
    # Its status letters are glued to the network: `*>e10.0.0.0/8`.
    _format(Dialect("cisco-nxos", classful=False, status_width=3), _NXOS_SIGN, _NXOS_OWN, 12),
    _format(Dialect("arista-eos", classful=False, weight_joins_path=False), _EOS_SIGN, _EOS_SIGN, 4),
    _format(Dialect("frr"), _FRR_SIGN, _FRR_OWN, 24),
    # The last guess, for a table in which no other router's sign stands.
    TextFormat(
        _IOS.name,
        re.compile(_IOS_SIGN),
        _is_ios,
        lambda reading, lines: TableReader(_IOS, reading).routes(lines),
    ),
)
"""In the order in which they are tried."""
