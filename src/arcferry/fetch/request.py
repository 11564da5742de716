"""What a user asks to be fetched, by which way, and what was fetched."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from arcferry.bundle import Role
from arcferry.catalog import Cloud, Region
from arcferry.data.update import SignIn
from arcferry.fetch.distributions import Choice, names
from arcferry.fetch.sources import ADVICE, Resolver, Sources
from arcferry.fetch.transfer import FetchedFile
from arcferry.https import HttpsClient, connection_pool


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


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one item is; `total` is None where the server doesn't say."""

    item: str
    done: int
    total: int | None


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
    progress: Callable[[Progress], None] = lambda _: None

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
