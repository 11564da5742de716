import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.routing.prefixes import Address, Network, PrefixMap, prefix_key, prefix_span, prefix_text


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


def _map(pairs: list[tuple[Network, int]]) -> PrefixMap[int]:
    return PrefixMap((str(network), value) for network, value in pairs)


def _oracle(pairs: list[tuple[Network, int]], address: Address) -> list[tuple[str, int]]:
    holding = [(network, value) for network, value in pairs if network.version == address.version]
    holding = [(network, value) for network, value in holding if address in network]
    holding.sort(key=lambda pair: -pair[0].prefixlen)
    return [(str(network), value) for network, value in holding]


@given(st.lists(st.tuples(NETWORKS, st.integers())), ADDRESSES)
def test_finds_what_a_search_through_all_finds(pairs: list[tuple[Network, int]], address: Address) -> None:
    found = _map(pairs)
    assert [*found.covering(address)] == _oracle(pairs, address)
    edges = [edge for network, _ in pairs for edge in (network[0], network[-1])]
    for edge in edges:
        assert [*found.covering(str(edge))] == _oracle(pairs, edge)


@given(NETWORKS)
def test_reads_every_prefix_as_ipaddress_does(network: Network) -> None:
    key = prefix_key(str(network))
    start, end = prefix_span(key)
    assert prefix_text(key) == str(network)
    assert end - start == network.num_addresses
    assert start % (1 << 128) == int(network.network_address)


@given(st.text(alphabet="0123456789abcdef.:/ -%", max_size=24))
def test_accepts_nothing_that_ipaddress_refuses(text: str) -> None:
    try:
        key = prefix_key(text)
    except ValueError:
        return
    assert prefix_text(key) == str(ipaddress.ip_network(text))


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0.0/33", "10.0.0.1/24", "2001:db8::1/64", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/٣",
     "1.2.3.4/", "fe80::1%eth0", "\x00", "\ud800", "10.0.0.0/" + "9" * 5000],
)  # fmt: skip
def test_refuses_what_is_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        PrefixMap([(text, None)])


def test_one_prefix_may_carry_several_values_in_their_order() -> None:
    found = PrefixMap([("10.0.0.0/8", "a"), ("10.1.0.0/16", "b"), ("10.0.0.0/08", "c")])
    assert [value for _, value in found.covering("10.1.2.3")] == ["b", "a", "c"]
    assert (*found.at("10.0.0.0/8"),) == ("a", "c")
    assert (*found.at("10.1.0.0/16"), *found.at("10.2.0.0/16")) == ("b",)


def test_an_address_alone_is_a_prefix_of_one() -> None:
    found = PrefixMap([("192.0.2.1", "one"), ("2001:db8::1", "six")])
    assert [*found.covering("192.0.2.1")] == [("192.0.2.1/32", "one")]
    assert [*found.covering("2001:db8::1")] == [("2001:db8::1/128", "six")]
    assert [*found.covering("192.0.2.2")] == []


@pytest.mark.parametrize("text", ["not-an-address", "10.0.0.1/32", "", "10.0.0.01", "\x00"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear to be an IPv4 or IPv6 address"):
        [*PrefixMap([("10.0.0.0/8", 1)]).covering(text)]


@given(st.lists(st.tuples(NETWORKS, st.integers())))
def test_gives_back_what_it_was_given(pairs: list[tuple[Network, int]]) -> None:
    found = _map(pairs)
    assert sorted(found.items()) == sorted((str(network), value) for network, value in pairs)
    assert len(found) == len({network for network, _ in pairs})
    keys = [key for key, _ in found.entries()]
    assert [prefix_text(key) for key in keys] == [*dict.fromkeys(str(network) for network, _ in pairs)]
    assert [*dict.fromkeys(prefix for prefix, _ in found.items())] == [
        prefix_text(key) for key in sorted(keys)
    ]


def test_an_address_with_a_scope_is_that_address() -> None:
    assert [*PrefixMap([("fe80::/10", "link")]).covering("fe80::1%eth0")] == [("fe80::/10", "link")]
