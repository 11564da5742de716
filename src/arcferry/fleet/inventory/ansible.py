"""Ansible's inventories as rows: how Ansible reaches a host is how arcferry does.

The variables are those of "How to build your inventory" (docs.ansible.com, ansible-core 2.19, behavioral
parameters) and, for winrm and psrp, the connection plugins' own.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.fleet.inventory.ansible_groups import Groups, Value, Variables
from arcferry.fleet.inventory.ansible_yaml import WAY_OUT
from arcferry.fleet.inventory.rows import Cells, InventoryRow, Rows, bounded, listed
from arcferry.text import quoted

OWN = "arcferry_"
"""A variable of this name and a column's sets that column."""

_READ = {
    "address": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
}
_CONNECTION = "ansible_connection"
_CONNECTIONS = {
    "ssh": "ssh", "smart": "", "paramiko": "ssh", "paramiko_ssh": "ssh", "winrm": "winrm", "psrp": "winrm",
}  # fmt: skip
_WAYS = ("ansible_winrm_transport", "ansible_psrp_auth")
_AUTHS = {
    "kerberos": "kerberos", "ntlm": "ntlm", "certificate": "certificate", "basic": "basic",
    "plaintext": "basic", "negotiate": "", "kerberos,ntlm": "",
}  # fmt: skip
_SEALED = "is encrypted or a template, which only Ansible can fill in"
_HARMLESS = ("ansible_python_interpreter", "ansible_group_priority", "ansible_become", "ansible_shell_type")


def ansible_rows(groups: Groups, columns: Sequence[str]) -> Rows:
    """The hosts of an inventory of Ansible's as rows with these columns.

    A host whose connection is `local` is this very computer, and is left out with a note.

    Raises:
        FileInputError: naming the line: a way that arcferry has not, or a value that only Ansible knows.
    """
    path = groups.path
    if not groups.complete:
        _refuse_beside(path)
    rows: list[InventoryRow] = []
    local: list[str] = []
    unread: dict[str, None] = {}
    read = _Reading(path, columns)
    for name, line, variables in groups.hosts():
        if _last(variables.get(_CONNECTION)) == "local":
            local.append(name)
            continue
        rows.append(InventoryRow(line, {"name": name, **read.cells(variables)}))
        unread.update(dict.fromkeys(name for name in variables if _matters(name)))
    return Rows(bounded(path, rows), notes=tuple(_notes(local, list(unread))))


def _refuse_beside(path: Path) -> None:
    for name in ("group_vars", "host_vars"):
        folder = path.with_name(name)
        if folder.is_dir() and any(folder.iterdir()):
            says = f"Ansible reads {name} beside it too, which arcferry does not"
            raise FileInputError(path, says, hint=WAY_OUT)


class _Reading:
    """Reads hosts' variables."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        self._columns = columns

    def cells(self, variables: Variables) -> Cells:
        """The columns that a host's variables set."""
        cells: Cells = {}
        for column, names in _READ.items():
            value = next((variables[name] for name in names if name in variables), None)
            if value is not None:
                cells[column] = self._text(names[0], value)
        if value := variables.get(_CONNECTION):
            cells["transport"] = self._one_of(_CONNECTION, value, _CONNECTIONS, _last)
        for name in _WAYS:
            if (value := variables.get(name)) and cells.get("transport") in ("winrm", None):
                cells["auth"] = self._one_of(name, value, _AUTHS, _joined)
        for name, value in variables.items():
            if name.startswith(OWN):
                self._own(name, value, cells)
        return cells

    def _own(self, name: str, value: Value, cells: Cells) -> None:
        column = name.removeprefix(OWN)
        if column not in self._columns or column == "name":
            known = ", ".join(OWN + one for one in self._columns if one != "name")
            says = f"variable {quoted(name, limit=60)} is none of arcferry's"
            raise FileInputError(self._path, says, line=value.line or None, hint=f"There are {known}.")
        if column == "tags" and value.pairs is not None and not value.sealed:
            cells[column] = dict(value.pairs)
        else:
            cells[column] = self._text(name, value)

    def _text(self, name: str, value: Value) -> str:
        if value.sealed:
            raise FileInputError(self._path, f"{name} {_SEALED}", line=value.line or None, hint=WAY_OUT)
        if not value.plain:
            raise FileInputError(self._path, f"{name} is not a plain value", line=value.line or None)
        return value.text

    def _one_of(self, name: str, value: Value, known: dict[str, str], reading: Callable[[Value], str]) -> str:
        text = self._text(name, value) and reading(value)
        if text not in known:
            says = f"{name} {quoted(text, limit=60)} is not one of arcferry's ways; {', '.join(known)} are"
            hint = "Take the host out, or reach it in one of these ways."
            raise FileInputError(self._path, says, line=value.line or None, hint=hint)
        return known[text]


def _last(value: Value | None) -> str:
    """A plugin's name without the collection that it is from."""
    return value.text.strip().lower().rpartition(".")[2] if value else ""


def _joined(value: Value) -> str:
    return "".join(value.text.lower().split())


def _matters(name: str) -> bool:
    """Whether a variable that is not read may say how Ansible reaches a host."""
    read = {_CONNECTION, *_WAYS, *(one for names in _READ.values() for one in names)}
    return name.startswith("ansible_") and name not in read and not name.startswith(_HARMLESS)


def _notes(local: Sequence[str], unread: Sequence[str]) -> Iterator[str]:
    if local:
        yield f"left out, as Ansible's connection to them is local: {listed(local)}"
    if unread:
        yield f"not read of Ansible's variables: {listed(unread)}"
