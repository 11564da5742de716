"""The hosts of an inventory as Ansible's: how each is reached, and where it goes where that is its own."""

from collections.abc import Mapping
from typing import Any

from arcferry.fleet.inventory import Host, Inventory

_OWN = {
    "location": "onboard_location",
    "resource_group": "onboard_resource_group",
    "subscription": "onboard_subscription_id",
    "proxy": "onboard_proxy",
    "private_link_scope": "onboard_private_link_scope",
    "gateway_id": "onboard_gateway_id",
}
_PSRP = {"ansible_connection": "psrp"}
"""Needs the collection ansible.windows and the Python package pypsrp."""


def ansible_hosts(inventory: Inventory, tags: Mapping[str, str]) -> dict[str, Any]:
    """The inventory: one map by a host's name in each of two groups, by how its hosts are reached.

    Args:
        inventory: read and checked.
        tags: for every machine; where a host's own name one, that stands.
    """
    ways = {
        "ssh": {host.name: _of(host, tags) for host in inventory.hosts if host.transport == "ssh"},
        "winrm": {host.name: _of(host, tags) for host in inventory.hosts if host.transport == "winrm"},
    }
    shared: dict[str, dict[str, Any]] = {"ssh": {}, "winrm": {"vars": _PSRP}}
    groups = {name: {"hosts": hosts, **shared[name]} for name, hosts in ways.items() if hosts}
    return {"all": {"children": groups}}


def _of(host: Host, tags: Mapping[str, str]) -> dict[str, Any]:
    reached = {
        "ansible_host": host.address,
        "ansible_port": 0 if (host.transport, host.port) == ("ssh", 22) else host.port,
        "ansible_user": host.user,
        "ansible_psrp_auth": host.auth,
    }
    own: dict[str, Any] = {_OWN[name]: value for name, value in host.place.given().items()}
    own |= {"onboard_tags": {**tags, **host.tags}} if host.tags else {}
    return {name: value for name, value in reached.items() if value} | own
