"""BIRD's configuration of the three kinds of router.

The timers bring a session back within two seconds, and `import table` lets a changed filter act on what was
received before, at once. `import keep filtered` lets `show route filtered` list what a filter dropped.
"""

from collections.abc import Iterable, Sequence

from arcferry_lab.network.namespaces.routing_state import RoutingState
from arcferry_lab.network.namespaces.topology import (
    CORE,
    CUSTOMER_AS,
    EDGE,
    MICROSOFT_AS,
    MSEES,
    NAT_POOL,
    ROUTER,
    between,
    region_wire,
)

_HEAD = """\
log stderr { warning, error, fatal, bug, auth, trace };
router id %s;
protocol device { scan time 1; }
protocol kernel { scan time 2; ipv4 { import none; export where %s; }; }
template bgp timely {
  direct; connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 9;
}
"""
_PREFERENCE = {"primary": 200, "secondary": 100}


def customer(now: RoutingState) -> str:
    """The customer's router: two eBGP sessions with Microsoft, the primary link preferred."""
    head = _HEAD % (between(ROUTER, "primary").near.address.ip, 'source = RTS_BGP || proto = "another_path"')
    pool = f"protocol static nat_pool {{ ipv4; route {NAT_POOL} blackhole; }}\n"
    other = "".join(f"  route {prefix} blackhole;\n" for prefix in now.preferred_elsewhere)
    another = f"protocol static another_path {{\n  ipv4;\n{other}}}\n"
    return head + pool + another + "".join(_customer_session(link, now) for link in MSEES)


def _customer_session(link: str, now: RoutingState) -> str:
    wire = between(ROUTER, link)
    down = "" if link in now.links else "  disabled yes;\n"
    export = 'where proto = "nat_pool"' if now.announced else "none"
    reject = f"  if bgp_community ~ {_set(now.rejected)} then reject;\n" if now.rejected else ""
    return f"""\
filter from_{link} {{
{reject}  bgp_local_pref = {_PREFERENCE[link]};
  accept;
}}
protocol bgp msee_{link} from timely {{
{down}  local {wire.near.address.ip} as {CUSTOMER_AS};
  neighbor {wire.far.address.ip} as {MICROSOFT_AS};
  ipv4 {{
    import keep filtered;
    import table yes;
    import filter from_{link};
    export {export};
  }};
}}
"""


def msee(link: str, now: RoutingState) -> str:
    """A Microsoft enterprise edge router: the route filter is its import filter of what the core offers.

    So its table is that of one peering, and holds what the route filter and the circuit's reach let through:
    what it does not hold it neither advertises nor forwards.
    """
    wire, inner = between(ROUTER, link), between(CORE, link)
    allowed = f"  if bgp_community ~ {_set(now.carried)} then accept;\n" if now.carried else ""
    withheld = "".join(f"  if net = {prefix} then reject;\n" for prefix in now.withheld(link))
    validated = f"  if net = {NAT_POOL} then accept;\n" if now.validated else ""
    down = "" if now.peering else "  disabled yes;\n"
    return f"""\
{_HEAD % (wire.far.address.ip, "source = RTS_BGP")}
filter route_filter {{
{withheld}{allowed}  reject;
}}
filter validated_prefixes {{
{validated}  reject;
}}
protocol bgp core from timely {{
  local {inner.far.address.ip} as {MICROSOFT_AS};
  neighbor {inner.near.address.ip} as {MICROSOFT_AS};
  ipv4 {{
    import keep filtered;
    import table yes;
    import filter route_filter;
    export where proto = "customer";
    next hop self;
  }};
}}
protocol bgp customer from timely {{
{down}  local {wire.far.address.ip} as {MICROSOFT_AS};
  neighbor {wire.near.address.ip} as {CUSTOMER_AS};
  ipv4 {{
    import keep filtered;
    import table yes;
    import filter validated_prefixes;
    export where proto = "core";
  }};
}}
"""


def core(now: RoutingState, regions: Sequence[str], edge_prefixes: Iterable[str]) -> str:
    """Microsoft's core: it originates what the regions have, each prefix with its community.

    The edge networks have routes inside alone.
    """
    hops = {region: region_wire(region, number).far.address.ip for number, region in enumerate(regions)}
    advertised = "".join(
        f"  route {origin.prefix} via {hops[origin.region]} {{"
        f" bgp_community.add({_pair(origin.community)}); bgp_origin = ORIGIN_INCOMPLETE; }};\n"
        for origin in now.origins
        if origin.community
    )
    edge_hop = between(CORE, EDGE).far.address.ip
    inside = "".join(
        f"  route {origin.prefix} via {hops[origin.region]};\n"
        for origin in now.origins
        if not origin.community
    ) + "".join(f"  route {prefix} via {edge_hop};\n" for prefix in edge_prefixes)
    sessions = "".join(_core_session(link) for link in MSEES)
    return f"""\
{_HEAD % ("100.64.0.1", "source = RTS_BGP || source = RTS_STATIC")}
protocol static regions {{
  ipv4;
{advertised}}}
protocol static inside {{
  ipv4;
{inside}}}
{sessions}"""


def _core_session(link: str) -> str:
    wire = between(CORE, link)
    return f"""\
protocol bgp msee_{link} from timely {{
  local {wire.near.address.ip} as {MICROSOFT_AS};
  neighbor {wire.far.address.ip} as {MICROSOFT_AS};
  ipv4 {{ import all; export where proto = "regions"; next hop self; }};
}}
"""


def _set(communities: Iterable[str]) -> str:
    return "[ " + ", ".join(_pair(value) for value in sorted(communities)) + " ]"


def _pair(community: str) -> str:
    """`(12076,51012)`, as BIRD writes it."""
    high, _, low = community.partition(":")
    return f"({int(high)}, {int(low)})"
