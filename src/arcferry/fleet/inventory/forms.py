"""Which form an inventory has, by its content and its name, and its rows whatever it is."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.files import read_bounded
from arcferry.fleet.inventory.active_directory import is_directory, read_directory
from arcferry.fleet.inventory.ansible import ansible_rows
from arcferry.fleet.inventory.ansible_ini import read_ini
from arcferry.fleet.inventory.ansible_yaml import WAY_OUT, is_ansible, read_groups
from arcferry.fleet.inventory.encodings import decoded
from arcferry.fleet.inventory.rows import LIMIT, Rows
from arcferry.fleet.inventory.tables import first_line, is_comment, open_table, read_table
from arcferry.fleet.inventory.yaml_nodes import composed
from arcferry.fleet.inventory.yaml_rows import read_yaml
from arcferry.text import quoted

_YAML = frozenset((".yaml", ".yml", ".json"))
_INI = frozenset((".ini", ".cfg"))
_TABLES = frozenset((".csv", ".tsv"))
_SECTION = re.compile(r"\[[^\]\s:]+(?::\w+)?\]\s*(?:#.*)?")
_BEGINS_YAML = re.compile(r"---\s*|[\w.-]+:\s*(?:#.*)?|- .*|\{.*")
_BETWEEN = re.compile(r"[,;\t]")
_HEADS = frozenset((
    "computer", "computers", "computername", "dns", "fqdn", "host", "hosts", "hostname", "hostnames", "ip",
    "machine", "machines", "node", "nodes", "server", "servers", "servername", "vm",
))  # fmt: skip
"""What people write above a list of names; a server is rarely called so."""


def read_rows(path: Path, columns: Sequence[str], of_sites: Sequence[str], encoding: str = "") -> Rows:
    """The rows of a file: a table, YAML, a list of the directory's, an inventory of Ansible's, or names.

    Args:
        path: the file.
        columns: what a host may have.
        of_sites: what a site may have.
        encoding: what the file is in, if it is not UTF-8 and has no mark.

    Raises:
        FileInputError: naming the line: not in the encoding, of no form that is read or of two, too large, or
            a column that is unknown or given twice.
        ValueError: there is no such encoding.
    """
    text = decoded(path, read_bounded(path, limit=LIMIT), encoding)
    if text.startswith("$ANSIBLE_VAULT"):
        raise FileInputError(path, "is encrypted by Ansible Vault", line=1, hint=WAY_OUT)
    if _is_yaml(path, text):
        root = composed(path, text, hint="Write out what it stands for.")
        if is_ansible(root):
            return ansible_rows(read_groups(path, root), columns)
        return read_yaml(path, root, columns, of_sites)
    if _is_ini(path, text, columns):
        return ansible_rows(read_ini(path, text), columns)
    table = open_table(path, text)
    if is_directory(table.header):
        return read_directory(table, columns)
    return read_table(table, columns)


def _is_yaml(path: Path, text: str) -> bool:
    suffix = path.suffix.lower()
    if suffix in _YAML:
        return True
    _, first = first_line(text)
    return suffix not in _TABLES | _INI and bool(_BEGINS_YAML.fullmatch(first)) and not _SECTION.match(first)


def _is_ini(path: Path, text: str, columns: Sequence[str]) -> bool:
    """Whether a text is an inventory of Ansible's in INI, or a list of names, which is read in the same way.

    Raises:
        FileInputError: the name says one thing and the content another.
    """
    suffix = path.suffix.lower()
    number, first = _first(text)
    if not number:
        return suffix in _INI
    head = first.strip()
    if _SECTION.fullmatch(head):
        if suffix in _TABLES:
            says = f"begins like an inventory of Ansible's ({quoted(head, limit=60)}), and is named {suffix}"
            raise FileInputError(path, says, line=number, hint="Give it a name that ends in .ini.")
        return True
    cells = [cell.strip().strip('"').lower() for cell in _BETWEEN.split(head)]
    is_table = head.lower().strip('"').startswith("sep=") or any(cell in columns for cell in cells)
    if is_table or is_directory(cells):
        if suffix in _INI:
            says = f"begins like a table ({quoted(head, limit=60)}), and is named {suffix}"
            raise FileInputError(path, says, line=number, hint="Give it a name that ends in .csv.")
        return False
    if suffix in _INI:
        return True
    return len(cells) == 1 and not _is_head(cells[0], columns)


def _first(text: str) -> tuple[int, str]:
    """The first line that says something in either form; a semicolon begins a comment in INI alone."""
    number, content = first_line(text)
    if not content.lstrip().startswith(";"):
        return number, content
    for number, content in enumerate(text.splitlines(), start=1):
        if content.strip() and not is_comment(content) and not content.lstrip().startswith(";"):
            return number, content
    return 0, ""


def _is_head(cell: str, columns: Sequence[str]) -> bool:
    return cell in _HEADS or bool(get_close_matches(cell, columns, n=1))
