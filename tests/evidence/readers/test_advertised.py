"""What a router sends is known for that, and is never taken for what it received."""

import json

import pytest

from arcferry.evidence.case import Kind
from arcferry.evidence.reading import read_document

_IOS = """BGP table version is 88, local router ID is 10.77.0.1
Status codes: s suppressed, * valid, > best, i - internal

     Network          Next Hop            Metric LocPrf Weight Path
 *>   203.0.113.64/29  0.0.0.0                  0         32768 i
"""
_FRR = (
    '{"bgpTableVersion": 1, "advertisedRoutes": {"203.0.113.64/29": '
    '{"network": "203.0.113.64/29", "nextHop": "0.0.0.0", "path": ""}}, "totalPrefixCounter": 1}\n'
)
_SENT = {
    "ios": f"core-a#show ip bgp neighbors 198.51.100.2 advertised-routes\n{_IOS}core-a#\n",
    "ios, none": "core-a#show ip bgp neighbors 198.51.100.2 advertised-routes\n\n"
    "Total number of prefixes 0\n",
    "ios-xr": "RP/0/RSP0/CPU0:xr1#show bgp neighbors 198.51.100.2 advertised-routes\n"
    "Network            Next Hop        From            AS Path\n"
    "203.0.113.64/29    198.51.100.1    Local           65010i\n\nProcessed 1 prefixes, 1 paths\n",
    "junos": "netops@mx1> show route advertising-protocol bgp 198.51.100.2\n\n"
    "inet.0: 430 destinations, 431 routes (429 active, 0 holddown, 1 hidden)\n"
    "  Prefix                  Nexthop              MED     Lclpref    AS path\n"
    "* 203.0.113.64/29         Self                                    I\n",
    "junos, none": "netops@mx1> show route advertising-protocol bgp 198.51.100.2\n\nnetops@mx1>\n",
    "bird": "op@r1:~$ birdc show route export msee1\nTable master4:\n"
    "203.0.113.64/29      unicast [static1 2026-11-25] * (200)\n\tdev eth0\n",
    "panos": "admin@fw> show routing protocol bgp rib-out peer msee1\n  VIRTUAL ROUTER: default (id 1)\n"
    "  Prefix   Nexthop  Advertised\n  203.0.113.64/29  198.51.100.1 65010\n",
    "frr": f'op@r1:~$ vtysh -c "show bgp ipv4 neighbors 198.51.100.2 advertised-routes json"\n{_FRR}',
    "frr, alone": _FRR,
}


@pytest.mark.parametrize("text", _SENT.values(), ids=_SENT)
def test_what_a_router_sends_is_none_of_what_it_received(text: str) -> None:
    (document,) = read_document("pasted.txt", text.encode())
    assert (document.kind, document.route_table) == (Kind.SERVER_STATE, None)
    assert "lists what the router sends" in document.notes[0]


def test_azure_answers_at_two_prompts_are_two_tables() -> None:
    row = {"locPrf": "", "network": "203.0.113.64/29", "nextHop": "198.51.100.1", "path": "65010"}
    text = "".join(
        f"PS C:\\Users\\op> az network express-route list-route-tables --path {path}\n"
        f"{json.dumps({'value': [row]})}\n"
        for path in ("primary", "secondary")
    )
    found = read_document("pasted.txt", text.encode())
    assert [one.kind for one in found] == [Kind.AZURE_ROUTES] * 2


def test_the_rules_of_a_filter_alone_name_it() -> None:
    own = "/subscriptions/7a1f0c2e-5b7d-4a0f-8d53-1f2a3b4c5d6e/resourceGroups/rg-wan"
    own += "/providers/Microsoft.Network/routeFilters/rf-plant"
    rule = {"id": f"{own}/routeFilterRules/only", "name": "only", "routeFilterRuleType": "Community"}
    rule |= {"access": "Allow", "communities": ["12076:51013"]}
    (document,) = read_document("pasted.txt", json.dumps([rule]).encode())
    assert document.route_filter is not None
    assert (document.route_filter.name, document.route_filter.resource_group) == ("rf-plant", "rg-wan")
    assert document.route_filter.attached_to is None
