"""What each step decides, over hosts as they can be found."""

from dataclasses import replace
from typing import Any

import pytest

from arcferry.azure import AzureTarget, target
from arcferry.fleet.host_state import HostAgent, HostFacts, HostState, MachineSummary, payload_for
from arcferry.fleet.inventory import Host
from arcferry.fleet.inventory.tags import tags_text
from arcferry.fleet.pipeline import decide
from arcferry.fleet.steps.connect import connect_options

from .conftest import Sealed

SUBSCRIPTION = "a66c9f65-b9e8-42c7-8f93-9d69638e80fd"
TARGET: AzureTarget = target(
    cloud="AzureCloud",
    tenant_id="contoso.example",
    subscription_id=SUBSCRIPTION,
    resource_group="rg-arc",
    location="eastasia",
)
HOST = Host("web01", "10.0.0.1")
BARE = HostFacts(
    os="linux",
    hostname="web01",
    distro="Debian GNU/Linux 12",
    arch="x86_64",
    package_format="deb",
    systemd=True,
    disk_free=10**10,
    opt_free=10**10,
    azure_vm=False,
    skew=0.0,
    agent=HostAgent(),
)
INSTALLED = HostAgent(installed=True, version="1.67.0")
CONNECTED = replace(
    INSTALLED,
    status="Connected",
    resource_id=TARGET.machine_id("WEB01").upper(),
    vm_id="v",
    resource_name="web01",
)
SEEN = MachineSummary("Connected", "v", "")


def situation(
    sealed: Sealed,
    facts: HostFacts = BARE,
    *,
    machine: MachineSummary | None = None,
    azure_known: bool = True,
    azure_error: str = "",
    finished: frozenset[str] = frozenset(),
    begun: frozenset[str] = frozenset(),
) -> HostState:
    packed = payload_for(sealed.open(), facts)
    return HostState(HOST, facts, TARGET, packed, machine, azure_known, azure_error, finished, begun)


def verdicts(found: HostState) -> dict[str, str]:
    return {step.name: decision.action.value for step, decision in decide(found)}


def blocks(found: HostState) -> list[tuple[str, str, str]]:
    return [
        (step.name, decision.why, decision.hint)
        for step, decision in decide(found)
        if decision.action.value == "block"
    ]


RUN_ALL = dict.fromkeys(("stage", "verify", "install", "check", "connect", "verified"), "run")


def test_a_bare_host_gets_everything(sealed: Sealed) -> None:
    assert verdicts(situation(sealed)) == RUN_ALL


def test_an_installed_agent_is_not_installed_again(sealed: Sealed) -> None:
    found = situation(sealed, replace(BARE, agent=INSTALLED))
    assert verdicts(found) == RUN_ALL | {"verify": "skip", "install": "skip"}


def test_an_older_agent_is_upgraded(sealed: Sealed) -> None:
    found = situation(sealed, replace(BARE, agent=replace(INSTALLED, version="1.40.0")))
    assert verdicts(found) == RUN_ALL


def test_a_connected_host_is_only_verified(sealed: Sealed) -> None:
    found = situation(sealed, replace(BARE, agent=CONNECTED), machine=SEEN)
    assert verdicts(found) == dict.fromkeys(RUN_ALL, "skip") | {"verified": "run"}


def test_a_connected_host_with_a_newer_agent_is_left_alone(sealed: Sealed) -> None:
    newer = replace(CONNECTED, version="1.99.0")
    found = situation(sealed, replace(BARE, agent=newer), machine=SEEN)
    assert verdicts(found)["install"] == "skip"


def test_staged_files_count_only_with_the_right_hash(sealed: Sealed) -> None:
    files = situation(sealed).payload.files
    right = {file.name: file.sha256 for file in files}
    assert verdicts(situation(sealed, replace(BARE, staged=right)))["stage"] == "skip"
    wrong = right | {files[1].name: "0" * 64}
    assert verdicts(situation(sealed, replace(BARE, staged=wrong)))["stage"] == "run"


def test_a_check_that_passed_before_is_not_repeated(sealed: Sealed) -> None:
    assert verdicts(situation(sealed, finished=frozenset({"check"})))["check"] == "skip"


def test_a_machine_left_by_our_own_broken_connect_is_no_hindrance(sealed: Sealed) -> None:
    waiting = MachineSummary("AwaitingConnection", "x", "")
    assert blocks(situation(sealed, machine=waiting))[0][0] == "connect"
    assert blocks(situation(sealed, machine=waiting, begun=frozenset({"connect"}))) == []


BLOCKED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "azure vm": ({"azure_vm": True}, "stage", "Azure virtual machine", "out of the inventory"),
    "other system": ({"os": "freebsd"}, "stage", "freebsd", ""),
    "no system": ({"os": ""}, "stage", "unknown", ""),
    "processor": ({"arch": "ppc64le"}, "stage", "ppc64le", ""),
    "no package manager": ({"package_format": "none"}, "stage", "neither dpkg nor rpm", ""),
    "no package for it": ({"package_format": "rpm"}, "stage", "no agent as rpm", "bundle build"),
    "not for this processor": ({"arch": "aarch64"}, "stage", "no agent as deb for aarch64", ""),
    "small /var": ({"disk_free": 1000}, "stage", "1000 bytes free under /var", "Free space"),
    "small /opt": ({"opt_free": 5_000_000}, "stage", "5.0 MB free under /opt", "Free space"),
    "newer agent": ({"agent": replace(INSTALLED, version="1.70.1")}, "install", "1.70.1", "newer agent"),
    "elsewhere": (
        {"agent": replace(INSTALLED, resource_id=TARGET.machine_id("web01").replace("rg-arc", "rg-old"))},
        "connect",
        "rg-old",
        "apply with --reconnect",
    ),
    "other name": (
        {"agent": replace(INSTALLED, resource_id=TARGET.machine_id("web02"))},
        "connect",
        "web02",
        "apply with --reconnect",
    ),
    "clock ahead": ({"skew": 301.0}, "connect", "301 s ahead", "NTP"),
    "clock behind": ({"skew": -4000.0}, "connect", "4000 s behind", "NTP"),
    "expired": (
        {"agent": replace(CONNECTED, status="Expired")},
        "connect",
        "expired",
        "Apply with --reconnect",
    ),
    "gone from ARM": ({"agent": CONNECTED}, "connect", "no longer has", "--force-local-only"),
}


SERVER = HostFacts(
    os="windows",
    hostname="WIN01",
    distro="Windows Server 2022 Datacenter",
    arch="amd64",
    package_format="msi",
    systemd=False,
    disk_free=10**10,
    opt_free=10**10,
    azure_vm=None,
    skew=0.0,
    agent=HostAgent(),
    root=True,
    dotnet="4.8.04161",
)


def test_a_bare_windows_host_gets_everything(with_msi: Sealed) -> None:
    found = situation(with_msi, SERVER)
    assert verdicts(found) == RUN_ALL
    assert [found.payload.staged(file).rpartition("\\")[2] for file in found.payload.files] == [
        "windows.ps1",
        "windows-network.ps1",
        "AzureConnectedMachineAgent.msi",
    ]
    assert found.payload.folder == rf"C:\Program Files\arcferry\{found.payload.bundle_id}"


def test_what_an_installation_there_meets_is_told_and_no_hindrance(with_msi: Sealed) -> None:
    found = situation(with_msi, replace(SERVER, busy=True, restart_pending=True))
    why = next(decision.why for step, decision in decide(found) if step.name == "install")
    assert (
        why == "agent 1.67.0; another installation runs there, and is waited for; a restart is pending there"
    )


BLOCKED_WINDOWS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "azure vm": ({"azure_vm": True}, "stage", "Azure virtual machine", "out of the inventory"),
    "azure local": ({"azure_local": True}, "stage", "it is Azure Local", "out of the inventory"),
    "32 bits": ({"arch": "x86"}, "stage", "its processor is x86; the agent is made for x86_64", ""),
    "on ARM": ({"arch": "arm64"}, "stage", "its processor is arm64", ""),
    "no administrator": ({"root": False}, "stage", "no administrator", "group Administrators"),
    "no .NET": ({"dotnet": ""}, "stage", "too old, and the host script needs 4.5", "4.5 or newer"),
    "an old .NET": ({"dotnet": "4.0.30319"}, "stage", "4.0.30319, and the host script needs 4.5", ""),
    "full disk": ({"disk_free": 1000}, "stage", r"1000 bytes free under C:\Windows", "Free space"),
    "claims a deb": ({"package_format": "deb"}, "stage", "neither Windows Installer", ""),
    "clock": ({"skew": 400.0}, "connect", "400 s ahead", "NTP"),
}


@pytest.mark.parametrize("case", BLOCKED_WINDOWS)
def test_a_windows_host_that_is_blocked(with_msi: Sealed, case: str) -> None:
    changes, step, why, hint = BLOCKED_WINDOWS[case]
    found = blocks(situation(with_msi, replace(SERVER, **changes)))
    assert [name for name, _, _ in found] == [step]
    assert why in found[0][1]
    assert hint in found[0][2]


def test_a_bundle_without_the_msi(sealed: Sealed) -> None:
    found = blocks(situation(sealed, SERVER))
    assert found[0][1] == "the bundle holds no agent as msi for amd64"


@pytest.mark.parametrize("case", BLOCKED)
def test_blocked(sealed: Sealed, case: str) -> None:
    changes, step, why, hint = BLOCKED[case]
    found = blocks(situation(sealed, replace(BARE, **changes)))
    assert [name for name, _, _ in found] == [step]
    assert why in found[0][1]
    assert hint in found[0][2]


ELSEWHERE = replace(
    INSTALLED,
    resource_id=TARGET.machine_id("web02").replace("rg-arc", "rg-old"),
    tenant_id="11111111-2222-3333-4444-555555555555",
)
ANEW = {
    "elsewhere": ELSEWHERE,
    "expired": replace(CONNECTED, status="Expired"),
    "gone from ARM": CONNECTED,
}


@pytest.mark.parametrize("case", ANEW)
def test_what_is_connected_anew_where_that_was_asked_for(sealed: Sealed, case: str) -> None:
    found = replace(situation(sealed, replace(BARE, agent=ANEW[case])), reconnect=True)
    assert verdicts(found) == RUN_ALL | {"verify": "skip", "install": "skip"}
    connect = next(decision.why for step, decision in decide(found) if step.name == "connect")
    assert connect == f"disconnected from {ANEW[case].resource_id}, then as web01 in rg-arc"


def test_a_healthy_connection_is_left_alone_also_then(sealed: Sealed) -> None:
    found = replace(situation(sealed, replace(BARE, agent=CONNECTED), machine=SEEN), reconnect=True)
    assert verdicts(found) == dict.fromkeys(RUN_ALL, "skip") | {"verified": "run"}


def test_what_is_another_is_said_in_words(sealed: Sealed) -> None:
    wanted = replace(TARGET, tenant_id="22222222-2222-3333-4444-555555555555")
    found = replace(situation(sealed, replace(BARE, agent=ELSEWHERE)), target=wanted)
    ((_, why, _),) = blocks(found)
    assert why.endswith(
        "which is another tenant 11111111-2222-3333-4444-555555555555, resource group rg-old, name web02"
    )


FIRMWARE = "4c4c4544-0043-4a10-8052-b4c04f4d3333"
LEFTOVERS = {
    "its own": (MachineSummary("Disconnected", "old", "", FIRMWARE.upper()), True),
    "its own, expired": (MachineSummary("Expired", "old", "", FIRMWARE), True),
    "alive": (MachineSummary("Connected", "old", "", FIRMWARE), False),
    "of no status": (MachineSummary("", "old", "", FIRMWARE), False),
    "another's": (MachineSummary("Disconnected", "old", "", FIRMWARE.replace("4c", "5c")), False),
    "of nobody known": (MachineSummary("Disconnected", "old", ""), False),
}


@pytest.mark.parametrize("case", LEFTOVERS)
def test_only_a_leftover_that_is_provably_its_own_may_be_taken(sealed: Sealed, case: str) -> None:
    machine, own = LEFTOVERS[case]
    found = situation(sealed, replace(BARE, vm_uuid=FIRMWARE), machine=machine)
    if own:
        assert verdicts(found) == RUN_ALL
        return
    ((step, why, hint),) = blocks(found)
    assert step == "connect"
    assert "ARM has a machine web01 already" in why
    assert f"in subscription {SUBSCRIPTION} runs: az resource delete --resource-group rg-arc" in hint
    assert hint.endswith("--resource-type Microsoft.HybridCompute/machines --name web01")


def test_a_small_skew_is_no_hindrance(sealed: Sealed) -> None:
    assert blocks(situation(sealed, replace(BARE, skew=-299.0))) == []


def test_a_plan_without_azure_does_not_claim_that_the_machine_is_gone(sealed: Sealed) -> None:
    assert blocks(situation(sealed, replace(BARE, agent=CONNECTED), azure_known=False)) == []


def test_a_machine_that_azure_does_not_show_is_not_gone(sealed: Sealed) -> None:
    found = situation(
        sealed, replace(BARE, agent=CONNECTED), azure_known=False, azure_error="Azure answered 403"
    )
    connect = next(decision for step, decision in decide(found) if step.name == "connect")
    assert (connect.action.value, connect.hint) == ("skip", "")
    assert connect.why.endswith("Azure does not show it: Azure answered 403")


def test_options_hold_no_secret_and_tags_are_quoted() -> None:
    host = Host("web01", "10.0.0.1", tags={"env": "prod", "owner": "web 'n' team, \\ one"})
    options = connect_options(TARGET, host)
    assert options["tags"] == r"env=prod,owner='web \'n\' team, \\ one'"
    assert set(options) == {
        "subscription-id",
        "resource-group",
        "tenant-id",
        "location",
        "cloud",
        "resource-name",
        "tags",
    }
    assert tags_text({"a": ""}) == "a=''"
