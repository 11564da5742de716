"""Where in Azure a host goes: its row says it before its site, and its site before the run."""

from pathlib import Path

import pytest

from arcferry import azure
from arcferry.cli.azure_options import ConnectOptions
from arcferry.cli.onboard_options import with_options
from arcferry.errors import FileInputError, InputError
from arcferry.fleet.inventory import Host, Reading, read_inventory
from arcferry.fleet.networks import networks_of
from arcferry.fleet.place import EVERYWHERE, Place, target_of
from arcferry.fleet.steps.connect import connect_options

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SCOPE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-net/providers/Microsoft.HybridCompute/"
    "privateLinkScopes/pls"
)
SITES = f"""\
sites:
  taipei: {{location: East Asia, resource_group: rg-tpe, proxy: 'http://proxy.tpe.example:8080'}}
  osaka:
    location: japaneast
    private_link_scope: {SCOPE}
hosts:
- {{name: web01, site: taipei}}
- {{name: web02, site: taipei, resource_group: rg-web, subscription: {SUBSCRIPTION.upper()}}}
- {{name: web03, site: osaka}}
- {{name: web04}}
"""


def test_row_before_site_before_run(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(SITES)
    proxy = "http://proxy.tpe.example:8080"
    assert [host.place for host in read_inventory(path).hosts] == [
        Place("eastasia", "rg-tpe", proxy=proxy),
        Place("eastasia", "rg-web", SUBSCRIPTION, proxy),
        Place("japaneast", private_link_scope=SCOPE),
        EVERYWHERE,
    ]


def test_an_option_is_for_hosts_that_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(SITES)
    runs, gateway = SCOPE.replace("/pls", "/of-the-run"), SCOPE.replace("privateLinkScopes/pls", "gateways/g")
    given = ConnectOptions(private_link_scope=runs, gateway_id=gateway)
    hosts = with_options(read_inventory(path), given).hosts
    assert [host.place.private_link_scope for host in hosts] == [runs, runs, SCOPE, runs]
    assert {host.place.gateway_id for host in hosts} == {gateway}
    for option, value in (("private_link_scope", "pls"), ("gateway_id", SCOPE)):
        with pytest.raises(InputError, match=f"--{option.replace('_', '-')} '.*' is not the ARM id of a"):
            with_options(read_inventory(path), ConnectOptions(**{option: value}))


def test_a_host_begins_within_its_own_window_or_its_sites(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(
        "sites:\n  taipei: {window: 'Sat 22:00-05:00 Asia/Taipei'}\nhosts:\n- {name: a, site: taipei}\n"
        "- {name: b, site: taipei, window: 'daily 01:00-04:00 UTC'}\n- {name: c}\n"
    )
    windows = [host.window.text if host.window else "" for host in read_inventory(path).hosts]
    assert windows == ["Sat 22:00-05:00 Asia/Taipei", "daily 01:00-04:00 UTC", ""]


def test_a_table_has_the_same_columns(tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    path.write_text("name,location,resource_group\nweb01,東亞,rg-a\nweb02,,\n")
    first, second = read_inventory(path).hosts
    assert (first.place, second.place) == (Place("eastasia", "rg-a"), EVERYWHERE)
    assert first.identity()["place"] == {"location": "eastasia", "resource_group": "rg-a"}
    assert "place" not in second.identity()


REFUSED = {
    "location": (
        "a.csv",
        "name,location\na,eastasai\n",
        2,
        "unknown location 'eastasai'. Did you mean eastasia",
    ),
    "another cloud's": ("a.csv", "name,location\na,usgovvirginia\n", 2, "AzureUSGovernment"),
    "group": ("a.csv", "name,resource_group\na,rg/a\n", 2, "resource_group 'rg/a' is not a name"),
    "subscription": ("a.csv", "name,subscription\na,Production\n", 2, "'Production' is not a GUID"),
    "scope": ("a.csv", "name,private_link_scope\na,pls\n", 2, "'pls' is not the ARM id"),
    "proxy": ("a.csv", "name,proxy\na,proxy:8080\n", 2, "proxy is not http://HOST:PORT"),
    "site's location": ("a.yaml", "sites:\n  x: {location: y}\nhosts:\n- name: a\n", 2, "site 'x': unknown"),
    "site's key": ("a.yaml", "sites:\n  x: {locaton: y}\nhosts:\n- name: a\n", 2, "unknown column 'locaton'"),
    "site of nobody": (
        "a.yaml",
        "sites:\n  taipei: {location: eastasia}\nhosts:\n- {name: a, site: taipai}\n",
        4,
        "site 'taipai' is none of `sites`; did you mean taipei?",
    ),
    "window": ("a.csv", "name,window\na,Sat 22-05\n", 2, "'Sat 22-05'"),
    "site's window": (
        "a.yaml",
        "sites:\n  x: {window: y}\nhosts:\n- name: a\n",
        2,
        "site 'x': 'y' is no window",
    ),
    "sites in a list": ("a.yaml", "sites: [x]\nhosts:\n- name: a\n", 1, "sites is not a mapping"),
    "site without a mapping": (
        "a.yaml",
        "sites:\n  x: y\nhosts:\n- name: a\n",
        2,
        "site 'x' is not a mapping",
    ),
    "sites alone": ("a.yaml", "sites:\n  x: {location: eastasia}\n", 1, "nor `hosts:`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_place_that_cannot_be_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    name, text, line, says = REFUSED[case]
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FileInputError) as caught:
        read_inventory(path)
    assert caught.value.line == line, caught.value.message
    assert says in caught.value.message


def test_a_proxys_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,proxy\na,http://me:hunter2@proxy.example:8080\n")
    with pytest.raises(FileInputError, match="holds a user, and the agent knows none") as caught:
        read_inventory(path)
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_location_is_one_of_the_runs_cloud(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,location\na,USGov Virginia\n")
    (host,) = read_inventory(path, Reading(cloud="AzureUSGovernment")).hosts
    assert host.place.location == "usgovvirginia"


def test_a_machine_joins_its_hosts_private_link_scope() -> None:
    target = azure.target(
        cloud="AzureCloud",
        tenant_id=SUBSCRIPTION,
        subscription_id=SUBSCRIPTION,
        resource_group="rg-arc",
        location="eastasia",
    )
    host = Host("web01", "web01", place=Place("japaneast", "rg-osaka", private_link_scope=SCOPE))
    options = connect_options(target_of(target, host.place), host)
    assert options["private-link-scope"] == SCOPE
    assert (options["location"], options["resource-group"]) == ("japaneast", "rg-osaka")
    assert "private-link-scope" not in connect_options(target, Host("web02", "web02"))


def test_hosts_side_by_side_with_paths_of_their_own_prove_them_apart() -> None:
    places = (
        EVERYWHERE,
        Place("japaneast"),
        Place(proxy="http://proxy:8080"),
        Place(private_link_scope=SCOPE),
        Place(resource_group="rg-osaka"),
    )
    hosts = [Host(f"web0{number}", f"10.0.0.{number}", place=place) for number, place in enumerate(places)]
    assert {network: [host.name for host in found] for network, found in networks_of(hosts).items()} == {
        "subnet 10.0.0.0/24": ["web00", "web04"],
        "subnet 10.0.0.0/24, to japaneast": ["web01"],
        "subnet 10.0.0.0/24, by http://proxy:8080": ["web02"],
        "subnet 10.0.0.0/24, with private link scope pls": ["web03"],
    }
