"""Commands for servers that are in Azure Arc: each shows what it would do, and does it with --apply."""

from pathlib import Path
from typing import Annotated

from arcferry.cli import azure_options, options
from arcferry.cli.errand_options import (
    ApplyOption,
    MachineOptions,
    ServerOptions,
    carry_out,
    errand_request,
)
from arcferry.cli.inventory import InventoryArgument
from arcferry.cli.onboard_options import tagged
from arcferry.cli.options import argument, grouped, option
from arcferry.errors import InputError


@grouped
def offboard(
    inventory: Annotated[
        Path | None, argument("[INVENTORY]", "The servers, as for onboard. Or name one with --machine.")
    ] = None,
    *,
    machine: Annotated[
        str,
        option("--machine NAME", "One machine in Azure, whose server is gone; takes --vm-id, no inventory."),
    ] = "",
    vm_id: Annotated[
        str, option("--vm-id GUID", "The machine's vmId, as Azure shows it: proof of which one is meant.")
    ] = "",
    only_azure: Annotated[
        bool,
        option(
            "--only-azure",
            "The servers are gone: none is asked. A machine is deleted that is silent, called as its row "
            "says and carries the row's tags.",
        ),
    ] = False,
    keep_extensions: Annotated[
        bool, option("--keep-extensions", "Leave what extensions have installed on the servers.")
    ] = False,
    servers: ServerOptions,
    apply: ApplyOption = False,
    output: options.CheckOutputOption = "table",
) -> None:
    """Take servers out of Azure Arc again; the agent stays installed.

    For each, one after the other: its extensions are removed, its agent is disconnected, and its machine is
    deleted in Azure if it is still there. Right before each step host and machine are looked at again: what
    is not provably the inventory's, another tool's machine in the same group too, is left alone. What was
    done is written down in errands.jsonl in the state folder. One server of each network goes ahead, then
    the waves follow; one that was begun is finished, also where its window closes meanwhile.

    The servers get a short-lived token of the identity that signs in here, which must be allowed to delete
    machines: docs/rights.md, offboard.

    Exit code 0 when every server is out or would be, 1 when one failed or must not be touched, 3 when another
    apply is at work, 4 when signing in failed.
    """
    from arcferry import typed
    from arcferry.fleet.errands.errand import Wishes
    from arcferry.fleet.errands.leaving import OFFBOARD

    if (inventory is None) == (not machine):
        raise InputError(
            "which servers?", hint="Give an inventory, or --machine NAME with --vm-id GUID, not both."
        )
    if bool(machine) != bool(vm_id):
        raise InputError(
            "--machine and --vm-id go together",
            hint="Azure shows the id: az resource show --ids ID --query properties.vmId",
        )
    if vm_id and not typed.guid(vm_id):
        raise InputError("--vm-id is not a GUID")
    wishes = Wishes(only_azure=only_azure or bool(machine), keep_extensions=keep_extensions, vm_id=vm_id)
    carry_out(errand_request(OFFBOARD, inventory, servers, wishes, machine), servers, output, applies=apply)


@grouped
def uninstall(
    inventory: InventoryArgument,
    *,
    servers: ServerOptions,
    apply: ApplyOption = False,
    output: options.CheckOutputOption = "table",
) -> None:
    """Remove the agent from servers that are out of Azure Arc, and what arcferry keeps there.

    A server whose agent still holds a machine, or whose machine is still in Azure, is refused: offboard it
    first. With a secret or a certificate Azure is asked for that; without one the agent's word counts.
    Logs stay. One server of each network goes ahead, then the waves follow.

    Exit code 0 when every server is clean or would be, 1 when one failed or must not be touched, 3 when
    another apply is at work, 4 when signing in failed.
    """
    from arcferry.fleet.errands.errand import Wishes
    from arcferry.fleet.errands.leaving import UNINSTALL

    carry_out(errand_request(UNINSTALL, inventory, servers, Wishes()), servers, output, applies=apply)


@grouped
def set_tags(
    inventory: InventoryArgument,
    *,
    machines: MachineOptions,
    tags: azure_options.TagsOption = None,
    replace: Annotated[
        bool, option("--replace", "Take away tags that the inventory does not name, whoever has set them.")
    ] = False,
    apply: ApplyOption = False,
    output: options.CheckOutputOption = "table",
) -> None:
    """Give the machines in Azure the inventory's tags; other tags of theirs stay.

    Asks Azure alone: no server is reached.

    Exit code 0 when every machine has its tags or would, 1 when one failed or is not there, 3 when another
    apply is at work, 4 when signing in failed.
    """
    from dataclasses import replace as with_fields

    from arcferry.fleet.errands.errand import Wishes
    from arcferry.fleet.errands.tags import SET_TAGS

    request = errand_request(SET_TAGS, inventory, machines, Wishes(replace=replace))
    request = with_fields(request, inventory=tagged(request.inventory, tags or []))
    carry_out(request, machines, output, applies=apply)


@grouped
def set_proxy(
    inventory: InventoryArgument,
    *,
    agent_proxy: options.AgentProxyOption = "",
    none: Annotated[bool, option("--none", "The agents are to use no proxy.")] = False,
    servers: ServerOptions,
    apply: ApplyOption = False,
    output: options.CheckOutputOption = "table",
) -> None:
    """Set the proxy of the agents on servers: that of each row or site, or one for all by --agent-proxy.

    The agent keeps it as its own setting proxy.url. Where the server is connected, its agent then checks
    the endpoints by it; where that fails, the setting from before is put back, and where that was one which
    went ahead of its network, no further server is begun.

    Exit code 0 when every agent uses its proxy or would, 1 when one failed or must not be touched, 3 when
    another apply is at work.
    """
    from arcferry.fleet.errands.errand import Wishes
    from arcferry.fleet.errands.proxy import SET_PROXY
    from arcferry.fleet.place import Place

    if none and agent_proxy:
        raise InputError("--agent-proxy and --none are different wishes", hint="Pass one of them.")
    try:
        Place(proxy=agent_proxy)
    except ValueError as error:
        raise InputError(f"--agent-proxy: {error}") from None
    wishes = Wishes(proxy=agent_proxy if agent_proxy or none else None)
    carry_out(errand_request(SET_PROXY, inventory, servers, wishes), servers, output, applies=apply)
