"""A question for one address decides for that address; one for a prefix, or for several, does not."""

import pytest

from arcferry.routing.reception import Reception, reception
from arcferry.routing.tables import read_route_table
from arcferry.routing.tables.capture import typed

ADDRESS, OTHER = "40.115.144.3", "40.115.144.77"


@pytest.mark.parametrize(
    "text",
    [
        f"rt1#show ip bgp {ADDRESS}\n% Network not in table\n",
        f"rt1>sh ip bgp {ADDRESS}\n% Network not in table\n",
        f"rt1#show bgp ipv4 unicast {ADDRESS}\n% Network not in table\n",
        f"rt1#show ip route {ADDRESS}\n% Subnet not in table\n",
        f"RP/0/RP0/CPU0:xr#show route ipv4 {ADDRESS}\n% Network not in table\n",
        f'nx# show ip route {ADDRESS}\nIP Route Table for VRF "default"\n\nRoute not found\n',
        f"ops@mx1> show route {ADDRESS}\n\ninet.0: 214 destinations, 221 routes (214 active, 0 hidden)\n",
        f"<ne40>display bgp routing-table {ADDRESS}\nInfo: The network does not exist.\n",
        f"[~ne40]display ip routing-table {ADDRESS}\nError: The network does not exist.\n",
        f"bird> show route for {ADDRESS}\nNetwork not found\n",
        f"fw# bgpctl show rib {ADDRESS}\nflags ovs destination  gateway  lpref   med aspath origin\n",
        f"FGT-1 (root) # get router info bgp network {ADDRESS}\n% Network not in table\n",
        f"*A:pe3# show router route-table {ADDRESS}\n===\nNo Matching Entries Found\n===\n",
        f"rt1# show ip route {ADDRESS}\r\n% Network not in table\r\n",
    ],
)
def test_that_there_is_none_is_seen_for_this_address_alone(text: str) -> None:
    table = read_route_table("rt1.txt", text.encode())
    assert table is not None
    assert table.asked == (ADDRESS,)
    assert not table.complete
    assert reception(ADDRESS, [table]).reception is Reception.NOT_RECEIVED
    assert f"asked for {ADDRESS}" in reception(ADDRESS, [table]).says
    assert reception(OTHER, [table]).reception is Reception.UNKNOWN


@pytest.mark.parametrize(
    "line",
    [
        f"rt1#show ip bgp {ADDRESS} 255.255.255.255",
        f"rt1#show ip bgp {ADDRESS}/32",
        f"rt1#show ip bgp {ADDRESS} longer-prefixes",
        f"rt1#show ip bgp neighbors {ADDRESS} received-routes",
        f"rt1#show ip route | include {ADDRESS}",
        f"<ne40>display bgp routing-table {ADDRESS} 32",
        f"<ne40>display bgp routing-table peer {ADDRESS} received-routes",
        f"[admin@mt] > /ip/route/print where dst-address={ADDRESS}",
        "rt1#show ip bgp",
    ],
)
def test_another_question_asks_for_no_address(line: str) -> None:
    command = typed(line)
    assert command is not None
    assert command.asked == ()


@pytest.mark.parametrize(
    ("hop", "links", "expected"),
    [
        ("198.18.40.2", ["198.18.40.0/30"], Reception.RECEIVED),
        ("198.18.40.2", [], Reception.UNKNOWN),
        ("10.9.1.1", ["198.18.40.0/30"], Reception.UNKNOWN),
    ],
)
def test_a_next_hop_on_the_link_is_microsoft_s(hop: str, links: list[str], expected: Reception) -> None:
    text = f"""edge# show ip route {ADDRESS}
Routing entry for 40.115.128.0/17
  Known via "bgp", distance 20, metric 0, best
  * {hop}, via eth1, weight 1
"""
    table = read_route_table("rt1.txt", text.encode())
    assert table is not None
    assert reception(ADDRESS, [table], links=links).reception is expected


def test_the_default_route_of_an_answer_says_nothing_of_another_address() -> None:
    text = f"""edge# show ip route {ADDRESS}
Routing entry for 0.0.0.0/0, supernet
  Known via "static", distance 1, metric 0, candidate default path
  * 10.9.1.1
"""
    table = read_route_table("rt1.txt", text.encode())
    assert table is not None
    assert reception(ADDRESS, [table]).reception is Reception.ANOTHER_PATH
    assert reception(OTHER, [table]).reception is Reception.UNKNOWN
