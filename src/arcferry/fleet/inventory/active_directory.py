"""Computers as Active Directory lists them: `Get-ADComputer | Export-Csv`, and csvde.

The columns are those of the ActiveDirectory module's ADComputer and of the schema's class computer. A
disabled account has the bit 0x2 of userAccountControl (learn.microsoft.com, "User-Account-Control
attribute", 2026-08).
"""

from collections.abc import Mapping, Sequence
from itertools import islice

from arcferry.errors import FileInputError
from arcferry.fleet.inventory.rows import MOST_ROWS, Cells, InventoryRow, Rows, bounded, listed
from arcferry.fleet.inventory.tables import Table
from arcferry.text import quoted, whole

_OF_DIRECTORY = frozenset((
    "dn", "distinguishedname", "dnshostname", "samaccountname", "operatingsystem", "useraccountcontrol",
    "enabled", "objectclass", "objectguid",
))  # fmt: skip
_BOTH = frozenset(("name", "location"))
"""Columns that a computer has in the directory too; its location is a place in a building."""

_LOCATION = "not read: the column Location, which in the directory is a place in a building"
_DISABLED = 0x2
_LARGEST_FLAGS = 0xFFFFFFFF
_TRUTHS = {"true": True, "false": False, "": True}


def is_directory(header: Sequence[str]) -> bool:
    """Whether a table's columns are those of the directory."""
    return bool(_OF_DIRECTORY & set(header))


def read_directory(table: Table, columns: Sequence[str]) -> Rows:
    """The computers as rows with these columns; a column of arcferry's own that was added counts as such.

    Disabled accounts, and what is no computer, are left out with a note.

    Raises:
        FileInputError: naming the line: no names, or an account that cannot be told to be enabled.
    """
    if not {"name", "dnshostname", "samaccountname", "cn"} & set(table.header):
        says = "is a list of the directory's without the computers' names"
        hint = "Get-ADComputer -Filter * -Properties OperatingSystem | Export-Csv computers.csv"
        raise FileInputError(table.path, says, line=table.line, hint=hint)
    own = [name for name in table.header if name in columns and name not in _BOTH]
    rows: list[InventoryRow] = []
    disabled: list[str] = []
    others: list[str] = []
    for line, cells in islice(table.rows, MOST_ROWS + 1):
        given = table.cells(line, cells)
        name = _name(given)
        if given.get("objectclass", "computer").lower() not in ("computer", ""):
            others.append(name)
        elif not _is_enabled(table, line, given):
            disabled.append(name)
        else:
            rows.append(InventoryRow(line, _cells(name, given) | {one: given.get(one, "") for one in own}))
    notes = [f"left out, as their accounts are disabled: {listed(disabled)}"] if disabled else []
    notes += [f"left out, as they are no computers: {listed(others)}"] if others else []
    notes += [_LOCATION] if "location" in table.header else []
    return Rows(bounded(table.path, rows), notes=tuple(notes))


def _name(given: Mapping[str, str]) -> str:
    first = given.get("name") or given.get("cn") or given.get("samaccountname", "").removesuffix("$")
    return first or given.get("dnshostname", "").partition(".")[0]


def _cells(name: str, given: Mapping[str, str]) -> Cells:
    cells: Cells = {"name": name, "address": given.get("dnshostname") or name}
    system = given.get("operatingsystem", "").lower()
    if system:
        cells["transport"] = "winrm" if system.startswith("windows") else "ssh"
    return cells


def _is_enabled(table: Table, line: int, given: Mapping[str, str]) -> bool:
    flags = given.get("useraccountcontrol", "")
    if flags:
        number = whole(flags, most=_LARGEST_FLAGS)
        if number is None:
            says = f"userAccountControl {quoted(flags, limit=40)} is not a number"
            raise FileInputError(table.path, says, line=line)
        return not number & _DISABLED
    enabled = given.get("enabled", "").lower()
    if enabled not in _TRUTHS:
        says = f"Enabled {quoted(enabled, limit=40)} is neither True nor False"
        raise FileInputError(table.path, says, line=line)
    return _TRUTHS[enabled]
