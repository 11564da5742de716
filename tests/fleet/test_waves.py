"""Waves, budgets and networks, as an operator and an inventory give them."""

import pytest

from arcferry.errors import InputError
from arcferry.fleet.inventory import Host
from arcferry.fleet.networks import network_of, networks_of
from arcferry.fleet.waves import Amount, amount, stages, waves

HOSTS = [Host(f"web{number:02}", f"10.0.0.{number}") for number in range(1, 21)]

READ = {
    "100%": ["100%"],
    "5%,25%,100%": ["5%", "25%", "100%"],
    "5%, 25%": ["5%", "25%", "100%"],
    "10,200": ["10", "200", "100%"],
    "1,50%,100%": ["1", "50%", "100%"],
}
REFUSED = {
    "": "'' is neither",
    "0": "'0' is neither",
    "101%": "'101%' is neither",
    "5,,9": "'' is neither",
    "half": "'half' is neither",
    "2.5%": "'2.5%' is neither",
    "25%,5%": "5% comes after 25% and is no more",
    "10,10": "10 comes after 10 and is no more",
    "100%,100%": "100% comes after 100% and is no more",
}
STAGED = {
    # how many canaries, waves: how many hosts in each stage
    (0, "100%"): {"wave 1": 20},
    (1, "100%"): {"canary": 1, "wave 1": 19},
    (1, "5%,25%,100%"): {"canary": 1, "wave 2": 4, "wave 3": 15},
    (2, "1,10"): {"canary": 2, "wave 2": 8, "wave 3": 10},
    (0, "1%,50"): {"wave 1": 1, "wave 2": 19},
}
LIMITS = {("3", 20): 3, ("5%", 20): 1, ("5%", 1000): 50, ("1%", 20): 1, ("33%", 3): 1, ("100%", 7): 7}
NETWORKS = [
    (Host("a", "10.1.2.3", site="taipei"), "site taipei"),
    (Host("b", "10.1.2.3"), "subnet 10.1.2.0/24"),
    (Host("c", "fd00:0:0:1::7"), "subnet fd00:0:0:1::/64"),
    (Host("d", "d.Osaka.example."), "domain osaka.example"),
    (Host("e", "web01"), "names without a domain"),
]


@pytest.mark.parametrize(("text", "read"), READ.items(), ids=READ)
def test_waves_as_they_are_written(text: str, read: list[str]) -> None:
    assert list(map(str, waves(text))) == read


@pytest.mark.parametrize(("text", "says"), REFUSED.items(), ids=map(repr, REFUSED))
def test_waves_that_cannot_be_meant(text: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        waves(text)
    assert says.replace("'", "") in refused.value.message.replace("'", "").replace("“", "").replace("”", "")
    assert refused.value.hint


@pytest.mark.parametrize(("asked", "sizes"), STAGED.items(), ids=map(str, STAGED))
def test_each_host_is_in_one_stage(asked: tuple[int, str], sizes: dict[str, int]) -> None:
    canaries = HOSTS[5 : 5 + asked[0]]
    made = list(stages(HOSTS, canaries, waves(asked[1])))
    assert {stage.name: len(stage.hosts) for stage in made} == sizes
    assert sorted(host.name for stage in made for host in stage.hosts) == [host.name for host in HOSTS]
    others = [host for stage in made for host in stage.hosts if host not in canaries]
    assert others == [host for host in HOSTS if host not in canaries]


@pytest.mark.parametrize(("asked", "limit"), LIMITS.items(), ids=map(str, LIMITS))
def test_a_budget(asked: tuple[str, int], limit: int) -> None:
    assert amount(asked[0], "--max-failures").least(asked[1]) == limit


def test_an_amount_of_few_is_one_at_least() -> None:
    assert [Amount(5, percent=True).of(total) for total in (1, 3, 21, 100)] == [1, 1, 2, 5]


@pytest.mark.parametrize(("host", "network"), NETWORKS, ids=[network for _, network in NETWORKS])
def test_the_network_that_a_host_stands_in(host: Host, network: str) -> None:
    assert network_of(host) == network


def test_networks_keep_the_inventory_s_order() -> None:
    hosts = [Host("a", "10.0.0.9"), Host("b", "10.0.1.1"), Host("c", "10.0.0.1")]
    found = networks_of(hosts)
    assert {name: [host.name for host in members] for name, members in found.items()} == {
        "subnet 10.0.0.0/24": ["a", "c"],
        "subnet 10.0.1.0/24": ["b"],
    }
