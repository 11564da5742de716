"""`connect` and `disconnect`, in the order in which azcmagent does things."""

import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import Any

from . import check, himds, layout
from .azure import Arm, access_token, identity_certificate
from .clouds import CloudHosts, clean_location, discover, find_cloud
from .console import Console
from .failure import AgentError, NetworkError
from .identity import NAMESPACE, connection, machine_properties, resource_id, vm_id
from .network import AgentHttps
from .options import Options

_CONNECTING = "Connecting machine to Azure... This might take a few minutes."
_NAME = re.compile(r"^(?!-)[A-Za-z0-9._-]{1,54}(?<![-_.])$")
_BAR = 20


@dataclass(frozen=True)
class MachineTarget:
    """The machine that this host shall become; `scope` is the private link scope that it joins."""

    subscription: str
    group: str
    tenant: str
    name: str
    location: str
    cloud: CloudHosts
    scope: str = ""
    gateway: str = ""

    @property
    def resource_id(self) -> str:
        """Its ARM id."""
        return resource_id(self.subscription, self.group, self.name)

    @property
    def page(self) -> str:
        """Its page in the portal."""
        return f"{self.cloud.portal}/#@{self.tenant}/resource{self.resource_id}/overview"


def need_root(command: str) -> None:
    """Refuse to go on for anybody else.

    Raises:
        AgentError: not root (AZCM0018).
    """
    if os.geteuid() != 0:
        raise AgentError(18, f"azcmagent {command} must be run as root")


def connect(network: AgentHttps, options: Options, console: Console, version: str) -> None:
    """Make this host a machine in Azure; a second try after a failure goes on where the first ended.

    Raises:
        AgentError: the step that failed, by its code.
    """
    need_root("connect")
    target, tags = _target(options), options.tags()
    if connection():
        raise AgentError(67, f"machine is already connected as {connection().get('resourceName')}")
    console.info(_CONNECTING)
    console.info(f"Cloud: {target.cloud.name}")
    his = _reachable(network, target, options, console)
    _progress(console, 20)
    token = access_token(network, target.cloud, options)
    _progress(console, 30)
    arm = Arm(network, target.cloud, token, options.text("correlation-id"))
    created = _create(arm, target, tags, version, console)
    _progress(console, 60)
    certificate = identity_certificate(network, his, vm_id(), target.resource_id, token)
    _progress(console, 80)
    _store(_record(target, his, arm.correlation, created), certificate)
    if not himds.beat(version):
        console.error("The first heartbeat was not accepted; the agent goes on trying")
    himds.start()
    _progress(console, 100)
    _tell_success(console, target)


def disconnect(network: AgentHttps, options: Options, console: Console) -> None:
    """Delete the machine in Azure, unless told otherwise, and forget the connection here.

    Raises:
        AgentError: no credential (AZCM0041), or ARM refused (AZCM0012, AZCM0043).
    """
    need_root("disconnect")
    known = connection()
    if not known:
        console.info("Machine is not connected to Azure")
        return
    if not options.flag("force-local-only"):
        console.info("Disconnecting agent...")
        cloud = find_cloud(str(known["cloud"]))
        token = access_token(network, cloud, options)
        Arm(network, cloud, token, str(known.get("correlationId", ""))).delete(str(known["resourceId"]))
        console.info("Deleted resource in Azure", Resource_ID=known["resourceId"])
    himds.stop()
    for path in (layout.AGENT_CONFIG, layout.CERTIFICATE, layout.PRIVATE_KEY, layout.HEARTBEAT):
        path.unlink(missing_ok=True)
    console.info("Successfully disconnected the machine")
    if console.as_json:
        console.document({"status": "success"})


def _target(options: Options) -> MachineTarget:
    options.need("subscription-id", "resource-group", "tenant-id", "location")
    name = options.text("resource-name") or socket.gethostname()
    if not _NAME.match(name):
        raise AgentError(
            102, f"resource name '{name[:60]}' has letters that Azure does not allow, or over 54"
        )
    return MachineTarget(
        options.text("subscription-id"),
        options.text("resource-group"),
        options.text("tenant-id"),
        name,
        clean_location(options.text("location")),
        find_cloud(options.text("cloud", "AzureCloud")),
        options.text("private-link-scope"),
        options.text("gateway-id"),
    )


def _reachable(network: AgentHttps, target: MachineTarget, options: Options, console: Console) -> str:
    """The region's HIS host, once everything that is required has answered."""
    cloud, location = target.cloud, target.location
    if options.flag("ignore-network-check"):
        try:
            return discover(network, cloud, location)
        except NetworkError as error:
            raise AgentError(26, f"Regional Service Discovery: {error}") from error
    console.info(check.TESTING)
    result = check.test(network, cloud, location, console)
    if not result.passed:
        raise AgentError(26, check.unavailable(result, cloud))
    return result.regional_his


def _create(
    arm: Arm, target: MachineTarget, tags: dict[str, str], version: str, console: Console
) -> dict[str, Any]:
    resource = target.resource_id
    console.info("Creating resource in Azure...", Correlation_ID=arm.correlation, Resource_ID=resource)
    existing = arm.get(resource)
    holder = str((existing or {}).get("properties", {}).get("vmId", "")).lower()
    if holder and holder != vm_id():
        raise AgentError(44, f"resource {resource} exists and belongs to another machine (VM ID {holder})")
    properties = machine_properties(version)
    if target.scope:
        properties["privateLinkScopeResourceId"] = target.scope
    public_key = _public_key()
    if public_key:
        properties["clientPublicKey"] = public_key
    document = {
        "location": target.location,
        "identity": {"type": "SystemAssigned"},
        "tags": tags,
        "properties": properties,
    }
    created = arm.put(resource, document)
    console.debug("ARM Resource Creation Successful", Resource_ID=resource)
    return created


def _public_key() -> str:
    """The public half of a new RSA key, base64 DER; empty where the host has no openssl.

    The twin's HIS makes the machine's key pair itself, so that the private half is thrown away.
    """
    openssl = shutil.which("openssl")
    if not openssl:
        return ""
    key = subprocess.run([openssl, "genrsa", "2048"], capture_output=True, check=False, timeout=60)
    public = subprocess.run(
        [openssl, "rsa", "-pubout"], input=key.stdout, capture_output=True, check=False, timeout=60
    )
    lines = public.stdout.decode("ascii", errors="replace").splitlines()
    return "".join(line for line in lines if line and not line.startswith("-----"))


def _record(target: MachineTarget, his: str, correlation: str, created: dict[str, Any]) -> dict[str, Any]:
    return {
        "subscriptionId": target.subscription,
        "resourceGroup": target.group,
        "resourceName": target.name,
        "resourceId": target.resource_id,
        "tenantId": target.tenant,
        "location": target.location,
        "cloud": target.cloud.name,
        "privateLinkScope": target.scope,
        "gatewayId": target.gateway,
        "vmId": vm_id(),
        "vmUuid": str(created.get("properties", {}).get("vmUuid", "")),
        "namespace": NAMESPACE,
        "correlationId": correlation,
        "principalId": str((created.get("identity") or {}).get("principalId", "")),
        "hisHost": his,
    }


def _store(record: dict[str, Any], certificate: dict[str, Any]) -> None:
    """Certificate first: the record's presence means that everything else is there."""
    try:
        layout.write_private(layout.CERTIFICATE, str(certificate["certificate"]).encode())
        layout.write_private(layout.PRIVATE_KEY, str(certificate["privateKey"]).encode())
        record["certificateNotAfter"] = str(certificate.get("notAfter", ""))
        layout.write_json(layout.AGENT_CONFIG, record)
    except OSError as error:
        raise AgentError(106, f"agent configuration could not be saved: {error.strerror}") from error


def _progress(console: Console, percent: int) -> None:
    if console.as_json:
        return
    done = _BAR * percent // 100
    bar = "=" * done if done == _BAR else "=" * max(done - 1, 0) + ">" + " " * (_BAR - done)
    console.out(f"  {percent:>3}% [{bar}]")


def _tell_success(console: Console, target: MachineTarget) -> None:
    console.info("Connected machine to Azure")
    console.info(f"Machine overview page: {target.page}")
    if console.as_json:
        document = {"status": "success", "resourceId": target.resource_id, "vmId": vm_id()}
        console.document(document | {"portalUrl": target.page})
