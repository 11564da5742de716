"""A resolver's answer while faults are switched on."""

from dataclasses import dataclass

from arcferry_lab.faults import Faults
from arcferry_lab.network.dns import DnsResponse
from arcferry_lab.network.proxy import PROXY_NAME
from arcferry_lab.network.zone import Zone

UNDOCUMENTED = "swedencentral"
"""A region that the twin can answer from, and for which no community is documented."""
PRIVATE_ADDRESS = "10.255.255.1"
_RCODES = {"dns/name-not-found": "NXDOMAIN", "dns/resolver-fails": "SERVFAIL", "dns/no-addresses": "NOERROR"}


@dataclass(frozen=True, slots=True)
class ForeignAddresses:
    """Addresses that false answers lead to.

    Attributes:
        undocumented: of Azure, in the region without a community.
        edge: of Front Door.
        other: of another company's web server.
    """

    undocumented: str
    edge: str
    other: str


def faulty_answer(name: str, zone: Zone, faults: Faults, elsewhere: ForeignAddresses) -> DnsResponse | None:
    """The zone's answer, or what a fault makes of it; None where the resolver stays silent."""
    if faults.take("dns/resolver-unreachable") or faults.take("dns/silent", name):
        return None
    if name == PROXY_NAME and faults.take("proxy/name-not-found"):
        return DnsResponse(rcode="NXDOMAIN")
    for fault, rcode in _RCODES.items():
        if faults.take(fault, name):
            return DnsResponse(rcode=rcode)
    for fault, answer in _false_answers(name, elsewhere).items():
        if faults.take(fault, name):
            return answer
    return zone.answer(name)


def _false_answers(name: str, elsewhere: ForeignAddresses) -> dict[str, DnsResponse]:
    label, _, parent = name.partition(".")
    steered = (f"{label}.trafficmanager.net", f"{label}-sdc.{UNDOCUMENTED}.cloudapp.azure.com")
    return {
        "dns/private-answer-leak": DnsResponse((f"{label}.privatelink.{parent}",), (PRIVATE_ADDRESS,)),
        "dns/blocked-answer": DnsResponse((), ("0.0.0.0",)),
        "dns/wrong-address": DnsResponse((), (elsewhere.other,)),
        "route/not-on-microsoft-peering": DnsResponse((f"{label}-twin.z01.azurefd.net",), (elsewhere.edge,)),
        "route/region-without-community": DnsResponse(steered, (elsewhere.undocumented,)),
    }
