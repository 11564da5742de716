"""The inventory as commands take it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from arcferry.cli.azure_options import PlaceOptions
from arcferry.cli.options import argument, option, setting
from arcferry.errors import FileInputError, InputError

if TYPE_CHECKING:
    from arcferry.fleet.inventory import HowReached, Inventory

Options = TypeVar("Options", bound=PlaceOptions)
_FORMS = (
    "a table with the columns name, address, port, transport, user, auth, tags (k=v;k2=v2, or k=v,k2=v2 in "
    "quotes), site, location, resource_group, subscription, proxy, private_link_scope, gateway_id and "
    "window; the same in YAML; an inventory of Ansible's; a list of Active Directory's; or one name a line."
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


_COLUMNS = {"location": "location", "subscription": "subscription_id", "resource_group": "resource_group"}
"""The columns that say where in Azure a host goes, and the options for hosts that have none of theirs."""


def completed(given: Options, inventory: "Inventory") -> Options:
    """The options, those that were not given as the first host has them: every row or site names its own.

    Raises:
        FileInputError: one names none; its line is named, and those of others.
    """
    needed = {column: name for column, name in _COLUMNS.items() if not getattr(given, name)}
    hosts = inventory.hosts
    without = [host for host in hosts if not all(getattr(host.place, column) for column in needed)]
    if not without:
        return replace(given, **{name: getattr(hosts[0].place, column) for column, name in needed.items()})
    first = without[0]
    lacks = [column for column in needed if not getattr(first.place, column)]
    wanted = [column for column in needed if any(not getattr(host.place, column) for host in without)]
    lines = ", ".join(str(host.line) for host in without[1:13])
    more = f" Something of that is missing in line {lines} too." if lines else ""
    raise FileInputError(
        inventory.path,
        f"{first.name} has {_none(lacks)}",
        line=first.line,
        hint=f"Pass {_options(wanted)} for hosts that name none of their own; or fill "
        f"{' and '.join(wanted)} in each row, or in its site.{more}",
    )


def check_complete(given: PlaceOptions) -> None:
    """Refuse to go on where an option is missing and no inventory says it.

    Raises:
        InputError: one is; all of them are named.
    """
    if missing := [column for column, name in _COLUMNS.items() if not getattr(given, name)]:
        raise InputError(
            f"{_none(missing)} to ask about",
            hint=f"Pass {_options(missing)}, or an inventory whose rows name it.",
        )


def _none(columns: Iterable[str]) -> str:
    return " and ".join(f"no {one.replace('_', ' ')}" for one in columns)


def _options(columns: Iterable[str]) -> str:
    return " and ".join("--" + _COLUMNS[column].replace("_", "-") for column in columns)
