"""Whose a machine in Azure is, before anything is taken away: decisions without any host."""

from dataclasses import replace

import pytest

from arcferry import azure
from arcferry.azure import Machine
from arcferry.fleet.errands.errand import Errand, HostNow, Wishes
from arcferry.fleet.errands.leaving import OFFBOARD, UNINSTALL
from arcferry.fleet.host_state import Action, HostAgent, HostFacts
from arcferry.fleet.inventory import Host

GUID = "11111111-1111-4111-8111-111111111111"
VM_ID = "aaaaaaaa-2222-3333-4444-555555555555"
TARGET = azure.target(
    cloud="AzureCloud", tenant_id=GUID, subscription_id=GUID, resource_group="rg", location="eastasia"
)
HOST = Host("web01", "web01.corp.example", tags={"site": "tpe"})
AGENT = HostAgent(
    installed=True, status="Connected", resource_id=TARGET.machine_id("web01"), vm_id=VM_ID, vm_uuid="F1"
)
FACTS = HostFacts(
    os="linux", hostname="web01", distro="", arch="x86_64", package_format="deb", systemd=True,
    disk_free=None, opt_free=None, azure_vm=False, skew=None, agent=AGENT, root=True, vm_uuid="F1",
)  # fmt: skip
MACHINE = Machine(
    "web01", AGENT.resource_id, "Connected", VM_ID, "eastasia", "1.67", "", "web01.corp.example", None,
    {"Site": "tpe"}, "F1",
)  # fmt: skip
SILENT = replace(MACHINE, status="Disconnected")
HERE = HostNow(HOST, TARGET, Wishes(), FACTS, MACHINE, azure_known=True)
GONE = HostNow(HOST, TARGET, Wishes(only_azure=True), None, SILENT, azure_known=True)


def told(now: HostNow, errand: Errand = OFFBOARD) -> str:
    """Why it is left alone; empty where it is not."""
    return next((one.why for _, one in errand.decide(now) if one.action is Action.BLOCK), "")


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (HERE, ""),
        (replace(HERE, machine=None), ""),
        (replace(HERE, machine=replace(MACHINE, kind="HCI")), "of the kind HCI"),
        (replace(HERE, facts=replace(FACTS, azure_local=True)), "Azure Local"),
        (replace(HERE, machine=replace(MACHINE, vm_uuid="F2")), "not provably this server's"),
        (replace(HERE, facts=replace(FACTS, root=False)), "no administrator"),
        (replace(HERE, facts=replace(FACTS, agent=HostAgent())), "Azure shows web01 Connected"),
        (replace(HERE, facts=replace(FACTS, agent=HostAgent()), machine=SILENT), ""),
        (replace(HERE, machine=SILENT, extensions=("one",)), "Azure does not hear from it"),
        (
            replace(HERE, machine=SILENT, extensions=("one",), wishes=Wishes(keep_extensions=True)),
            "",
        ),
        (GONE, ""),
        (replace(GONE, machine=None), ""),
        (replace(GONE, machine=MACHINE), "a server answers for it"),
        (replace(GONE, machine=replace(SILENT, kind="VMware")), "of the kind VMware"),
        (replace(GONE, machine=replace(SILENT, fqdn="db01.corp.example")), "it is of db01.corp.example"),
        (replace(GONE, machine=replace(SILENT, fqdn="")), "a server without a name"),
        (replace(GONE, machine=replace(SILENT, tags={"site": "khh"})), "lacks the row's tags site"),
        (replace(GONE, host=replace(HOST, tags={})), "no tags"),
        (replace(GONE, host=replace(HOST, tags={}), wishes=Wishes(only_azure=True, vm_id=VM_ID.upper())), ""),
        (replace(GONE, wishes=Wishes(only_azure=True, vm_id=GUID)), f"has the vmId {VM_ID}"),
    ],
)
def test_what_is_not_provably_meant_is_left_alone(now: HostNow, says: str) -> None:
    why = told(now)
    assert bool(why) == bool(says), why
    assert says in why


@pytest.mark.parametrize("kind", ["HCI", "VMware", "SCVMM", "AVS", "EPS", "AWS", "GCP"])
@pytest.mark.parametrize(
    "now",
    [HERE, GONE, replace(GONE, wishes=Wishes(only_azure=True, vm_id=VM_ID))],
    ids=["answering", "gone", "named by its vmId"],
)
def test_a_machine_that_another_service_made_is_left_however_it_is_meant(now: HostNow, kind: str) -> None:
    assert now.machine is not None
    assert f"of the kind {kind}" in told(replace(now, machine=replace(now.machine, kind=kind)))


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (HERE, "its agent is connected to"),
        (replace(HERE, facts=replace(FACTS, agent=HostAgent(installed=True, vm_id=VM_ID))), "still in Azure"),
        (replace(HERE, facts=replace(FACTS, agent=HostAgent(installed=True)), machine=None), ""),
        (
            replace(
                HERE,
                facts=replace(FACTS, agent=HostAgent(installed=True), vm_uuid="F3"),
                machine=replace(MACHINE, fqdn="db01.corp.example"),
            ),
            "",
        ),
        (replace(HERE, facts=replace(FACTS, root=False)), "no administrator"),
    ],
    ids=["connected", "in Azure", "out", "another's machine of that name", "no administrator"],
)
def test_an_agent_is_removed_only_from_a_server_that_is_out(now: HostNow, says: str) -> None:
    why = told(now, UNINSTALL)
    assert bool(why) == bool(says), why
    assert says in why
