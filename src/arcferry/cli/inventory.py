"""The inventory as commands take it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.options import argument, option, setting
from arcferry.errors import FileInputError, InputError

if TYPE_CHECKING:
    from arcferry.fleet.inventory import HowReached, Inventory

_FORMS = (
    "a table with the columns name, address, port, transport, user, auth, tags (k=v;k2=v2, or k=v,k2=v2 in "
    "quotes), site, location, resource_group, subscription, proxy, private_link_scope and window; the same "
    "in YAML; an inventory of Ansible's; a list of Active Directory's; or one name a line."
)
InventoryArgument = Annotated[
    Path,
    argument(
        "INVENTORY",
        f"{_FORMS[0].upper()}{_FORMS[1:]} A host's name becomes its machine's name in Azure. See "
        "docs/inventory.md.",
    ),
]
InventoryOption = Annotated[
    Path | None, option("--inventory FILE", "The servers: an inventory, as for onboard.")
]
EncodingOption = Annotated[
    str,
    setting(
        "--inventory-encoding NAME",
        "What the inventory's text is in, such as cp950, gb18030, cp1252 or big5. Without it UTF-8, or "
        "UTF-16 with a mark.",
    ),
]


def read(path: Path, encoding: str, cloud: str, how: "HowReached | None" = None) -> "Inventory":
    """The inventory; what of it is left out or not read is told on stderr.

    Raises:
        InputError: there is no such encoding, or, as FileInputError, the file is not as it must be.
    """
    from arcferry.fleet.inventory import HowReached, Reading, read_inventory

    try:
        found = read_inventory(path, Reading(how or HowReached(), encoding, cloud))
    except ValueError as error:
        raise InputError(str(error)) from None
    for note in found.notes:
        typer.echo(f"note: {path}: {note}", err=True)
    return found


def first_group(inventory: "Inventory") -> str:
    """The resource group of the first host, where every host's row or site names one.

    Raises:
        FileInputError: one names none; its line is named, and those of others.
    """
    without = [host for host in inventory.hosts if not host.place.resource_group]
    if without:
        lines = ", ".join(str(host.line) for host in without[1:13])
        more = f" So do the hosts of line {lines}." if lines else ""
        raise FileInputError(
            inventory.path,
            f"{without[0].name} has no resource group",
            line=without[0].line,
            hint=f"Give it the column resource_group, or its site one; or pass --resource-group.{more}",
        )
    return inventory.hosts[0].place.resource_group
