"""What a lab says of itself, as rows for people."""

import shlex
from typing import Any


def reach(document: dict[str, Any]) -> list[tuple[str, str]]:
    """How a lab is reached: each thing with its value."""
    hosts = document["hosts"]
    rows = [
        ("Process", str(document["pid"])),
        ("Location", document["location"]),
        ("Resource Manager", document["arm_url"]),
        ("Authority", document["authority"]),
        ("DNS server", document["resolver"]),
        ("Tenant", document["tenant_id"]),
        ("Subscription", document["subscription_id"]),
        ("Resource group", document["resource_group"]),
        ("Client", document["client_id"]),
        ("Client secret", f"in {document['client_secret_file']}"),
        ("CA", document["ca_file"]),
        ("Service tags", document["service_tags_file"]),
        ("Communities", document["communities_file"]),
        ("Route filter", document["route_filter_file"]),
        ("Circuit", document["circuit_file"]),
    ]
    rows += [(f"Host {host['name']}", f"{host['address']}, by lab exec") for host in document["inner_hosts"]]
    rows += [(f"Host {host['name']}", f"{host['user']}@{host['address']}:{host['port']}") for host in hosts]
    rows += [
        (f"Host {host['name']}", f"{host['address']}, Windows Server {host['version']}{_doors(host)}")
        for host in document["windows_hosts"]
    ]
    if document["windows_hosts"]:
        rows += [
            ("Windows agent", document["windows_package"]),
            ("Its signing CA", document["code_signing_ca_file"]),
            ("Windows password", f"in {document['windows_hosts'][0]['password_file']}"),
        ]
    if hosts:
        rows += [
            ("Inventory", document["inventory_file"]),
            ("Agent package", document["agent_package"]),
            *([("The same as RPM", document["rpm_package"])] if document["rpm_package"] else []),
            ("Sign in", _ssh_command(hosts[0], document["known_hosts_file"])),
        ]
    return rows


def _doors(host: dict[str, Any]) -> str:
    return "".join(f", {door['transport']} on port {door['port']}" for door in host["doors"])


def steered(document: dict[str, Any]) -> list[tuple[str, str]]:
    """One row for each steered name, or for each of every resolver where they differ."""
    by_resolver = document["steered_at"] or {"": document["steered"]}
    rows = []
    for resolver, names in by_resolver.items():
        of = f" for {resolver}" if resolver else ""
        rows += [(f"Steered{of}", f"{name} to {region}") for name, region in names.items()]
    return rows


def _ssh_command(host: dict[str, Any], known_hosts: str) -> str:
    key, port = host["private_key_file"], str(host["port"])
    options = ("-i", key, "-o", f"UserKnownHostsFile={known_hosts}", "-p", port)
    return shlex.join(["ssh", *options, f"{host['user']}@{host['address']}"])


def fault_text(fault: dict[str, Any]) -> str:
    """A fault that is switched on, with what it strikes and how often still."""
    times = f" ({fault['times']} times more)" if fault["times"] else ""
    return f"{fault['name']} {fault['host']}".strip() + times


def fault_row(fault: dict[str, Any]) -> tuple[str, ...]:
    """A fault that there is: its name, cause, networks, and what it does."""
    name = fault["name"] + (" HOST" if fault["needs_host"] else "")
    return name, fault["cause"] or "-", ", ".join(fault["networks"]), fault["does"]


def machine_row(machine: dict[str, Any]) -> tuple[str, ...]:
    """A machine as Resource Manager has it: name, location, status, since when, and its agent's version."""
    of = machine["properties"]
    return (
        machine["name"], machine["location"], of["status"], of["lastStatusChange"],
        str(of.get("agentVersion", "")),
    )  # fmt: skip


def carried(route_filter: dict[str, Any]) -> list[tuple[str, str]]:
    """The communities that a route filter lets through, with their names."""
    from arcferry import catalog

    rules = route_filter["properties"]["rules"]
    values = rules[0]["properties"]["communities"] if rules else []
    known = {one.value: one.name for one in catalog.communities()}
    return [(value, known.get(value, "not documented")) for value in values]
