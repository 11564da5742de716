"""The three clouds as the agent knows them, and the discovery of a region's own service."""

import json
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from .failure import AgentError, NetworkError
from .network import AgentHttps

_DISCOVERY_VERSION = "2.1"
_DISCOVERY_SECONDS = 5.0
_OK, _CLIENT_ERROR, _SERVER_ERROR = 200, 400, 500


@dataclass(frozen=True)
class CloudHosts:
    """One cloud's names. Source: network requirements of Azure Arc-enabled servers, 2026-04-01."""

    name: str
    login: str
    arm: str
    his: str
    guest_configuration: str
    sign_in: tuple[str, ...]
    portal: str

    @property
    def global_his(self) -> str:
        """The host that is asked for a region's own HIS host."""
        return f"gbl.{self.his}"

    def required(self, location: str, regional_his: str | None) -> list[str]:
        """The hosts that `check` and `connect` test, sorted by name."""
        hosts = [
            f"agentserviceapi.{self.guest_configuration}",
            f"{location}-gas.{self.guest_configuration}",
            self.global_his,
            self.login,
            self.arm,
            *self.sign_in,
        ]
        return sorted([*hosts, regional_his] if regional_his else hosts)


CLOUDS = {
    cloud.name.lower(): cloud
    for cloud in (
        CloudHosts(
            "AzureCloud",
            "login.microsoftonline.com",
            "management.azure.com",
            "his.arc.azure.com",
            "guestconfiguration.azure.com",
            ("login.windows.net", "pas.windows.net"),
            "https://portal.azure.com",
        ),
        CloudHosts(
            "AzureUSGovernment",
            "login.microsoftonline.us",
            "management.usgovcloudapi.net",
            "his.arc.azure.us",
            "guestconfiguration.azure.us",
            ("pasff.usgovcloudapi.net",),
            "https://portal.azure.us",
        ),
        CloudHosts(
            "AzureChinaCloud",
            "login.chinacloudapi.cn",
            "management.chinacloudapi.cn",
            "his.arc.azure.cn",
            "guestconfiguration.azure.cn",
            ("login.partner.chinacloudapi.cn", "pas.chinacloudapi.cn"),
            "https://portal.azure.cn",
        ),
    )
}


def find_cloud(name: str) -> CloudHosts:
    """The cloud of that name, in any case.

    Raises:
        AgentError: there is none (AZCM0023).
    """
    cloud = CLOUDS.get(name.lower())
    if cloud is None:
        known = ", ".join(entry.name for entry in CLOUDS.values())
        raise AgentError(23, f"invalid cloud '{name}', valid values are: {known}")
    return cloud


def clean_location(text: str) -> str:
    """A location as ARM spells it; spaces are taken out, as azcmagent does since 1.50.

    Raises:
        AgentError: it cannot be a location's name (AZCM0020).
    """
    location = text.replace(" ", "").lower()
    if not location.isascii() or not location.isalnum():
        raise AgentError(20, f"invalid location: '{text}'")
    return location


def discover(network: AgentHttps, cloud: CloudHosts, location: str) -> str:
    """The region's HIS host, such as `ea.his.arc.azure.com`.

    Raises:
        NetworkError: the global service cannot be reached or answers nonsense.
        AgentError: it knows no such location (AZCM0020).
    """
    query = f"location={quote(location)}&api-version={_DISCOVERY_VERSION}"
    url = f"https://{cloud.global_his}/discovery?{query}"
    response = network.request("GET", url, seconds=_DISCOVERY_SECONDS)
    if _CLIENT_ERROR <= response.status < _SERVER_ERROR:
        raise AgentError(20, f"location '{location}' is not valid or not supported by Azure Arc")
    text = response.body.decode("utf-8", errors="replace").strip()
    if response.status != _OK:
        raise NetworkError(f'Get "{url}": unexpected status {response.status}')
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    host = urlsplit(str(value)).hostname or ""
    if not host.endswith(f".{cloud.his}"):
        raise NetworkError(f'Get "{url}": the answer names no service of this cloud')
    return host
