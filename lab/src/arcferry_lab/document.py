"""lab.json: how an outside client reaches a twin, in one document."""

import os
from pathlib import Path
from typing import Any

from arcferry_lab.doors import USER
from arcferry_lab.network.namespaces.namespaces import Namespaces
from arcferry_lab.twin import RESOURCE_GROUP, Twin

_TLS_PORT, _DNS_PORT = 443, "53"

# inside a network of namespaces, names and ports are Azure's own, and there is no SSH
_OF_LOOPBACK = frozenset(
    {
        "ARCFERRY_RESOLVER",
        "ARCFERRY_PORT",
        "ARCFERRY_ARM_URL",
        "ARCFERRY_AUTHORITY",
        "ARCFERRY_KNOWN_HOSTS",
        "ARCFERRY_SSH_KEY",
    }
)


def document(twin: Twin) -> dict[str, Any]:
    """Everything an outside client needs, the secret included."""
    paths, azure, network = twin.paths, twin.azure, twin.network
    found: dict[str, Any] = {
        "schema": 1,
        "kind": "lab",
        "network": twin.settings.network,
        "pid": os.getpid(),
        "folder": str(paths.folder),
        "cloud": "AzureCloud",
        "location": azure.location,
        "port": network.port,
        "resolver": network.resolver,
        "resolvers": network.resolvers if isinstance(network, Namespaces) else {},
        "proxy": network.proxy,
        "ca_file": str(paths.ca),
        "arm_url": azure.arm_url,
        "authority": azure.authority,
        "tenant_id": azure.tenant_id,
        "subscription_id": azure.subscription_id,
        "resource_group": RESOURCE_GROUP,
        "client_id": twin.client.client_id,
        "client_secret": twin.client.secret,
        "client_secret_file": str(paths.secret),
        "client_certificate_file": str(paths.certificate),
        "service_tags_file": str(paths.service_tags),
        "communities_file": str(paths.communities),
        "route_filter_file": str(paths.route_filter),
        "circuit_file": str(paths.circuit),
        "agent_package": str(twin.servers.package or ""),
        "rpm_package": str(twin.servers.rpm_package or ""),
        "hosts": [
            {
                "name": host.name,
                "address": host.address,
                "port": host.port,
                "user": host.user,
                "host_key": host.host_key.strip(),
                "private_key_file": str(paths.key),
            }
            for host in twin.servers.hosts
        ],
        "windows_package": str(twin.servers.windows_package or ""),
        "code_signing_ca_file": str(twin.servers.code_signing_ca or ""),
        "windows_hosts": [
            {
                "name": host.name,
                "address": host.address,
                "version": host.version,
                "user": USER,
                "password_file": str(paths.password),
                "doors": [
                    {"transport": door.transport, "port": door.port, "host_key": door.host_key.strip()}
                    for door in twin.servers.doors(host)
                ],
            }
            for host in twin.servers.windows
        ],
        "known_hosts_file": str(paths.known_hosts),
        "inventory_file": str(paths.inventory),
        "inner_hosts": [],
    }
    environment = _environment(found, str(paths.key))
    if twin.servers.windows:
        environment |= {
            "ARCFERRY_WINRM_CA": str(paths.ca),
            "ARCFERRY_WINRM_PASSWORD_FILE": str(paths.password),
        }
    if isinstance(network, Namespaces):
        found["inner_hosts"] = [
            {"name": host.name, "address": host.address, "pid": host.pid, "rootless": network.rootless}
            for host in network.hosts
        ]
        environment = {name: value for name, value in environment.items() if name not in _OF_LOOPBACK}
    if not _measurable(found):
        environment["ARCFERRY_CANARY"] = "0"
    return found | {"environment": environment}


def _measurable(found: dict[str, Any]) -> bool:
    """Whether the hosts' own programs can measure the path: they know of DNS's and TLS's own ports only."""
    return (found["port"], str(found["resolver"]).rpartition(":")[2]) == (_TLS_PORT, _DNS_PORT)


def _environment(found: dict[str, Any], key: str) -> dict[str, str]:
    """What arcferry's own options read; the secret only by the name of its file.

    Runs against a twin are kept in its folder, and go with it.
    """
    return {
        "ARCFERRY_LAB_FOLDER": found["folder"],
        "ARCFERRY_RESOLVER": found["resolver"],
        "ARCFERRY_CA_FILE": found["ca_file"],
        "ARCFERRY_PORT": str(found["port"]),
        "ARCFERRY_ARM_URL": found["arm_url"],
        "ARCFERRY_AUTHORITY": found["authority"],
        "ARCFERRY_TENANT_ID": found["tenant_id"],
        "ARCFERRY_SUBSCRIPTION_ID": found["subscription_id"],
        "ARCFERRY_RESOURCE_GROUP": found["resource_group"],
        "ARCFERRY_LOCATION": found["location"],
        "ARCFERRY_CLIENT_ID": found["client_id"],
        "ARCFERRY_SECRET_FILE": found["client_secret_file"],
        "ARCFERRY_KNOWN_HOSTS": found["known_hosts_file"],
        "ARCFERRY_SSH_KEY": key,
        "ARCFERRY_STATE": str(Path(found["folder"]) / "state"),
        "ARCFERRY_DATA": str(Path(found["folder"]) / "data"),
    }
