"""The twin's DNS: every name with the chain of CNAMEs that has been published for it.

The chains are those of public notes from 2021 to 2025. Where a note ends before the last name, as for
gbl.his.arc.azure.com, that last name is the twin's own.
"""

from collections.abc import Iterable

from arcferry.errors import UnknownNameError
from arcferry_lab.names import his_code
from arcferry_lab.network.dns import DnsResponse
from arcferry_lab.network.plan import Place, Service

_STAMPS = {
    "japaneast": "jpe-gas-cses-1b",
    "australiaeast": "ae-gas-cses-1c",
    "australiasoutheast": "ase-gas-cses-1a",
}
STEERED = {
    "agentserviceapi.guestconfiguration.azure.com": Service.AGENT_SERVICE,
    "gbl.his.arc.azure.com": Service.GLOBAL_HIS,
    "guestnotificationservice.azure.com": Service.NOTIFICATION,
    "management.azure.com": Service.ARM,
}


class Zone:
    """Names to answers. A steered name answers with the place in the region it is steered to."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._places: list[Place] = []
        self._others: dict[str, str] = {}
        self.steered: dict[str, str] = dict.fromkeys(STEERED, home)

    def add(self, places: Iterable[Place]) -> None:
        """Let the zone know of these places."""
        self._places.extend(places)

    def add_host(self, name: str, address: str) -> None:
        """Let a name that is no service of Azure's resolve."""
        self._others[name] = address

    def steer(self, name: str, region: str) -> None:
        """Let a steered name answer with the place in a region that was added before.

        Raises:
            UnknownNameError: the name is not one that Traffic Manager steers.
        """
        self.steered[check_steered(name)] = region

    def answer(self, name: str) -> DnsResponse:
        """What the twin's resolver says to a name; a name inside a chain gets the rest of that chain."""
        if name in self._others:
            return DnsResponse((), (self._others[name],))
        for host in self._hosts():
            if name == host:
                return DnsResponse(self._chain(host), (self._place(host).address,))
            chain = self._chain(host)
            if name in chain:
                rest = chain[chain.index(name) + 1 :]
                return DnsResponse(rest, (self._place(host).address,))
        return DnsResponse(rcode="NXDOMAIN")

    def place(self, name: str) -> Place | None:
        """Where a name leads, None where no place has it."""
        return self._place(name) if name in self._hosts() else None

    def _hosts(self) -> list[str]:
        return list(dict.fromkeys(name for place in self._places for name in place.names))

    def _place(self, host: str) -> Place:
        region = self.steered.get(host)
        places = [place for place in self._places if host in place.names]
        return next((place for place in places if place.region == region), places[0])

    def _chain(self, host: str) -> tuple[str, ...]:
        place = self._place(host)
        return _chain(host, place.service, place.region)


def check_steered(name: str) -> str:
    """The name in its own letter case.

    Raises:
        UnknownNameError: the name is not one that Traffic Manager steers.
    """
    host = name.lower().rstrip(".")
    if host not in STEERED:
        raise UnknownNameError("steered name", name, STEERED)
    return host


def _chain(host: str, service: Service, region: str) -> tuple[str, ...]:
    label = host.split(".", maxsplit=1)[0]
    match service:
        case Service.AGENT_SERVICE:
            return (
                "agentserviceapi.privatelink.guestconfiguration.azure.com",
                "agentserviceapi.trafficmanager.net",
                f"{_STAMPS.get(region, f'{his_code(region)}-gas-cses-1a')}.{region}.cloudapp.azure.com",
            )
        case Service.GAS:
            return (f"{label}.privatelink.guestconfiguration.azure.com",)
        case Service.GLOBAL_HIS:
            return (
                "gbl.privatelink.his.arc.azure.com",
                "gbl.his.hybridcompute.trafficmanager.net",
                f"{his_code(region)}-his-twin.{region}.cloudapp.azure.com",
            )
        case Service.HIS:
            return (f"{label}.privatelink.his.arc.azure.com",)
        case Service.NOTIFICATION:
            return ("azgnstm.trafficmanager.net", f"azgns{region}.{region}.cloudapp.azure.com")
        case _:
            return _FIXED.get(host, ()) + ((f"{region}.{host}",) if host == "management.azure.com" else ())


_FIXED = {
    "management.azure.com": ("management.privatelink.azure.com", "arm-frontdoor-prod.trafficmanager.net"),
    "login.microsoftonline.com": (
        "login.mso.msidentity.com",
        "ak.privatelink.msidentity.com",
        "www.tm.a.prd.aadg.trafficmanager.net",
    ),
    "packages.microsoft.com": ("pmc-prod-afd-endpoint-twin.b01.azurefd.net", "mr-b01.tm-azurefd.net"),
    "download.microsoft.com": ("download.microsoft.com.edgekey.net", "e3673.dscg.akamaiedge.net"),
}
