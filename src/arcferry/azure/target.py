"""Where in Azure a fleet goes."""

import re
from dataclasses import dataclass
from pathlib import Path

from arcferry import catalog, typed
from arcferry.errors import InputError
from arcferry.text import quoted

_TENANT_DOMAIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}\.[a-z]{2,}", re.IGNORECASE)
_RESOURCE_GROUP = re.compile(r"[\w().-]{0,89}[\w()-]")


@dataclass(frozen=True, slots=True)
class AzureTarget:
    """The tenant, subscription, resource group and location that machines are made in.

    Attributes:
        arm_url: Azure Resource Manager's address, the cloud's own unless another was asked for.
        authority: Entra's sign-in address, likewise.
        ca_file: a CA to trust in addition to the public roots.
        proxy: an HTTP proxy for calls to Azure from here.
    """

    cloud: catalog.Cloud
    tenant_id: str
    subscription_id: str
    resource_group: str
    location: str
    arm_url: str
    authority: str
    ca_file: Path | None = None
    proxy: str | None = None

    @property
    def scope(self) -> str:
        """The audience of Azure Resource Manager's tokens, whatever address it is reached at."""
        return f"{self.cloud.arm.rstrip('/')}/.default"

    def machine_id(self, name: str) -> str:
        """The ARM id of a machine of that name here."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.HybridCompute/machines/{name}"
        )


def target(
    *,
    cloud: str,
    tenant_id: str,
    subscription_id: str,
    resource_group: str,
    location: str | catalog.Region,
    arm_url: str | None = None,
    authority: str | None = None,
    ca_file: Path | None = None,
    proxy: str | None = None,
) -> AzureTarget:
    """Check what the user gave and fill in the cloud's own addresses.

    Raises:
        InputError: an id, a name or an address that Azure could not accept.
        UnknownNameError: no such cloud or location; near names are offered.
    """
    known = catalog.cloud(cloud)
    region = catalog.region(location, known) if isinstance(location, str) else location
    if not (typed.guid(tenant_id) or _TENANT_DOMAIN.fullmatch(tenant_id)):
        raise InputError(f"tenant {quoted(tenant_id)} is neither a GUID nor a domain name")
    if not typed.guid(subscription_id):
        raise InputError(
            f"subscription {quoted(subscription_id)} is not a GUID",
            hint="`az account show --query id` prints it; a subscription's name is not enough",
        )
    if not _RESOURCE_GROUP.fullmatch(resource_group):
        raise InputError(f"resource group {quoted(resource_group)} is not a name that ARM accepts")
    return AzureTarget(
        cloud=known,
        tenant_id=tenant_id,
        subscription_id=subscription_id.lower(),
        resource_group=resource_group,
        location=region.name,
        arm_url=_https("--arm-url", arm_url or known.arm),
        authority=_https("--authority", authority or known.authority),
        ca_file=ca_file,
        proxy=proxy,
    )


def _https(option: str, url: str) -> str:
    if not re.fullmatch(r"https://[^\s/?#@]+/?", url):
        raise InputError(f"{option} {quoted(url)} is not an address such as https://management.azure.com")
    # Entra compares a client assertion's audience as text, and https's own port is not written in it.
    return url.rstrip("/").removesuffix(":443")
