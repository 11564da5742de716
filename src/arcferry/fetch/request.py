"""What a user asks to be fetched, by which way, and what was fetched."""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from arcferry import catalog
from arcferry.bundle import Role
from arcferry.catalog import Cloud, Region
from arcferry.data.download import SITE
from arcferry.data.update import SignIn
from arcferry.errors import InputError, UnknownNameError
from arcferry.fetch.distributions import PACKAGES, Choice, names
from arcferry.fetch.transfer import FetchedFile
from arcferry.https import Advice, HttpsClient, connection_pool
from arcferry.text import quoted

HTTPS = 443
_DOWNLOADS = "download.microsoft.com"
_PAGES = "www.microsoft.com"
_NOTIFICATION = {
    "AzureCloud": "guestnotificationservice.azure.com",
    "AzureChinaCloud": "guestnotificationservice.azure.cn",
}
_HOST = re.compile(r"[a-z0-9.-]{1,253}")
ADVICE = Advice(
    not_allowed="Where a mirror keeps its files on another host, name that host with --mirror.",
    no_answer="Run the same command again: what has arrived stays, and the rest is fetched. Without a way "
    "to Microsoft from here, download the file elsewhere and name it with --agent.",
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where each of Microsoft's hosts is reached.

    Attributes:
        mirrors: the address that stands for a host, by host.
        under: one address under which every other host's name is a folder; None for Microsoft's own.
        port: the port of Azure Arc's own services, where it is not 443.
    """

    mirrors: dict[str, URL] = field(default_factory=dict)
    under: URL | None = None
    port: int | None = None

    def at(self, host: str, path: str) -> URL:
        """A path of one of Microsoft's hosts, where it is to be asked for."""
        if mirror := self._mirror(host):
            return mirror.joinpath(*path.split("/"), encoded=True)
        return URL.build(scheme="https", host=host, port=self._port(host), path=f"/{path}", encoded=True)

    @property
    def pages(self) -> str:
        """Where Microsoft's download pages are."""
        mirror = self._mirror(_PAGES)
        return str(mirror).rstrip("/") if mirror else SITE

    def allows(self, url: URL) -> bool:
        """Whether this may be asked: https, nobody's name in it, a known host or a mirror's."""
        if url.scheme != "https" or url.user or url.password or not url.host:
            return False
        mirrors = {(one.host, one.port) for one in (*self.mirrors.values(), self.under) if one}
        own = url.host in known_hosts() and url.port in (HTTPS, self._port(url.host))
        return own or (url.host, url.port) in mirrors

    def _mirror(self, host: str) -> URL | None:
        return self.mirrors.get(host) or (self.under / host if self.under else None)

    def _port(self, host: str) -> int:
        return self.port if self.port and host in _arc_services() else HTTPS


def read_sources(mirrors: Sequence[str], *, port: int | None = None) -> Sources:
    """Read mirrors as a user gives them: `HOST=URL`, or one URL with a folder for each host.

    Raises:
        UnknownNameError: no host that is asked.
        InputError: no https address, or one given twice.
    """
    named: dict[str, URL] = {}
    under = None
    for text in mirrors:
        host, found, address = text.partition("=")
        if found and _HOST.fullmatch(host.lower()):
            host = host.lower()
            if host not in known_hosts():
                raise UnknownNameError("host", host, known_hosts())
            if host in named:
                raise InputError(f"--mirror names {host} twice")
            named[host] = _address(address)
        elif under is not None:
            raise InputError("--mirror gives two addresses for every host", hint="Name one: HOST=URL.")
        else:
            under = _address(text)
    return Sources(named, under, port)


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What to fetch.

    Attributes:
        windows: the Windows agent.
        linux: the Linux agent of these distributions.
        agent_version: such as `1.61`; empty for the newest.
        service_tags: the cloud's weekly file.
        location: whose notification hosts and HIS host; None for neither.
        communities: the list of BGP communities, which takes a sign-in.
        route_filter: this route filter, likewise; empty for none.
        circuit: the filter that this circuit's Microsoft peering has, likewise.
    """

    cloud: Cloud
    windows: bool = False
    linux: tuple[Choice, ...] = ()
    agent_version: str = ""
    service_tags: bool = False
    location: Region | None = None
    communities: bool = False
    route_filter: str = ""
    circuit: str = ""


Progress = Callable[[str, int, int | None], None]
"""Told an item's name, how many of its bytes are here, and of how many; None where the server doesn't say."""


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How to get there.

    Attributes:
        proxy: an HTTP proxy, which may hold a password; the environment's where None.
        ca_file: a CA to trust beside the public roots.
        resolver: the DNS server to ask; the system's where None.
        repository_keys: files of keys to trust for Linux repositories, beside Microsoft's.
        sign_in: for what Resource Manager is asked.
        offline: take only what was fetched before, and ask nobody.
        pauses: seconds before each further try of what broke off.
        progress: told of every part that arrived.
    """

    sources: Sources = field(default_factory=Sources)
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    resolver: str | None = None
    repository_keys: tuple[Path, ...] = ()
    sign_in: SignIn | None = None
    offline: bool = False
    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    progress: Progress = lambda *_: None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[HttpsClient]:
        """A client that asks these sources alone.

        Raises:
            InputError: the proxy's URL or the resolver is none.
            FileInputError: the CA file is missing or holds no certificate.
        """
        names = Resolver(self.resolver) if self.resolver else None
        async with connection_pool(proxy=self.proxy, ca_file=self.ca_file, resolver=names, limit=4) as pool:
            yield HttpsClient(pool, self.sources.allows, ADVICE, pauses=self.pauses)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Everything that was asked for.

    Attributes:
        agents: agent packages, each content once.
        documents: dated documents, by what they are.
        files: every item, in the order of the above; one package may serve several distributions.
        notes: what a reader should know, such as that an index is old.
    """

    agents: tuple[Path, ...]
    documents: tuple[tuple[Role, Path], ...]
    files: tuple[FetchedFile, ...]
    notes: tuple[str, ...] = ()

    @property
    def origins(self) -> Mapping[Path, str]:
        """Where each file came from."""
        return {one.path: one.origin for one in self.files}

    @property
    def distributions(self) -> Mapping[Path, tuple[str, ...]]:
        """Which Linux distributions each package was fetched for: those whose package has this content."""
        digests = {one.path: one.sha256 for one in self.files}
        asked = {
            path: [one.item for one in self.files if one.sha256 == digests[path]] for path in self.agents
        }
        named = {path: {item.rpartition("-")[0] for item in items} for path, items in asked.items()}
        return {path: tuple(sorted(found & set(names()))) for path, found in named.items()}


def notification_host(cloud: catalog.Cloud) -> str:
    """The notification service of a cloud; empty where the documentation lists none (US Government)."""
    return _NOTIFICATION.get(cloud.name, "")


def _arc_services() -> set[str]:
    return {cloud.discovery_host for cloud in catalog.clouds()} | set(_NOTIFICATION.values())


def known_hosts() -> frozenset[str]:
    """Every host of Microsoft's that is asked, and the only ones that a redirect may lead to."""
    return frozenset({PACKAGES, _DOWNLOADS, _PAGES, *_arc_services()})


def _address(text: str) -> URL:
    try:
        url = URL(text.rstrip("/"))
    except ValueError:
        url = URL()
    if url.scheme != "https" or not url.host or url.user or url.query_string or url.fragment:
        shown = "" if "@" in text else f" {quoted(text)}"
        raise InputError(f"--mirror{shown} is not an address such as https://mirror.example/microsoft")
    return url


class Resolver(AbstractResolver):
    """Names by the one DNS server that was asked for; aiohttp's own way to choose one needs aiodns."""

    def __init__(self, server: str) -> None:
        from arcferry.probe.step import ProbeSettings  # noqa: PLC0415 - dnspython, which few runs need

        self._settings = ProbeSettings(resolver=server)

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """The addresses of a name, as aiohttp wants them."""
        from arcferry.probe import deadlines  # noqa: PLC0415 - as above
        from arcferry.probe.dns import choose_resolvers, resolve  # noqa: PLC0415 - as above

        found = await resolve(host, choose_resolvers(self._settings), deadlines.DNS)
        if found.failure:
            raise OSError(found.failure.says)
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in found.answer.addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""
