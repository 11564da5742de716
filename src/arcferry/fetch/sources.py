"""Where Microsoft's hosts are asked: at their own addresses, or at mirrors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from arcferry import catalog
from arcferry.data.download import SITE
from arcferry.errors import InputError, UnknownNameError
from arcferry.fetch.distributions import PACKAGES
from arcferry.https import Advice
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


def notification_host(cloud: catalog.Cloud) -> str:
    """The notification service of a cloud; empty where the documentation lists none (US Government)."""
    return _NOTIFICATION.get(cloud.name, "")


def _arc_services() -> set[str]:
    return {cloud.discovery_host for cloud in catalog.clouds()} | set(_NOTIFICATION.values())


def known_hosts() -> frozenset[str]:
    """Every host of Microsoft's that is asked, and the only ones that a redirect may lead to."""
    return frozenset({PACKAGES, _DOWNLOADS, _PAGES, *_arc_services()})


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
