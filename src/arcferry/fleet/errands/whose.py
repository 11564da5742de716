"""Whose a server and a machine are: what must be true before an errand touches either."""

from arcferry.azure import Machine
from arcferry.fleet.errands.errand import HostNow
from arcferry.fleet.host_state import Decision, block
from arcferry.fleet.steps.leave import is_at_rest, is_own, of_another_service, place_of
from arcferry.text import one_line


def no_administrator(now: HostNow) -> Decision | None:
    """Whether what was asked may not do everything on the server."""
    if now.facts is None or now.facts.root is not False:
        return None
    return block("the user is no administrator there", "Name another user.")


def elsewhere(now: HostNow) -> Decision | None:
    """Whether the agent holds another machine than the one that the inventory means."""
    agent = now.agent
    if not agent.has_machine or now.connected_here:
        return None
    differs = place_of(agent, now.target, now.host.name)
    return block(
        f"its agent is connected to {agent.resource_id or agent.resource_name}, which is another {differs}",
        "It is not this inventory's: name the group and subscription that it is in, or take it out.",
    )


def answering_guard(now: HostNow) -> Decision | None:
    """Why a server that answers, or its machine, must be left alone."""
    if blocked := now.objection or no_administrator(now) or elsewhere(now):
        return blocked
    facts, machine = now.facts, now.machine
    if why := of_another_service(machine, facts):
        return block(why, "Take it out of the inventory.")
    if machine is None or facts is None:
        return None
    if not is_own(machine, facts, now.agent):
        return block(
            f"the machine {machine.name} in Azure is not provably this server's: there it is "
            f"{machine.fqdn or 'without a name'}, vmId {machine.vm_id or 'unknown'}, vmUuid "
            f"{machine.vm_uuid or 'unknown'}; here vmId {now.agent.vm_id or 'none'}, vmUuid "
            f"{facts.vm_uuid or 'unknown'}",
            "Another server's or another tool's machine may have this name: look at it in Azure.",
        )
    if not now.agent.has_machine and not is_at_rest(machine):
        return block(
            f"its agent holds no machine, and Azure shows {machine.name} {machine.status or 'in no state'}",
            "If the agent was disconnected just now, wait a quarter of an hour until Azure shows it "
            "Disconnected. Else another server with the same ids, a clone, answers for it.",
        )
    return None


def machine_guard(now: HostNow, machine: Machine | None = None) -> Decision | None:
    """Why a machine must be left alone whose server is not asked, since it is gone.

    Azure alone speaks for it: so it must be silent, and either be known by its vmId or be called as its row
    says and carry the row's tags.
    """
    machine = machine or now.machine
    if machine is None:
        return None
    if why := of_another_service(machine, None):
        return block(why, "Take it out of the inventory.")
    if not is_at_rest(machine):
        return block(
            f"{machine.name} is {machine.status or 'without a status'} in Azure: a server answers for it",
            "Run arcferry offboard without --only-azure, so that the server is disconnected first.",
        )
    why = _unproved(now, machine)
    if not why:
        return None
    return block(
        f"nothing proves that {machine.name} is the inventory's: {one_line(why, limit=200)}",
        f"If it is, name it by its id: arcferry offboard --machine NAME --vm-id {machine.vm_id or 'GUID'}",
    )


def _unproved(now: HostNow, machine: Machine) -> str:
    host, vm_id = now.host, now.wishes.vm_id
    if vm_id:
        same = machine.vm_id.lower() == vm_id.lower()
        return "" if same else f"it has the vmId {machine.vm_id or 'unknown'}, and not {vm_id}"
    short = machine.fqdn.partition(".")[0].lower()
    own = {host.name.lower(), host.name.partition(".")[0].lower(), host.address.lower()}
    if not own & {short, machine.fqdn.lower()} or not short:
        return f"it is of {machine.fqdn or 'a server without a name'}"
    if not host.tags:
        return "its row has no tags that it could carry"
    carried = {key.casefold(): value for key, value in machine.tags.items()}
    missing = [key for key, value in host.tags.items() if carried.get(key.casefold()) != value]
    return f"it lacks the row's tags {', '.join(missing)}" if missing else ""
