"""The twin: Azure's services, a closed network and its hosts, started and stopped as one."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from arcferry import catalog, files
from arcferry.errors import InputError, UnknownNameError
from arcferry_lab.azure import circuits as azure_circuits
from arcferry_lab.azure import network as azure_network
from arcferry_lab.azure.state import Application, ArcMachine, AzureState
from arcferry_lab.faults import LOOPBACK, NAMESPACES, Faults
from arcferry_lab.hosts.windows.versions import DEFAULT_VERSION
from arcferry_lab.network.block import claim, service_port
from arcferry_lab.network.loopback import Loopback
from arcferry_lab.network.namespaces.namespaces import PORT, Namespaces
from arcferry_lab.network.network import NEIGHBOURS, TwinNetwork
from arcferry_lab.network.plan import region_number
from arcferry_lab.paths import LabPaths
from arcferry_lab.pki import Authority, new_rsa_key
from arcferry_lab.servers import Servers, Wanted
from arcferry_lab.services import application_at

RESOURCE_GROUP = "rg-arc"
STORY_NAME = "agentserviceapi.guestconfiguration.azure.com"


@dataclass(frozen=True, slots=True)
class TwinSettings:
    """What a twin is to be.

    Attributes:
        folder: where its files go; it must be the twin's own.
        network: `loopback`, or `namespaces`.
        hosts: how many Linux hosts with SSH it has; a network of namespaces has hosts of its own, and none.
        rpm_hosts: how many of these, the last ones, install packages with rpm and not with dpkg.
        windows_hosts: how many Windows hosts it has beside these.
        windows_version: the year of their Windows Server.
        port: the port of all its services; 443 where it can be had, else a high one, where None.
        location: the region that its machines are meant for.
        communities: what the route filter allows at first; None for the story's: the location's region,
            Entra and ARM.
        steered: steered names and the region each answers with; None for the story's: agentserviceapi
            in another region than the location.
    """

    folder: Path
    network: str = LOOPBACK
    hosts: int = 0
    rpm_hosts: int = 0
    windows_hosts: int = 0
    windows_version: str = DEFAULT_VERSION
    port: int | None = None
    location: str = "eastasia"
    communities: tuple[str, ...] | None = None
    steered: Mapping[str, str] | None = None


@dataclass(slots=True)
class Twin:
    """A running twin.

    Attributes:
        azure: what its Azure knows; faults are switched on and off at `azure.faults`.
        client: the application made for this run, which may do everything.
    """

    settings: TwinSettings
    paths: LabPaths
    azure: AzureState
    network: TwinNetwork
    servers: Servers
    authority: Authority = field(repr=False)
    client: Application = field(repr=False)

    @classmethod
    @asynccontextmanager
    async def start(cls, settings: TwinSettings) -> AsyncIterator["Twin"]:
        """A twin that runs while the context is open; its files stay.

        Raises:
            LabError: an address, a port or a host could not be had.
            InputError: the location is unknown, or a setting is out of range.
            BlockedError: this computer has not what its network or its hosts take.
        """
        async with AsyncExitStack() as stack:
            twin = _made(settings, stack)
            stack.push_async_callback(twin.network.stop)
            await twin.network.start(application_at(twin.azure))
            stack.push_async_callback(twin.servers.stop)
            wanted = Wanted(
                settings.hosts, settings.rpm_hosts, settings.windows_hosts, settings.windows_version
            )
            await twin.servers.start(wanted, twin.network, twin.authority, twin.azure.location)
            await twin.prepare()
            yield twin

    async def allow(self, *communities: str) -> None:
        """Let the route filter allow these communities and no others."""
        await self.azure.allow(list(communities))

    async def steer(self, name: str, region: str, resolver: str = "") -> None:
        """Let a steered name's answer lie in a region.

        Args:
            name: the steered name.
            region: where the answer is to lie.
            resolver: the forwarder whose answer moves, in a network of namespaces; every one's where empty.

        Raises:
            UnknownNameError: the name is not steered, or there is no such region or resolver.
            InputError: a resolver is named, and the network has one alone.
            LabError: the network has no addresses for the region.
        """
        await self.network.steer(name, region, resolver)
        self._publish()

    async def prepare(self) -> None:
        """Write its files, and steer and filter as its settings say; part of `start`."""
        files.write_whole(self.paths.ca, self.authority.pem)
        files.write_whole(self.paths.secret, self.client.secret.encode(), mode=0o600)
        files.write_whole(self.paths.certificate, self.register_certificate(_first_key()), mode=0o600)
        self.azure.arm_url = self.network.arm_url
        self.azure.authority = self.network.authority_url
        self.azure.filter_changed = self._follow_filter
        if isinstance(self.network, Namespaces):
            self.azure.route_rows = self.network.route_rows
        await self._steer_at_first()
        home = f"12076:510{region_number(self.azure.location):02d}"
        communities = self.settings.communities
        await self.allow(*((home, "12076:5060", "12076:5070") if communities is None else communities))

    def register_certificate(self, key: rsa.RSAPrivateKey | None = None) -> bytes:
        """Give the client a certificate, for a new key where None; returns it and the key as one PEM file."""
        # with an RSA key, because azure-identity signs its assertions with nothing else
        leaf = self.authority.issue([self.client.client_id], client=True, key=key or new_rsa_key())
        self.client.certificates.append(x509.load_pem_x509_certificate(leaf.certificate_pem))
        return leaf.certificate_pem + leaf.key_pem

    async def add_fault(self, name: str, host: str = "", *, times: int | None = None) -> None:
        """Switch a fault on; one of TCP changes the gates, which `azure.faults.add` alone would not.

        Raises:
            UnknownNameError: there is no such fault.
            InputError: the host is missing, or `times` is not positive.
        """
        self.azure.faults.add(name, host, times=times)
        await self._follow_faults()

    async def remove_fault(self, name: str, host: str = "") -> int:
        """Switch a fault off, for one host or for all; returns how many were switched on.

        Raises:
            UnknownNameError: there is no such fault.
        """
        removed = self.azure.faults.remove(name, host)
        await self._follow_faults()
        return removed

    async def _steer_at_first(self) -> None:
        """In the story, the answer is in another region for one resolver, and at home for any other."""
        resolver = "corp" if isinstance(self.network, Namespaces) else ""
        if self.settings.steered is None:
            elsewhere = next(region for region in reversed(NEIGHBOURS) if region != self.azure.location)
            await self.steer(STORY_NAME, elsewhere, resolver)
        for name, region in (self.settings.steered or {}).items():
            await self.steer(name, region)
        self._publish()

    async def _follow_faults(self) -> None:
        await self.network.settle()
        self._write_circuit()

    async def _follow_filter(self) -> None:
        # The request that changes the filter may come through a gate that now closes, which cancels its
        # handler; the change itself must not end halfway with it.
        await asyncio.shield(asyncio.create_task(self._apply_filter()))

    async def _apply_filter(self) -> None:
        await self.network.allow(azure_network.communities_in_effect(self.azure))
        self._write_circuit()

    def _write_circuit(self) -> None:
        """What Azure shows of the circuit and of its route filter, which faults change too."""
        files.write_whole(self.paths.route_filter, _pretty(azure_network.route_filter(self.azure)))
        files.write_whole(self.paths.circuit, _pretty(azure_circuits.circuit(self.azure)))

    def _publish(self) -> None:
        self.azure.service_tags = self.network.service_tags()
        self.azure.bgp_communities = self.network.bgp_communities()
        files.write_whole(self.paths.service_tags, _pretty(self.azure.service_tags))
        files.write_whole(self.paths.communities, _pretty(self.azure.bgp_communities))


def _made(settings: TwinSettings, stack: AsyncExitStack) -> Twin:
    location = catalog.region(settings.location, catalog.cloud("AzureCloud")).name
    region_number(location)
    authority = Authority()
    azure = AzureState(location, issue_identity=lambda machine: _identity(authority, machine))
    azure.add_group(RESOURCE_GROUP)
    network = _network(settings, location, authority, azure.faults, stack)
    paths = LabPaths.of(settings.folder.absolute(), datetime.now(UTC).date())
    return Twin(settings, paths, azure, network, Servers(paths), authority, azure.add_client())


def _network(
    settings: TwinSettings, location: str, authority: Authority, faults: Faults, stack: AsyncExitStack
) -> TwinNetwork:
    if settings.network == LOOPBACK:
        block = claim()
        stack.callback(block.release)
        return Loopback(block, service_port(block, settings.port), location, authority, faults)
    if settings.network != NAMESPACES:
        raise UnknownNameError("network", settings.network, (LOOPBACK, NAMESPACES))
    if settings.port not in {None, PORT}:
        raise InputError(
            f"every service of a network of namespaces listens on {PORT}", hint="Leave --port out."
        )
    return Namespaces(settings.folder.absolute(), location, authority, faults)


@cache
def _first_key() -> rsa.RSAPrivateKey:
    """For the first certificate of every twin in this process: a key costs a third of a twin's start."""
    return new_rsa_key()


def _identity(authority: Authority, machine: ArcMachine) -> tuple[bytes, bytes]:
    # Wine's Schannel signs with an RSA key alone
    key = new_rsa_key() if machine.properties.get("osType") == "windows" else None
    leaf = authority.issue([machine.vm_id], client=True, key=key)
    return leaf.certificate_pem, leaf.key_pem


def _pretty(document: object) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
