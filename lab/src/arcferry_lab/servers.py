"""The twin's hosts: started side by side, with the key, known_hosts and inventory to reach them."""

import asyncio
import csv
import io
from collections.abc import Sequence
from pathlib import Path

import asyncssh

from arcferry import files
from arcferry.errors import BlockedError, InputError
from arcferry_lab.hosts import HostSettings, LabHost, build_agent_package, start_host, unavailable
from arcferry_lab.network.block import first_free
from arcferry_lab.network.loopback import Loopback
from arcferry_lab.network.network import TwinNetwork
from arcferry_lab.network.plan import HOST_NET
from arcferry_lab.paths import LabPaths

MOST_HOSTS = 250
_SSH = 22
_HIGH_PORTS = range(2222, 2322)


class Servers:
    """The hosts of one twin, and the agent's packages: as deb, and as rpm where a host takes that."""

    def __init__(self, paths: LabPaths) -> None:
        self.hosts: list[LabHost] = []
        self.package: Path | None = None
        self.rpm_package: Path | None = None
        self._paths = paths

    async def start(
        self, count: int, network: TwinNetwork, ca_pem: bytes, location: str, *, rpm_hosts: int = 0
    ) -> None:
        """Start `count` hosts, the last `rpm_hosts` of them with rpm, and write how they are reached.

        Raises:
            InputError: more hosts than the network has addresses for, or it has hosts of its own; or more
                with rpm than there are hosts.
            BlockedError: this machine cannot run hosts.
        """
        if not 0 <= count <= MOST_HOSTS:
            raise InputError(f"a twin has 0 to {MOST_HOSTS} hosts, not {count}")
        if not 0 <= rpm_hosts <= count:
            raise InputError(
                f"{rpm_hosts} hosts with rpm of {count} hosts in all", hint="--hosts counts both kinds."
            )
        public_key = self._write_key()
        if count:
            if not isinstance(network, Loopback):
                raise InputError(
                    "the hosts of a network of namespaces are its own two, without SSH",
                    hint="Leave --hosts out; arcferry lab exec host1 -- COMMAND runs a command on one.",
                )
            settings = _settings(count, network, ca_pem, location, rpm_hosts)
            for kind in {one.packages for one in settings}:
                reason = unavailable(kind)
                if reason:
                    raise BlockedError(
                        f"hosts with {kind} packages cannot run here: {reason}",
                        hint="--hosts 0 starts all the rest.",
                    )
            await asyncio.to_thread(self._build_packages, with_rpm=rpm_hosts > 0)
            await self._start_all(settings, public_key)
        self._write_lists()

    async def stop(self) -> None:
        """Stop every host."""
        await asyncio.gather(*(host.stop() for host in self.hosts))
        self.hosts = []

    def _build_packages(self, *, with_rpm: bool) -> None:
        # also where every host has rpm, if it can be built: a bundle may carry both
        if unavailable("deb") is None:
            self.package = build_agent_package(self._paths.folder)
        if with_rpm:
            self.rpm_package = build_agent_package(self._paths.folder, kind="rpm")

    async def _start_all(self, settings: Sequence[HostSettings], public_key: str) -> None:
        starting = [asyncio.create_task(start_host(one, self._paths.hosts, public_key)) for one in settings]
        results = await asyncio.gather(*starting, return_exceptions=True)
        self.hosts = [result for result in results if not isinstance(result, BaseException)]
        for result in results:
            if isinstance(result, BaseException):
                await self.stop()
                raise result

    def _write_key(self) -> str:
        key = asyncssh.generate_private_key("ssh-ed25519", comment="arcferry twin")
        files.write_whole(self._paths.key, key.export_private_key(), mode=0o600)
        public = key.export_public_key()
        files.write_whole(self._paths.key.with_suffix(".pub"), public)
        return public.decode().strip()

    def _write_lists(self) -> None:
        known = ""
        for host in self.hosts:
            name = host.address if host.port == _SSH else f"[{host.address}]:{host.port}"
            known += f"{name} {host.host_key.strip()}\n"
        files.write_whole(self._paths.known_hosts, known.encode())
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(["name", "address", "port", "transport", "user", "tags"])
        for host in self.hosts:
            rows.writerow([host.name, host.address, host.port, "ssh", host.user, "site=lab"])
        files.write_whole(self._paths.inventory, table.getvalue().encode())


def _settings(
    count: int, network: Loopback, ca_pem: bytes, location: str, rpm_hosts: int
) -> list[HostSettings]:
    port = first_free(network.block.address(HOST_NET, 1), _SSH, *_HIGH_PORTS)
    return [
        HostSettings(
            name=f"server{number:02d}",
            address=network.block.address(HOST_NET, number),
            port=port,
            resolver=network.resolver,
            service_port=network.port,
            ca_pem=ca_pem,
            location=location,
            packages="rpm" if number > count - rpm_hosts else "deb",
        )
        for number in range(1, count + 1)
    ]
