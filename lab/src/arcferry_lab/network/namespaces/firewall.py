"""nftables' rules of the customer's router and of the MSEEs."""

from ipaddress import ip_network

from arcferry_lab.network.namespaces.routing_state import RoutingState
from arcferry_lab.network.namespaces.topology import COMPANY, MSEES, NAT_POOL


def customer(now: RoutingState) -> str:
    """NAT to the public pool on the way to Microsoft, and what the company's firewall drops."""
    dropped = "".join(f"    ip daddr {address} drop\n" for address in now.dropped)
    refused = "".join(
        f"    ip daddr {address} meta l4proto tcp reject with tcp reset\n" for address in now.refused
    )
    pool = ip_network(NAT_POOL)
    source = f"{pool[1]}-{pool[-2]}"
    nat = "".join(
        f'    oifname "to-{link}" ip saddr {COMPANY} snat to {source} persistent\n' for link in MSEES
    )
    return f"""\
flush ruleset
table ip company {{
  chain firewall {{
    type filter hook forward priority filter;
{dropped}{refused}  }}
  chain nat {{
    type nat hook postrouting priority srcnat;
{nat}  }}
}}
"""


def msee(now: RoutingState) -> str:
    """Microsoft takes what comes from a validated prefix alone; and what is too long for a broken link."""
    taken = f"ip saddr != {NAT_POOL} " if now.validated else ""
    largest = f'    iifname "to-core" meta length > {now.largest} drop\n' if now.largest else ""
    return f"""\
flush ruleset
table ip edge {{
  chain acl {{
    type filter hook forward priority filter;
    iifname "to-router" {taken}drop
{largest}  }}
}}
"""
