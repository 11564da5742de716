"""Ansible's inventories in INI, and plain lists of names, which are such an inventory without groups.

Read as Ansible's own plugin `ini` does (ansible-core 2.19, lib/ansible/plugins/inventory/ini.py).
"""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.fleet.inventory.ansible_groups import Groups, Value, is_sealed
from arcferry.text import quoted

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_KINDS = ("hosts", "children", "vars")
_IN_QUOTES = re.compile(r"""(['"]).*\1""", re.DOTALL)
_LONGEST = 4096


def read_ini(path: Path, text: str) -> Groups:
    """The groups, hosts and variables of an inventory in INI.

    Raises:
        FileInputError: naming the line: not such an inventory.
    """
    groups = Groups(path)
    group, kind = "ungrouped", "hosts"
    about: dict[str, int] = {}
    for line, content in _lines(text):
        if len(content) > _LONGEST:
            raise FileInputError(path, f"a line of more than {_LONGEST:,} characters", line=line)
        section = _SECTION.fullmatch(content)
        if section:
            group, kind = section[1], section[2] or "hosts"
            _known(path, line, kind)
            if kind == "vars":
                about.setdefault(group, line)
            else:
                groups.add(group, line)
        elif content.startswith("["):
            raise FileInputError(path, f"{quoted(content)} is no section such as [web]", line=line)
        elif kind == "hosts":
            _host(groups, group, line, content)
        elif kind == "children":
            name = content.partition("#")[0].strip()
            groups.add_child(group, name, line)
        else:
            name, value = _setting(path, line, content)
            groups.set_variable(group, name, value)
    for name, line in about.items():
        if name not in groups:
            raise FileInputError(path, f"[{name}:vars] is about a group that is not there", line=line)
    return groups


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for line, content in enumerate(map(str.strip, text.splitlines()), start=1):
        if content and content[0] not in "#;":
            yield line, content


def _known(path: Path, line: int, kind: str) -> None:
    if kind not in _KINDS:
        says = f"a section of the kind {quoted(kind)} is not known; hosts, children and vars are"
        raise FileInputError(path, says, line=line)


def _host(groups: Groups, group: str, line: int, content: str) -> None:
    path = groups.path
    try:
        words = shlex.split(content, comments=True)
    except ValueError as error:
        raise FileInputError(path, f"is not to be read: {error}", line=line) from None
    if not words:
        return
    variables = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals or not name:
            says = f"{quoted(word)} after a host is not written as variable=value"
            hint = "One name a line, or a first line that names columns: name,address"
            raise FileInputError(path, says, line=line, hint=hint)
        variables[name] = _value(value, line)
    groups.add_hosts(group, words[0], variables, line)


def _setting(path: Path, line: int, content: str) -> tuple[str, Value]:
    name, equals, value = content.partition("=")
    if not equals or not name.strip():
        raise FileInputError(path, f"{quoted(content)} is not written as variable=value", line=line)
    return name.strip(), _value(value.strip(), line)


def _value(text: str, line: int) -> Value:
    """The value as Ansible takes it: what is Python's notation of a text is that text."""
    if _IN_QUOTES.fullmatch(text):
        try:
            inner = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            inner = text
        text = inner if isinstance(inner, str) else text
    return Value(text, line, is_sealed(text))
