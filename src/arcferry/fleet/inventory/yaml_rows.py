"""An inventory of arcferry's own in YAML: a list of hosts, and what holds for all hosts of a site."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from arcferry.errors import FileInputError
from arcferry.fleet.inventory.rows import Cells, InventoryRow, Rows, bounded, check_column
from arcferry.fleet.inventory.yaml_nodes import line_of, pairs, scalar
from arcferry.text import quoted

_EXAMPLE = "{name: web01, address: 10.0.0.1}"
_TOPS = ("hosts", "sites")


def read_yaml(path: Path, root: yaml.Node | None, columns: Sequence[str], of_sites: Sequence[str]) -> Rows:
    """The rows under `hosts`, or of the list that the file is, and the sites under `sites`.

    Args:
        path: the file.
        root: its top.
        columns: what a host may have.
        of_sites: what a site may have.

    Raises:
        FileInputError: naming the line: another form, an unknown key, or one given twice.
    """
    if root is None:
        raise FileInputError(path, "is empty", hint=f"It holds a list of hosts: - {_EXAMPLE}")
    hosts, sites = _parts(path, root)
    rows = []
    for entry in hosts:
        if not isinstance(entry, yaml.MappingNode):
            raise FileInputError(path, f"a host is a mapping such as {_EXAMPLE}", line=line_of(entry))
        rows.append(InventoryRow(line_of(entry), _cells(path, entry, columns)))
    return Rows(bounded(path, rows), _sites(path, sites, of_sites))


def _parts(path: Path, root: yaml.Node) -> tuple[list[yaml.Node], yaml.Node | None]:
    if not isinstance(root, yaml.MappingNode):
        return _entries(path, root), None
    tops = dict(pairs(path, root))
    if "hosts" not in tops or not tops.keys() <= set(_TOPS):
        says = "the top is neither a list of hosts nor `hosts:` with one, with or without `sites:`"
        raise FileInputError(path, says, line=1)
    return _entries(path, tops["hosts"]), tops.get("sites")


def _entries(path: Path, node: yaml.Node) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise FileInputError(path, "hosts is not a list", line=line_of(node))
    return list(node.value)


def _sites(path: Path, node: yaml.Node | None, of_sites: Sequence[str]) -> dict[str, InventoryRow]:
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise FileInputError(path, "sites is not a mapping of names", line=line_of(node))
    found: dict[str, InventoryRow] = {}
    for name, settings in pairs(path, node):
        if not isinstance(settings, yaml.MappingNode):
            says = f"site {quoted(name, limit=64)} is not a mapping such as {{location: eastasia}}"
            raise FileInputError(path, says, line=line_of(settings))
        found[name.strip()] = InventoryRow(line_of(settings), _cells(path, settings, of_sites))
    return found


def _cells(path: Path, entry: yaml.MappingNode, columns: Sequence[str]) -> Cells:
    cells: Cells = {}
    for key, value in pairs(path, entry):
        name = key.lower()
        check_column(path, line_of(value), name, columns)
        if isinstance(value, yaml.MappingNode) and name == "tags":
            cells[name] = {tag: scalar(path, "a tag's value", item) for tag, item in pairs(path, value)}
        else:
            cells[name] = scalar(path, key, value)
    return cells
