"""A name's addresses with the whole CNAME chain, and which resolver said so."""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.inet
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.files import read_bounded
from arcferry.probe import deadlines
from arcferry.probe.observation import DnsAnswer, Failure, Stage
from arcferry.probe.step import Nameserver, ProbeSettings, is_address, kind_of, race
from arcferry.text import quoted

_LONGEST_CHAIN = 16
_MOST_ADDRESSES = 32
_DATAGRAMS = 3
_MOST_DATAGRAMS = 5
_UDP_SIZE = 1232
_USABLE = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What was learned about a name; `failure` is set where it has no address."""

    answer: DnsAnswer
    failure: Failure | None = None


_Answered = tuple[Nameserver, dns.rcode.Rcode, dns.message.ChainingResult]
"""A usable answer and who gave it; NXDOMAIN is one."""


class _UnansweredError(Exception):
    """A name server gave no usable answer."""

    def __init__(self, server: Nameserver, kind: str, says: str) -> None:
        super().__init__(says)
        self.server, self.kind = str(server), kind


def _failed(name: str, resolver: str, kind: str, says: str, chain: Sequence[str] = ()) -> Lookup:
    return Lookup(DnsAnswer(name, tuple(chain), (), resolver), Failure(Stage.DNS, kind, says))


@dataclass(frozen=True, slots=True)
class Resolvers:
    """Where names are looked up.

    Attributes:
        nameservers: in the order in which they are asked; empty where none is configured.
        hosts: addresses by lower-case name, from the hosts file.
        hosts_file: the file's path, which is what an answer from it names as its resolver.
        of_the_system: whether the system itself looks names up so too.
    """

    nameservers: tuple[Nameserver, ...]
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hosts_file: str = ""
    of_the_system: bool = False

    def __str__(self) -> str:
        return ", ".join(map(str, self.nameservers))


async def resolve(name: str, resolvers: Resolvers, seconds: float) -> Lookup:
    """Look up a name's A and AAAA records, IPv4 addresses first.

    The hosts file is asked before any server, as the agent's own lookups do.
    """
    if known := resolvers.hosts.get(name):
        by_family = tuple(sorted(known, key=lambda text: ip_address(text).version))
        return Lookup(DnsAnswer(name, (), by_family, resolvers.hosts_file))
    if not resolvers.nameservers:
        says = "this machine has no name server configured; give one with --resolver"
        return _failed(name, "", "no-resolver", says)
    try:
        asked = dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError):
        return _failed(name, "", "nxdomain", f"{quoted(name)} cannot be a DNS name")
    four, six = await _both_families(asked, resolvers.nameservers, seconds)
    if addresses := four.answer.addresses + six.answer.addresses:
        told = four.answer if four.answer.addresses else six.answer
        return Lookup(replace(told, addresses=addresses[:_MOST_ADDRESSES]))
    return six if six.failure and four.failure and four.failure.kind == "no-addresses" else four


async def _both_families(
    name: dns.name.Name, servers: tuple[Nameserver, ...], seconds: float
) -> tuple[Lookup, Lookup]:
    four = asyncio.ensure_future(_ask(name, dns.rdatatype.A, servers, seconds))
    six = asyncio.ensure_future(_ask(name, dns.rdatatype.AAAA, servers, seconds))
    try:
        first = await four
        await asyncio.wait({six}, timeout=deadlines.SECOND_FAMILY if first.answer.addresses else None)
        return first, six.result() if six.done() else Lookup(replace(first.answer, addresses=()))
    finally:
        four.cancel()
        six.cancel()
        await asyncio.gather(four, six, return_exceptions=True)


async def _ask(
    name: dns.name.Name, family: dns.rdatatype.RdataType, servers: tuple[Nameserver, ...], seconds: float
) -> Lookup:
    errors: dict[int, _UnansweredError] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await _follow(name, family, servers, errors)
    if errors:
        _, error = min(errors.items())
        return _failed(_text(name), error.server, error.kind, str(error))
    silent = ", ".join(map(str, servers))
    says = f"{silent} did not answer a query for {_text(name)} within {seconds:.3g} s"
    return _failed(_text(name), silent, "timeout", says)


async def _follow(
    name: dns.name.Name,
    family: dns.rdatatype.RdataType,
    servers: tuple[Nameserver, ...],
    errors: dict[int, _UnansweredError],
) -> Lookup:
    """Ask until the chain ends: some resolvers answer with a chain's first link alone."""
    chain: list[str] = []
    asked, host = name, _text(name)
    while True:
        errors.clear()
        answered = await race(
            _attempts(asked, family, servers, errors),
            delay=deadlines.RESEND,
            expected=_UnansweredError,
            errors=errors,
        )
        if answered is None:
            return _failed(host, errors[0].server, errors[0].kind, str(errors[0]), chain)
        server, rcode, result = answered
        chain += [typed.server(_text(target[0].target)) or typed.NAME_IS_NONE for target in result.cnames]
        if addresses := tuple(record.address for record in result.answer or ()):
            return Lookup(DnsAnswer(host, tuple(chain), addresses, str(server)))
        path = " -> ".join([host, *chain])
        if rcode == dns.rcode.NXDOMAIN:
            says = f"{server} says that {path} does not exist (NXDOMAIN)"
            return _failed(host, str(server), "nxdomain", says, chain[:_LONGEST_CHAIN])
        if not result.cnames or len(chain) >= _LONGEST_CHAIN:
            says = f"{server} knows {path} but no address of it"
            return _failed(host, str(server), "no-addresses", says, chain[:_LONGEST_CHAIN])
        asked = result.canonical_name


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _attempts(
    name: dns.name.Name,
    family: dns.rdatatype.RdataType,
    servers: tuple[Nameserver, ...],
    errors: dict[int, _UnansweredError],
) -> list[Callable[[], Awaitable[_Answered]]]:
    async def attempt(server: Nameserver) -> _Answered:
        """Ask again only where silence may have been a lost datagram: a bad answer stays bad."""
        for error in errors.values():
            if error.server == str(server):
                raise error
        return await _query(name, family, server)

    turns = min(max(_DATAGRAMS, len(servers)), _MOST_DATAGRAMS)
    return [partial(attempt, servers[turn % len(servers)]) for turn in range(turns)]


async def _query(name: dns.name.Name, family: dns.rdatatype.RdataType, server: Nameserver) -> _Answered:
    query = dns.message.make_query(name, family, use_edns=0, payload=_UDP_SIZE)
    asked = _text(name)
    try:
        response = await _exchange(query, server)
        result = response.resolve_chaining()
    except OSError as error:
        says = f"{server} could not be asked for {asked}: {error.strerror or error}"
        raise _UnansweredError(server, kind_of(error), says) from error
    except (dns.exception.DNSException, EOFError, ValueError) as error:
        says = f"{server} answered a query for {asked} with what is no usable DNS message: {error}"
        raise _UnansweredError(server, "servfail", says) from error
    if response.rcode() not in _USABLE:
        code = dns.rcode.to_text(response.rcode())
        raise _UnansweredError(server, "servfail", f"{server} answered a query for {asked} with {code}")
    return server, response.rcode(), result


async def _exchange(query: dns.message.QueryMessage, server: Nameserver) -> dns.message.QueryMessage:
    """UDP, then TCP where the answer is cut. The socket is connected, so that a closed port is noticed."""
    family = dns.inet.af_for_address(server.address)
    place = (server.address, server.port)
    backend = dns.asyncbackend.get_backend("asyncio")
    opened = backend.make_socket(family, socket.SOCK_DGRAM, 0, None, place)  # type: ignore[no-untyped-call]  # dnspython's backends carry no types
    async with await opened as sock:
        response, _ = await dns.asyncquery.udp_with_fallback(
            query, server.address, port=server.port, udp_sock=sock, backend=backend, ignore_errors=True
        )
    if not isinstance(response, dns.message.QueryMessage):
        raise _UnansweredError(server, "servfail", f"{server} answered a query with another message")
    return response


_HOSTS_LIMIT = 1024 * 1024


def choose_resolvers(settings: ProbeSettings) -> Resolvers:
    """The one resolver that was asked for, else the system's, with its hosts file."""
    if settings.nameserver:
        return Resolvers((settings.nameserver,))
    windows = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "drivers", "etc", "hosts")
    return system_resolvers(windows if sys.platform == "win32" else Path("/etc/hosts"))


def system_resolvers(hosts_file: Path, resolv_conf: Path | None = None) -> Resolvers:
    """The system's name servers (`/etc/resolv.conf`, or the registry on Windows) and hosts file.

    A system without any gives empty ones: that is a finding about the machine, not an error.
    """
    import dns.resolver  # noqa: PLC0415  # for the system's servers alone, and with all that Windows needs

    try:
        resolver = dns.resolver.Resolver(configure=resolv_conf is None)
        if resolv_conf:
            resolver.read_resolv_conf(str(resolv_conf))
        servers = tuple(Nameserver(text) for text in resolver.nameservers if isinstance(text, str))
    except (dns.resolver.NoResolverConfiguration, ValueError, OSError):
        servers = ()
    return Resolvers(servers, _read_hosts(hosts_file), str(hosts_file), of_the_system=resolv_conf is None)


def _read_hosts(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        text = read_bounded(path, limit=_HOSTS_LIMIT).decode("utf-8", errors="replace")
    except FileInputError:
        return {}
    hosts: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if is_address(address):
            for name in names:
                key = name.lower().rstrip(".")
                hosts[key] = (*hosts.get(key, ()), address)
    return hosts


async def answers(hosts: Iterable[str], resolver: str) -> tuple[Lookup, ...]:
    """Ask one DNS server for every name at once; a name without an address has its failure.

    Args:
        hosts: the names, each asked for A and AAAA.
        resolver: `IP[:PORT]`.

    Raises:
        InputError: `resolver` is malformed.
    """
    servers = choose_resolvers(ProbeSettings(resolver=resolver))
    return tuple(await asyncio.gather(*(resolve(host, servers, deadlines.DNS) for host in hosts)))
