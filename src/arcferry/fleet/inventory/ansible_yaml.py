"""Ansible's inventories in YAML, and what `ansible-inventory --list` prints of any inventory.

Read as Ansible's own plugin `yaml` does (ansible-core 2.19, lib/ansible/plugins/inventory/yaml.py).
"""

from collections.abc import Iterator
from pathlib import Path

import yaml

from arcferry.errors import FileInputError
from arcferry.fleet.inventory.ansible_groups import Groups, Value, Variables, is_sealed
from arcferry.fleet.inventory.yaml_nodes import is_empty, line_of, pairs, scalar
from arcferry.text import quoted

LISTED = "ansible-inventory -i FILE --list > fleet.json"
WAY_OUT = f"Ansible itself can tell what it comes to: {LISTED}; that file is read here."
_LIST = "_meta"
_PARTS = ("hosts", "vars", "children")


def is_ansible(root: yaml.Node | None) -> bool:
    """Whether a document's top is that of an inventory of Ansible's, and not a list of hosts or of sites."""
    if not isinstance(root, yaml.MappingNode):
        return False
    tops = {key.value: value for key, value in root.value if isinstance(key, yaml.ScalarNode)}
    hosts = tops.get("hosts")
    if hosts is not None and not isinstance(hosts, yaml.MappingNode):
        return False
    return bool({_LIST, "plugin"} & tops.keys()) or any(_is_group(node) for node in tops.values())


def _is_group(node: yaml.Node) -> bool:
    if is_empty(node):
        return True
    if not isinstance(node, yaml.MappingNode):
        return False
    return any(isinstance(key, yaml.ScalarNode) and key.value in _PARTS for key, _ in node.value)


def read_groups(path: Path, root: yaml.Node | None) -> Groups:
    """The groups, hosts and variables of an inventory in YAML, or of such a list.

    Raises:
        FileInputError: naming the line: not such an inventory, or a plugin's settings.
    """
    tops = dict(_mapping(path, "the top", root))
    groups = Groups(path, complete=_LIST in tops)
    if "plugin" in tops:
        name = quoted(scalar(path, "plugin", tops["plugin"]))
        says = f"holds settings of Ansible's plugin {name}, and no hosts"
        raise FileInputError(path, says, line=line_of(tops["plugin"]), hint=WAY_OUT)
    if _LIST in tops:
        _read_list(groups, tops)
        return groups
    if isinstance(tops.get("hosts"), yaml.MappingNode):
        says = "hosts is a mapping at the top, where Ansible has groups"
        hint = "For Ansible put `all:` above it; for arcferry hosts is a list: - {name: web01}"
        raise FileInputError(path, says, line=line_of(tops["hosts"]), hint=hint)
    for name, node in tops.items():
        _group(groups, name, node)
    return groups


def _group(groups: Groups, name: str, node: yaml.Node) -> None:
    path = groups.path
    groups.add(name, line_of(node))
    for part, content in _mapping(path, f"group {quoted(name)}", node):
        if part not in _PARTS:
            says = f"{quoted(part)} is nothing that a group has; hosts, vars and children are"
            raise FileInputError(path, says, line=line_of(content))
        if part == "vars":
            for variable, value in _mapping(path, "vars", content):
                groups.set_variable(name, variable, _value(value))
        elif part == "hosts" and isinstance(content, yaml.ScalarNode) and not is_empty(content):
            groups.add_hosts(name, scalar(path, "a host", content), {}, line_of(content))
        elif part == "hosts":
            for host, own in _mapping(path, "hosts", content):
                groups.add_hosts(name, host, _variables(path, host, own), line_of(own))
        else:
            for child, inner in _mapping(path, "children", content):
                groups.add_child(name, child, line_of(inner))
                _group(groups, child, inner)


def _read_list(groups: Groups, tops: dict[str, yaml.Node]) -> None:
    path = groups.path
    meta = dict(_mapping(path, _LIST, tops[_LIST]))
    of_hosts = {
        host: _variables(path, host, own) for host, own in _mapping(path, "hostvars", meta.get("hostvars"))
    }
    for name, node in tops.items():
        if name == _LIST:
            continue
        groups.add(name, line_of(node))
        for part, content in _mapping(path, f"group {quoted(name)}", node):
            if part == "vars":
                for variable, value in _mapping(path, "vars", content):
                    groups.set_variable(name, variable, _value(value))
            elif part in ("hosts", "children"):
                for line, item in _items(path, part, content):
                    if part == "hosts":
                        groups.add_host(name, item, of_hosts.get(item, {}), line)
                    else:
                        groups.add_child(name, item, line)
    for host, own in of_hosts.items():
        groups.add_host("all", host, own, line_of(meta["hostvars"]))


def _items(path: Path, what: str, node: yaml.Node) -> Iterator[tuple[int, str]]:
    if not isinstance(node, yaml.SequenceNode):
        raise FileInputError(path, f"{what} is not a list", line=line_of(node))
    for item in node.value:
        yield line_of(item), scalar(path, f"one of {what}", item)


def _mapping(path: Path, what: str, node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if node is None or is_empty(node):
        return
    if not isinstance(node, yaml.MappingNode):
        raise FileInputError(path, f"{what} is not a mapping", line=line_of(node))
    yield from pairs(path, node)


def _variables(path: Path, host: str, node: yaml.Node) -> Variables:
    return {name: _value(value) for name, value in _mapping(path, f"host {quoted(host)}", node)}


def _value(node: yaml.Node) -> Value:
    line = line_of(node)
    if isinstance(node, yaml.ScalarNode):
        text = "" if is_empty(node) else str(node.value).strip()
        return Value(text, line, "vault" in node.tag or is_sealed(text))
    if isinstance(node, yaml.MappingNode):
        scalars = [
            (key.value, value.value)
            for key, value in node.value
            if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)
        ]
        # A list that Ansible has printed shows what is encrypted in a mapping of this one key.
        sealed = any(name in ("__ansible_vault", "__ansible_unsafe") for name, _ in scalars)
        sealed = sealed or any(is_sealed(text) for _, text in scalars)
        whole = len(scalars) == len(node.value)
        return Value("", line, sealed, dict(scalars) if whole else None, plain=False)
    return Value("", line, plain=False)
