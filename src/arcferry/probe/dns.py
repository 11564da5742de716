"""A name's addresses with the whole CNAME chain, and which resolver said so."""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

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


@dataclass(frozen=True, slots=True)
class _Reply:
    """One family's half of a lookup: the addresses, or what went wrong and how to say it."""

    resolver: str
    chain: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    kind: str = ""
    says: str = ""


class _Answered(NamedTuple):
    """A usable answer; NXDOMAIN is one."""

    server: Nameserver
    rcode: dns.rcode.Rcode
    result: dns.message.ChainingResult


class _UnansweredError(Exception):
    """A name server gave no usable answer."""

    def __init__(self, server: Nameserver, kind: str, says: str) -> None:
        super().__init__(says)
        self.reply = _Reply(str(server), kind=kind, says=says)


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


async def resolve(name: str, resolvers: Resolvers, seconds: float) -> Lookup:
    """Look up a name's A and AAAA records, IPv4 addresses first.

    The hosts file is asked before any server, as the agent's own lookups do.
    """
    if known := resolvers.hosts.get(name):
        by_family = tuple(sorted(known, key=lambda text: ip_address(text).version))
        return Lookup(DnsAnswer(name, (), by_family, resolvers.hosts_file))
    if not resolvers.nameservers:
        says = "this machine has no name server configured; give one with --resolver"
        return _failed(name, _Reply("", kind="no-resolver", says=says))
    try:
        asked = dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError):
        return _failed(name, _Reply("", kind="nxdomain", says=f"{quoted(name)} cannot be a DNS name"))
    four, six = await _both_families(asked, resolvers.nameservers, seconds)
    addresses = four.addresses + six.addresses
    if addresses:
        chain = four.chain if four.addresses else six.chain
        resolver = four.resolver if four.addresses else six.resolver
        return Lookup(DnsAnswer(name, chain, addresses[:_MOST_ADDRESSES], resolver))
    return _failed(name, four if four.kind != "no-addresses" or not six.kind else six)


def _failed(name: str, reply: _Reply) -> Lookup:
    answer = DnsAnswer(name, reply.chain, (), reply.resolver)
    return Lookup(answer, Failure(Stage.DNS, reply.kind, reply.says))


async def _both_families(
    name: dns.name.Name, servers: tuple[Nameserver, ...], seconds: float
) -> tuple[_Reply, _Reply]:
    four = asyncio.ensure_future(_ask(name, dns.rdatatype.A, servers, seconds))
    six = asyncio.ensure_future(_ask(name, dns.rdatatype.AAAA, servers, seconds))
    try:
        first = await four
        await asyncio.wait({six}, timeout=deadlines.SECOND_FAMILY if first.addresses else None)
        return first, six.result() if six.done() else _Reply(first.resolver)
    finally:
        four.cancel()
        six.cancel()
        await asyncio.gather(four, six, return_exceptions=True)


async def _ask(
    name: dns.name.Name, family: dns.rdatatype.RdataType, servers: tuple[Nameserver, ...], seconds: float
) -> _Reply:
    errors: dict[int, _UnansweredError] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await _follow(name, family, servers, errors)
    if errors:
        return min(errors.items())[1].reply
    silent = ", ".join(map(str, servers))
    says = f"{silent} did not answer a query for {_text(name)} within {seconds:.3g} s"
    return _Reply(silent, kind="timeout", says=says)


async def _follow(
    name: dns.name.Name,
    family: dns.rdatatype.RdataType,
    servers: tuple[Nameserver, ...],
    errors: dict[int, _UnansweredError],
) -> _Reply:
    """Ask until the chain ends: some resolvers answer with a chain's first link alone."""
    chain: list[str] = []
    asked = name
    while True:
        errors.clear()
        answered = await race(
            _attempts(asked, family, servers, errors),
            delay=deadlines.RESEND,
            expected=_UnansweredError,
            errors=errors,
        )
        if answered is None:
            reply = errors[0].reply
            return _Reply(reply.resolver, tuple(chain), (), reply.kind, reply.says)
        server, rcode, result = answered
        chain += [typed.server(_text(target[0].target)) or typed.NAME_IS_NONE for target in result.cnames]
        addresses = tuple(record.address for record in result.answer or ())
        if addresses:
            return _Reply(str(server), tuple(chain), addresses)
        if rcode == dns.rcode.NXDOMAIN or not result.cnames or len(chain) >= _LONGEST_CHAIN:
            return _without_address(_text(name), server, chain, rcode)
        asked = result.canonical_name


def _without_address(name: str, server: Nameserver, chain: list[str], rcode: dns.rcode.Rcode) -> _Reply:
    missing = " -> ".join([name, *chain])
    if rcode == dns.rcode.NXDOMAIN:
        kind, says = "nxdomain", f"{server} says that {missing} does not exist (NXDOMAIN)"
    else:
        kind, says = "no-addresses", f"{server} knows {missing} but no address of it"
    return _Reply(str(server), tuple(chain[:_LONGEST_CHAIN]), (), kind, says)


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
            if error.reply.resolver == str(server):
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
    return _Answered(server, response.rcode(), result)


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
    return Resolvers(servers, _read_hosts(hosts_file), str(hosts_file))


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
    nameserver = ProbeSettings(resolver=resolver).nameserver
    servers = Resolvers((nameserver,) if nameserver else ())
    return tuple(await asyncio.gather(*(resolve(host, servers, deadlines.DNS) for host in hosts)))
