"""`show`: what the agent knows about itself, for people and as JSON."""

from typing import Any

from . import himds, layout
from .clouds import CLOUDS
from .console import Console
from .failure import AgentError
from .identity import NAMESPACE, connection, os_release, vm_id

_WIDTH = 40

# key of the JSON document, name in the text
_FIELDS = (
    ("resourceName", "Resource Name"),
    ("resourceGroup", "Resource Group Name"),
    ("resourceNamespace", "Resource Namespace"),
    ("resourceId", "Resource Id"),
    ("subscriptionId", "Subscription ID"),
    ("tenantId", "Tenant ID"),
    ("vmId", "VM ID"),
    ("correlationId", "Correlation ID"),
    ("vmUuid", "VM UUID"),
    ("location", "Location"),
    ("cloud", "Cloud"),
    ("agentVersion", "Agent Version"),
    ("agentLogfile", "Agent Logfile"),
    ("status", "Agent Status"),
    ("lastHeartbeat", "Agent Last Heartbeat"),
    ("agentErrorCode", "Agent Error Code"),
    ("agentErrorDetails", "Agent Error Details"),
    ("agentErrorTimestamp", "Agent Error Timestamp"),
    ("httpsProxy", "Using HTTPS Proxy"),
    ("proxyBypassList", "Proxy Bypass List"),
    ("cloudProvider", "Cloud Provider"),
    ("cloudMetadata", "Cloud Metadata"),
    ("manufacturer", "Manufacturer"),
    ("model", "Model"),
    ("mssqlDiscovered", "MSSQL Server Detected"),
    ("dependentServiceStatus", "Dependent Service Status"),
    ("portalPage", "Portal Page"),
    ("disabledFeatures", "Disabled Features"),
)


def facts(version: str) -> dict[str, Any]:
    """Every field that `show` prints; those of a connection are empty where there is none."""
    known, health = connection(), himds.status()
    local = layout.read_json(layout.LOCAL_CONFIG)
    cloud = CLOUDS.get(str(known.get("cloud", "")).lower())
    page = f"{cloud.portal}/#@{known['tenantId']}/resource{known['resourceId']}/overview" if cloud else ""
    values = {key: "" for key, _ in _FIELDS}
    values |= {key: str(known[key]) for key in values if key in known}
    values |= {key: str(health[key]) for key in values if key in health}
    return values | {
        "resourceNamespace": NAMESPACE,
        "vmId": vm_id() if known else "",
        "agentVersion": version,
        "agentLogfile": str(layout.HIMDS_LOG),
        "httpsProxy": str(local.get("proxy.url") or ""),
        "proxyBypassList": local.get("proxy.bypass") or [],
        "cloudProvider": "N/A",
        "manufacturer": "arcferry",
        "model": "Lab host",
        "mssqlDiscovered": "false",
        "dependentServiceStatus": {
            "Agent Service (himds)": "running" if himds.running() else "stopped",
            "Azure Arc Proxy (arcproxy)": "stopped",
            "Extension Service (extensionservice)": "stopped",
            "GC Service (gcarcservice)": "stopped",
        },
        "portalPage": page,
        "disabledFeatures": [],
    }


def run(console: Console, version: str, properties: list[str], *, with_os: bool = False) -> None:
    """The `show` command, for all properties or the named ones.

    Raises:
        AgentError: no such property (AZCM0023).
    """
    values = facts(version)
    names = dict(_FIELDS)
    if with_os:
        values["osName"] = os_release().get("PRETTY_NAME", "")
        names["osName"] = "OS Name"
    keys = [_key(name, names) for name in properties] if properties else list(names)
    if console.as_json:
        console.document({key: values[key] for key in keys})
        return
    for key in keys:
        console.out(_line(names[key], values[key]))


def _key(name: str, names: dict[str, str]) -> str:
    for key, label in names.items():
        if name.lower() in (key.lower(), label.lower()):
            return key
    raise AgentError(23, f"unknown property '{name}'")


def _line(label: str, value: object) -> str:
    if isinstance(value, dict):
        rows = [f"  {name:<{_WIDTH - 2}}: {state}" for name, state in value.items()]
        return "\n".join([label, *rows])
    text = ",".join(str(item) for item in value) if isinstance(value, list) else str(value)
    return f"{label:<{_WIDTH}}: {text}"
