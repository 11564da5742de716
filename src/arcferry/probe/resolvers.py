"""Which name servers this machine asks, and what its hosts file says before they are asked."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import dns.resolver

from arcferry.errors import FileInputError
from arcferry.files import read_bounded
from arcferry.probe.settings import Nameserver, ProbeSettings

_HOSTS_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Resolvers:
    """Where names are looked up.

    Attributes:
        nameservers: in the order in which they are asked; empty where none is configured.
        hosts: addresses by lower-case name, from the hosts file.
        hosts_file: the file's path, which is what an answer from it names as its resolver.
    """

    nameservers: tuple[Nameserver, ...]
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hosts_file: str = ""

    def __str__(self) -> str:
        return ", ".join(map(str, self.nameservers))


def choose_resolvers(settings: ProbeSettings) -> Resolvers:
    """The one resolver that was asked for, else the system's, with its hosts file."""
    if settings.nameserver:
        return Resolvers((settings.nameserver,))
    return system_resolvers(_hosts_path())


def system_resolvers(hosts_file: Path, resolv_conf: Path | None = None) -> Resolvers:
    """The system's name servers (`/etc/resolv.conf`, or the registry on Windows) and hosts file.

    A system without any gives empty ones: that is a finding about the machine, not an error.
    """
    return Resolvers(_system_nameservers(resolv_conf), _read_hosts(hosts_file), str(hosts_file))


def _system_nameservers(resolv_conf: Path | None) -> tuple[Nameserver, ...]:
    resolver = dns.resolver.Resolver(configure=False)
    try:
        if resolv_conf:
            resolver.read_resolv_conf(str(resolv_conf))
        else:
            resolver = dns.resolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, ValueError, OSError):
        return ()
    return tuple(Nameserver(text) for text in resolver.nameservers if isinstance(text, str))


def _hosts_path() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "drivers", "etc", "hosts")
    return Path("/etc/hosts")


def _read_hosts(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        text = read_bounded(path, limit=_HOSTS_LIMIT).decode("utf-8", errors="replace")
    except FileInputError:
        return {}
    hosts: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if _is_address(address):
            for name in names:
                key = name.lower().rstrip(".")
                hosts[key] = (*hosts.get(key, ()), address)
    return hosts


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
