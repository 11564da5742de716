import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.routing.prefixes import Address, Network, PrefixMap, parse_prefix


def _networks(version: int) -> st.SearchStrategy[Network]:
    bits = 32 if version == 4 else 128
    kind = ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network
    # A small space of leading bits, so that prefixes often hold one another and the addresses.
    numbers = st.integers(0, 7).map(lambda head: head << (bits - 3)) | st.integers(0, 2**bits - 1)
    return st.builds(
        lambda number, length: kind((number, length), strict=False), numbers, st.integers(0, bits)
    )


NETWORKS = _networks(4) | _networks(6)
ADDRESSES = (
    st.ip_addresses()
    | st.integers(0, 7).map(lambda head: ipaddress.IPv4Address(head << 29))
    | st.integers(0, 7).map(lambda head: ipaddress.IPv6Address(head << 125))
)


def _oracle(pairs: list[tuple[Network, int]], address: Address) -> list[tuple[Network, int]]:
    holding = [(network, value) for network, value in pairs if network.version == address.version]
    holding = [(network, value) for network, value in holding if address in network]
    return sorted(holding, key=lambda pair: -pair[0].prefixlen)


@given(st.lists(st.tuples(NETWORKS, st.integers())), ADDRESSES)
def test_finds_what_a_search_through_all_finds(pairs: list[tuple[Network, int]], address: Address) -> None:
    found = PrefixMap(pairs)
    expected = _oracle(pairs, address)
    assert found.all(address) == expected
    assert found.all(str(address)) == expected
    assert found.longest(address) == (expected[0] if expected else None)
    assert found.longest_many([str(address), str(address)]) == [expected[0][1] if expected else None] * 2


@given(NETWORKS)
def test_reads_every_prefix_as_ipaddress_does(network: Network) -> None:
    bits = 32 if network.version == 4 else 128
    version, length, head = parse_prefix(str(network))
    assert (version, length) == (network.version, network.prefixlen)
    assert head << (bits - length) == int(network.network_address)


@given(st.text(alphabet="0123456789abcdef.:/ -%", max_size=24))
def test_accepts_nothing_that_ipaddress_refuses(text: str) -> None:
    try:
        version, length, head = parse_prefix(text)
    except ValueError:
        return
    network = ipaddress.ip_network(text)
    bits = 32 if version == 4 else 128
    assert (network.prefixlen, int(network.network_address)) == (length, head << (bits - length))


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0.0/33", "10.0.0.1/24", "2001:db8::1/64", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/٣",
     "1.2.3.4/", "fe80::1%eth0", "\x00", "\ud800", "10.0.0.0/" + "9" * 5000],
)  # fmt: skip
def test_refuses_what_is_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        PrefixMap([(text, None)])


def test_one_prefix_may_carry_several_values_in_their_order() -> None:
    found = PrefixMap([("10.0.0.0/8", "a"), ("10.1.0.0/16", "b"), ("10.0.0.0/8", "c")])
    assert [value for _, value in found.all("10.1.2.3")] == ["b", "a", "c"]
    assert found.longest("10.2.0.1") == (ipaddress.ip_network("10.0.0.0/8"), "a")


def test_an_address_alone_is_a_prefix_of_one() -> None:
    found = PrefixMap([("192.0.2.1", "one"), ("2001:db8::1", "six")])
    assert found.longest("192.0.2.1") == (ipaddress.ip_network("192.0.2.1/32"), "one")
    assert found.longest("2001:db8::1") == (ipaddress.ip_network("2001:db8::1/128"), "six")
    assert found.longest("192.0.2.2") is None


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not-an-address"):
        PrefixMap([("10.0.0.0/8", 1)]).longest("not-an-address")


@given(st.lists(st.tuples(NETWORKS, st.integers())), st.lists(ADDRESSES, max_size=8))
def test_many_at_once_are_found_as_one_by_one(
    pairs: list[tuple[Network, int]], addresses: list[Address]
) -> None:
    found = PrefixMap(pairs)
    edges = [edge for network, _ in pairs for edge in (network[0], network[-1])]
    texts = [str(address) for address in (*addresses, *edges)]
    assert found.longest_many(iter(texts)) == [
        hit[1] if (hit := found.longest(text)) else None for text in texts
    ]


@given(st.lists(st.tuples(NETWORKS, st.integers())))
def test_gives_back_what_it_was_given(pairs: list[tuple[Network, int]]) -> None:
    found = PrefixMap(pairs)
    assert sorted(found.items()) == sorted((str(network), value) for network, value in pairs)
    assert len(found) == len({network for network, _ in pairs})
    assert set(found.with_value(lambda value: value > 0)) == {str(one) for one, value in pairs if value > 0}
    assert PrefixMap.of(found.index).index == found.index


def test_the_first_and_the_last_address_of_each_family() -> None:
    pairs = [("0.0.0.0/0", "four"), ("255.255.255.255/32", "end"), ("::/0", "six"), ("ffff::/16", "end six")]
    found = PrefixMap(pairs)
    asked = ["0.0.0.0", "255.255.255.254", "255.255.255.255", "::", "fffe::", "ffff::1"]
    assert found.longest_many(asked) == ["four", "four", "end", "six", "six", "end six"]
    assert PrefixMap([("255.0.0.0/8", 1)]).longest_many(["255.255.255.255", "::", "::1"]) == [1, None, None]


def test_an_address_with_a_scope_is_that_address() -> None:
    found = PrefixMap([("fe80::/10", "link")])
    assert found.longest("fe80::1%eth0") == (ipaddress.ip_network("fe80::/10"), "link")
    assert found.longest_many(["192.0.2.1", "fe80::1%eth0"]) == [None, "link"]


@pytest.mark.parametrize("text", ["not-an-address", "10.0.0.1/32", "", "10.0.0.01", "\x00"])
def test_one_wrong_address_among_many_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear to be an IPv4 or IPv6 address"):
        PrefixMap([("10.0.0.0/8", 1)]).longest_many(["10.0.0.1", text])
