"""Everything that promises to change nothing, by the requests that it sends: listed at the twin's wire."""

import asyncio
import re
import sys
from copy import deepcopy
from dataclasses import dataclass, field

import pytest

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry_lab.azure.ids import CIRCUIT
from arcferry_lab.azure.state import ROUTE_FILTER, Call

from .conftest import Fleet, ended

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.timeout(400)]

PEERING = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/expressRouteCircuits/[^/]+"
READING: tuple[tuple[Carrier, str, str], ...] = (
    (Carrier.ARM, "GET|HEAD", ".*"),
    (Carrier.ARM, "POST", r"/providers/Microsoft\.ResourceGraph/resources"),
    (
        Carrier.ARM,
        "POST",
        PEERING + r"/peerings/[^/]+/(routeTables|routeTablesSummary|arpTables|stats)/[^/]+",
    ),
    (Carrier.ENTRA, "POST", "/[^/]+/oauth2/v2.0/token"),
)
"""All that may be sent to Resource Manager and Entra: what reads, and the request for a token."""

PROBING = (*READING, (Carrier.ENTRA, "GET", "/"))
"""A check looks at every endpoint's front page, without a token: it is reached by that, and no more."""


def unknown(calls: list[Call], allowed: tuple[tuple[Carrier, str, str], ...]) -> list[str]:
    """The requests that no row of the table allows; to other services, whatever is no GET."""
    found = []
    for call in calls:
        endpoint = catalog.endpoint_named(call.host)
        carrier = endpoint.carrier if endpoint else None
        rows = [row for row in allowed if row[0] is carrier]
        if carrier not in {Carrier.ARM, Carrier.ENTRA}:
            rows = [(Carrier.REGIONAL, "GET|HEAD", ".*")]
        good = any(
            re.fullmatch(method, call.method) and re.fullmatch(path, call.path, re.IGNORECASE)
            for _, method, path in rows
        )
        if not good:
            found.append(f"{call.method} {call.host}{call.path}")
    return found


@dataclass(frozen=True)
class Asking:
    """A command line, and whether it reaches Azure at all.

    Words in capitals stand for the twin's own files and names.
    """

    words: str
    asks: bool
    allowed: tuple[tuple[Carrier, str, str], ...] = field(default=READING)


COMMANDS = {
    "onboard plan": Asking("onboard plan INVENTORY", True),
    "upgrade": Asking("upgrade INVENTORY", True),
    "offboard": Asking("offboard INVENTORY", True),
    "set-tags": Asking("set-tags INVENTORY --tags a=b", True),
    "azure preflight": Asking("azure preflight INVENTORY", True),
    "onboard status": Asking("onboard status", False),
    "check": Asking("check --location eastasia", True, PROBING),
    "explain": Asking("explain AZCM0026", False),
    "explain files": Asking("explain FILTER CIRCUIT TAGS", False),
    "routes plan": Asking("routes plan --location eastasia --route-filter FILTER", False),
    "routes firewall": Asking("routes firewall --location eastasia --service-tags TAGS", False),
    "routes audit": Asking("routes audit --location eastasia CIRCUIT FILTER", False),
    "watch": Asking("watch --location eastasia --rounds 1", True, PROBING),
    "watch show": Asking("watch show", False),
    "watch status": Asking("watch status", False),
    "watch install": Asking("watch install --location eastasia --run-as arcferry", False),
    "data update": Asking("data update --only community-list --route-filter RF --circuit ER", True),
    "data show": Asking("data show", False),
    "bundle build --fetch": Asking(
        "bundle build --out OUT --key KEY --fetch data --location eastasia --circuit ER --service-tags TAGS "
        "--agent AGENT",
        True,
    ),
    "bundle verify": Asking("bundle verify BUNDLE --key PUBLIC", False),
    "collect": Asking("collect SHARE", True),
    "export": Asking(
        "export script --bundle BUNDLE --key PUBLIC --out EXPORTED --share /mnt/s --token-file /run/token",
        False,
    ),
}


def words(fleet: Fleet, text: str) -> list[str]:
    paths, sealed = fleet.twin.paths, fleet.sealed
    share = fleet.folder / "share"
    share.mkdir(exist_ok=True)
    (share / "server01.json").write_text("{}")
    tags = fleet.folder / "ServiceTags_Public_20261123.json"
    tags.write_bytes(paths.service_tags.read_bytes())
    stand_for = {
        "INVENTORY": paths.inventory,
        "FILTER": paths.route_filter,
        "CIRCUIT": paths.circuit,
        "TAGS": tags,
        "RF": ROUTE_FILTER,
        "ER": CIRCUIT,
        "OUT": fleet.folder / "out",
        "EXPORTED": fleet.folder / "exported",
        "KEY": sealed.key,
        "PUBLIC": sealed.public_key,
        "BUNDLE": sealed.path,
        "AGENT": next(sealed.path.parent.glob("*.deb")),
        "SHARE": share,
    }
    return [str(stand_for.get(word, word)) for word in text.split()]


@pytest.mark.parametrize("fault", ["", "arm/provider-not-registered"])
async def test_what_promises_to_change_nothing_only_reads(fleet: Fleet, fault: str) -> None:
    """In one run for all, as they are used: two hosts are new, one was connected by somebody else."""
    azure = fleet.twin.azure
    one = fleet.folder / "one.csv"
    one.write_text("\n".join(fleet.twin.paths.inventory.read_text().splitlines()[:2]) + "\n")
    assert (await fleet.run("apply", inventory=one)).code == 0
    if fault:
        await fleet.twin.add_fault(fault)
    network = fleet.twin.network
    environment = fleet.environment() | {
        "ARCFERRY_RESOLVER": network.resolver,
        "ARCFERRY_PORT": str(network.port),
        "ARCFERRY_DATA": str(fleet.folder / "data"),
        "ARCFERRY_DOWNLOADS": str(fleet.folder / "downloads"),
    }
    for name, asking in COMMANDS.items():
        if fault and not asking.asks:
            continue
        before = deepcopy((azure.registered, azure.groups, sorted(azure.machines), azure.communities))
        tags = {key: (machine.tags, machine.properties) for key, machine in deepcopy(azure.machines).items()}
        azure.journal.clear()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "arcferry", *words(fleet, asking.words),
            env=environment, cwd=fleet.folder,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        # What waits for Azure without end is stopped, so that its requests can be told.
        end = asyncio.get_running_loop().call_later(90, process.kill)
        done = await ended(process)
        end.cancel()
        # Heartbeats are the connected host's own.
        calls = [call for call in azure.journal if "heartbeat" not in call.path.lower()]
        assert unknown(calls, asking.allowed) == [], name
        assert bool(calls) == asking.asks, (name, done.err)
        assert done.code not in {2, -9}, (name, done.err)
        assert (azure.registered, azure.groups, sorted(azure.machines), azure.communities) == before, name
        assert tags == {key: (one.tags, one.properties) for key, one in azure.machines.items()}, name
        if asking.asks and fault and "plan" in name:
            assert "az provider register --namespace Microsoft.HybridCompute" in done.err
