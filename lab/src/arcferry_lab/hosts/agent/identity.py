"""Who this machine is, and what it knows about its connection."""

import platform
import socket
import uuid
from pathlib import Path
from typing import Any

from . import layout

NAMESPACE = "Microsoft.HybridCompute"


def vm_id() -> str:
    """This host's id: made once, kept through disconnect and upgrade."""
    try:
        return str(uuid.UUID(layout.VM_ID.read_text(encoding="ascii").strip()))
    except (OSError, ValueError):
        made = str(uuid.uuid4())
        layout.write_private(layout.VM_ID, f"{made}\n".encode(), mode=0o644)
        return made


def resource_id(subscription: str, group: str, name: str) -> str:
    """The ARM id of a machine."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{NAMESPACE}/machines/{name}"


def connection() -> dict[str, Any]:
    """The agent's own record of its connection; empty where there is none."""
    return layout.read_json(layout.AGENT_CONFIG)


def vm_uuid() -> str:
    """The firmware's id of this host, empty where it has none."""
    try:
        return Path("/sys/class/dmi/id/product_uuid").read_text(encoding="ascii").strip().lower()
    except (OSError, ValueError):
        return ""


def os_release() -> dict[str, str]:
    """The fields of /etc/os-release."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key: value.strip().strip("\"'") for key, _, value in pairs}


def machine_properties(version: str) -> dict[str, Any]:
    """What the agent tells ARM about this host when it creates the machine."""
    release = os_release()
    name = socket.gethostname()
    return {
        "vmId": vm_id(),
        "vmUuid": vm_uuid(),
        "osName": "linux",
        "osType": "linux",
        "osSku": release.get("PRETTY_NAME", "Linux"),
        "osVersion": platform.release(),
        "machineFqdn": socket.getfqdn(),
        "agentVersion": version,
        "osProfile": {"computerName": name},
    }
