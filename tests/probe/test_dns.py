from pathlib import Path

import pytest
from tests.probe.conftest import Net

from arcferry.probe import deadlines
from arcferry.probe.dns import Lookup, Resolvers, resolve, system_resolvers
from arcferry.probe.observation import Stage
from arcferry.probe.step import Nameserver
from arcferry_lab.network.dns import DnsResponse

NAME = "gbl.his.arc.azure.com"


def server(text: str) -> Nameserver:
    address, _, port = text.rpartition(":")
    return Nameserver(address, int(port))


async def ask(*resolvers: str) -> Lookup:
    return await resolve(NAME, Resolvers(tuple(map(server, resolvers))), deadlines.DNS)


async def test_a_resolver_that_gives_one_link_at_a_time_is_followed(net: Net) -> None:
    net.names = {
        NAME: DnsResponse(chain=("a.example",)),
        "a.example": DnsResponse(chain=("b.example",)),
        "b.example": DnsResponse(addresses=("10.0.0.7",)),
    }
    lookup = await ask(net.resolver)
    assert lookup.answer.chain == ("a.example", "b.example")
    assert lookup.answer.addresses == ("10.0.0.7",)


async def test_links_that_never_end_are_given_up(net: Net) -> None:
    net.names = {f"n{i}.example": DnsResponse(chain=(f"n{i + 1}.example",)) for i in range(200)}
    net.names[NAME] = DnsResponse(chain=("n0.example",))
    lookup = await ask(net.resolver)
    assert lookup.failure is not None
    assert lookup.failure.kind == "no-addresses"
    assert len(lookup.answer.chain) <= 16
    assert len(net.asked) < 80


async def test_a_dangling_chain_is_evidence(net: Net) -> None:
    net.names = {NAME: DnsResponse(chain=("gone.example",), rcode="NXDOMAIN")}
    lookup = await ask(net.resolver)
    assert lookup.failure is not None
    assert lookup.failure.kind == "nxdomain"
    assert lookup.answer.chain == ("gone.example",)
    assert f"{NAME} -> gone.example does not exist" in lookup.failure.says


async def test_a_link_that_is_a_command_is_not_shown(net: Net) -> None:
    net.names = {NAME: DnsResponse(chain=("`reboot`|sh.example",), addresses=("10.0.0.7",))}
    lookup = await ask(net.resolver)
    assert lookup.answer.chain == ("a name that is none",)
    assert lookup.answer.addresses == ("10.0.0.7",)


async def test_a_cut_answer_is_asked_for_again_over_tcp(net: Net) -> None:
    net.names = {NAME: DnsResponse(addresses=tuple(f"10.1.{i}.1" for i in range(120)))}
    lookup = await ask(net.resolver)
    assert lookup.failure is None
    assert len(lookup.answer.addresses) == 32


@pytest.mark.parametrize("first", [None, DnsResponse(rcode="SERVFAIL"), DnsResponse(rcode="REFUSED")])
async def test_the_second_server_helps_where_the_first_does_not(
    net: Net, first: DnsResponse | None, hurried: None
) -> None:
    bad = await net.dns(lambda _: first)
    net.names = {NAME: DnsResponse(addresses=("10.0.0.7",))}
    lookup = await ask(bad, net.resolver)
    assert lookup.failure is None
    assert lookup.answer.resolver == net.resolver


async def test_no_such_name_is_an_answer_and_ends_the_search(net: Net) -> None:
    net.names = {NAME: DnsResponse(addresses=("10.0.0.7",))}
    first = await net.dns(lambda _: DnsResponse(rcode="NXDOMAIN"))
    lookup = await ask(first, net.resolver)
    assert lookup.failure is not None
    assert lookup.failure.kind == "nxdomain"
    assert lookup.answer.resolver == first


async def test_a_bad_answer_is_not_asked_for_again(net: Net) -> None:
    net.names = {NAME: DnsResponse(rcode="SERVFAIL")}
    await ask(net.resolver)
    assert net.asked == [NAME, NAME], "one A and one AAAA query"


async def test_silence_is_asked_again(net: Net, hurried: None) -> None:
    net.names = {NAME: None}
    lookup = await ask(net.resolver)
    assert lookup.failure is not None
    assert lookup.failure.kind == "timeout"
    assert len(net.asked) == 6, "three datagrams each for A and AAAA"


async def test_addresses_of_either_family_count(net: Net) -> None:
    net.names = {NAME: DnsResponse(addresses=("fd00::7",))}
    assert (await ask(net.resolver)).answer.addresses == ("fd00::7",)


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a." * 200, "a..example", "xn--\udc80.example"])
async def test_what_cannot_be_a_name(net: Net, name: str) -> None:
    lookup = await resolve(name, Resolvers((server(net.resolver),)), 1)
    assert lookup.failure is not None
    assert lookup.failure.kind == "nxdomain"
    assert "cannot be a DNS name" in lookup.failure.says


async def test_no_server_at_all() -> None:
    lookup = await ask()
    assert lookup.failure is not None
    assert (lookup.failure.stage, lookup.failure.kind) == (Stage.DNS, "no-resolver")
    assert "--resolver" in lookup.failure.says


async def test_the_hosts_file_is_asked_first(net: Net, tmp_path: Path) -> None:
    hosts, conf = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text(
        f"# 10.9.9.9 {NAME}\nfd00::7 {NAME.upper()} alias # 10.9.9.9\n10.0.0.7\t{NAME}.\nnonsense x\n"
    )
    conf.write_text("search example\nnameserver 10.0.0.53\nnameserver fd00::53\n")
    resolvers = system_resolvers(hosts, conf)
    assert resolvers.nameservers == (Nameserver("10.0.0.53"), Nameserver("fd00::53"))
    lookup = await resolve(NAME, resolvers, 1)
    assert lookup.answer.addresses == ("10.0.0.7", "fd00::7")
    assert lookup.answer.resolver == str(hosts)


@pytest.mark.parametrize("text", ["", "nameserver\n", "nameserver not-an-address\n", "search example\n"])
def test_a_machine_without_usable_servers(tmp_path: Path, text: str) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text(text)
    assert system_resolvers(tmp_path / "absent", conf).nameservers == ()
