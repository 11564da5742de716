"""Everything the twin's Azure remembers, in memory, in one object."""

import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cryptography import x509

from arcferry.errors import UnknownNameError
from arcferry_lab.azure.plane import ControlPlane
from arcferry_lab.azure.roles import ROLES, Role
from arcferry_lab.azure.tokens import TokenSigner
from arcferry_lab.faults import Faults

ROUTE_FILTER = "rf-microsoft-peering"
_JOURNAL = 20_000


@dataclass(slots=True)
class Application:
    """An application in the twin's tenant, with its roles, and what it may sign in with.

    Attributes:
        trusted: issuer and subject of tokens of others that it signs in with, and the issuer's key in PEM.
    """

    client_id: str
    roles: tuple[Role, ...]
    secret: str = field(repr=False)
    object_id: str = field(default_factory=lambda: str(uuid4()))
    certificates: list[x509.Certificate] = field(default_factory=list)
    trusted: list[tuple[str, str, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class ArcMachine:
    """A Microsoft.HybridCompute machine: what ARM was given, and what HIS heard of it.

    Attributes:
        written_again: whether somebody put it where it was already.
    """

    group: str
    name: str
    location: str
    tags: dict[str, str]
    properties: dict[str, Any]
    kind: str | None = None
    principal_id: str = field(default_factory=lambda: str(uuid4()))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_heartbeat: datetime | None = None
    written_again: bool = False

    @property
    def vm_id(self) -> str:
        """The agent's own identifier of the server, empty where ARM was not given one."""
        return str(self.properties.get("vmId") or "")


@dataclass(slots=True)
class ResourceGroup:
    """A resource group; the letter case it was created with is kept."""

    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CannedResponse:
    """An answer that a service gives in place of its own, whatever was asked of it."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that a service of the twin answered."""

    at: datetime
    host: str
    method: str
    path: str
    status: int


@dataclass(slots=True)
class CircuitState:
    """The twin's ExpressRoute circuit with its Microsoft peering, before any fault changes it.

    Attributes:
        links: the two prefixes between the customer's routers and Microsoft's, the primary first.
        advertised_prefixes: the customer's NAT pool; of a range for documentation (RFC 5737).
        filter_attached: whether the twin's route filter is attached to the peering.
        ipv6: whether the peering carries IPv6 too.
        bandwidth: in Mbit/s.
        has_peering: whether it has its Microsoft peering, which clients may delete.
        other_filter: the id of a filter that is attached in place of the twin's own.
    """

    tier: str = "Premium"
    peering_location: str = "Hong Kong"
    provisioning: str = "Provisioned"
    peering_state: str = "Enabled"
    peer_asn: int = 65010
    links: tuple[str, str] = ("198.51.100.0/30", "198.51.100.4/30")
    advertised_prefixes: tuple[str, ...] = ("203.0.113.0/28",)
    advertised_state: str = "Configured"
    filter_attached: bool = True
    ipv6: bool = False
    family: str = "MeteredData"
    bandwidth: int = 1000
    provider: str = "Contoso Carrier"
    vlan: int = 300
    tags: dict[str, str] = field(default_factory=dict)
    has_peering: bool = True
    other_filter: str = ""


async def _nobody_listens() -> None:
    """The default where no network follows the route filter."""


@dataclass(slots=True)
class AzureState:
    """One tenant, one subscription and what is in them.

    Keys of `groups` and `machines` are lower-case, as ARM's names are case-insensitive.

    Attributes:
        authority: the authority's URL for clients outside the twin's DNS.
        arm_url: ARM's URL for the same.
        communities: what the route filter allows.
        filter_changed: awaited after `communities` changed, before the caller gets its answer.
        subscription_state: such as Enabled, Disabled, Warned or PastDue.
        authorization: locks, policies and role assignments by their ids in lower case.
        private_link_scopes: by lower-case group and name.
        looks_until_registered: how often a provider is still Registering after it was asked for.
        network_group: the group that filter and circuit lie in, the first one; it stays the name
            in their ids when the group is gone.
        has_network: whether they exist; they go with their group and do not come back with its name.
        replies: answers in place of the services' own, by a pattern for the path in any case, such as
            `*/machines`.
        route_rows: gives the rows of a link's route table (`primary` or `secondary`), set by a network that
            has routers.
        operations: results of asynchronous operations that wait to be fetched, by their ids.
        silence: how long after its last heartbeat a machine counts as Disconnected.
        page: the size of a list's page.
        plane: what requests to Resource Manager wrote, and what still runs of it.
    """

    location: str
    authority: str = ""
    arm_url: str = ""
    tenant_id: str = field(default_factory=lambda: str(uuid4()))
    subscription_id: str = field(default_factory=lambda: str(uuid4()))
    signer: TokenSigner = field(default_factory=TokenSigner, repr=False)
    clients: dict[str, Application] = field(default_factory=dict)
    groups: dict[str, ResourceGroup] = field(default_factory=dict)
    machines: dict[tuple[str, str], ArcMachine] = field(default_factory=dict)
    subscription_state: str = "Enabled"
    authorization: dict[str, dict[str, Any]] = field(default_factory=dict)
    private_link_scopes: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    looks_until_registered: int = 0
    registering: dict[str, int] = field(default_factory=dict)
    network_group: str = ""
    has_network: bool = False
    replies: dict[str, CannedResponse] = field(default_factory=dict)
    registered: dict[str, bool] = field(
        default_factory=lambda: {
            "Microsoft.HybridCompute": True,
            "Microsoft.GuestConfiguration": True,
            "Microsoft.HybridConnectivity": True,
            "Microsoft.Network": True,
            "Microsoft.Resources": True,
            "Microsoft.AzureArcData": False,
        }
    )
    communities: list[str] = field(default_factory=list)
    filter_changed: Callable[[], Awaitable[None]] = _nobody_listens
    circuit: CircuitState = field(default_factory=CircuitState)
    route_rows: Callable[[str], Awaitable[list[dict[str, Any]]]] | None = None
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    service_tags: dict[str, Any] = field(default_factory=dict)
    bgp_communities: dict[str, Any] = field(default_factory=dict)
    issue_identity: Callable[[ArcMachine], tuple[bytes, bytes]] | None = None
    faults: Faults = field(default_factory=Faults)
    journal: deque[Call] = field(default_factory=lambda: deque(maxlen=_JOURNAL))
    silence: timedelta = timedelta(minutes=15)
    page: int = 100
    plane: ControlPlane = field(default_factory=ControlPlane)

    def add_client(self, role_name: str = "contributor") -> Application:
        """A new application with its own secret.

        Raises:
            UnknownNameError: there is no such role.
        """
        if role_name not in ROLES:
            raise UnknownNameError("role", role_name, ROLES)
        return self.add_client_with(ROLES[role_name])

    def add_client_with(self, *roles: Role) -> Application:
        """A new application with exactly these roles."""
        client = Application(str(uuid4()), roles, secrets.token_urlsafe(30))
        self.clients[client.client_id] = client
        return client

    def add_group(self, name: str, location: str = "") -> ResourceGroup:
        """A new resource group, in the twin's own location where none is given."""
        group = ResourceGroup(name, location or self.location)
        self.groups[name.lower()] = group
        if not self.network_group:
            self.network_group, self.has_network = name, True
        return group

    def drop_group(self, name: str) -> None:
        """Delete a group with everything in it."""
        key = name.lower()
        del self.groups[key]
        for one in [one for one in self.machines if one[0] == key]:
            del self.machines[one]
        for scope in [scope for scope in self.private_link_scopes if scope[0] == key]:
            del self.private_link_scopes[scope]
        self.plane.drop(f"/subscriptions/{self.subscription_id}/resourceGroups/{name}")
        if key == self.network_group.lower():
            self.has_network = False

    def network_in(self, group: str) -> bool:
        """Whether filter and circuit lie in the group of this name."""
        return self.has_network and group.lower() == self.network_group.lower()

    def machine_with(self, vm_id: str) -> ArcMachine | None:
        """The machine that a server of this identifier is."""
        return next((one for one in self.machines.values() if one.vm_id.lower() == vm_id.lower()), None)

    async def allow(self, communities: list[str]) -> None:
        """Give the route filter this list, and wait until the network follows it."""
        self.communities = list(dict.fromkeys(communities))
        await self.filter_changed()
