"""One HTTPS request from the name to the answer, keeping what each step showed."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address

from arcferry import times
from arcferry.probe import deadlines
from arcferry.probe.dns import Resolvers, choose_resolvers, resolve
from arcferry.probe.http import Response, ask_to_connect, captive_page, get
from arcferry.probe.observation import DnsAnswer, Failure, Stage, TlsSession
from arcferry.probe.step import (
    Budget,
    ProbeSettings,
    Proxy,
    StepError,
    failed,
    is_address,
    join_port,
    time_limit,
)
from arcferry.probe.tcp import NoConnectionError, Stream, connect
from arcferry.probe.tls import TlsClient, Trust, load_trust, read_certificates

_SILENCE = ("timeout", "tls-timeout")


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What all probes of one run share.

    Attributes:
        trust: there by the time that a handshake needs it; the roots are read while names are resolved.
    """

    resolvers: Resolvers
    trust: asyncio.Future[Trust]
    proxy: Proxy | None = None
    port: int | None = None


def prepare(settings: ProbeSettings) -> ProbeContext:
    """Read the system's resolvers and the CA file, and begin to read the roots, once for a run.

    To be called in a running event loop.

    Raises:
        FileInputError: the CA file cannot be used.
    """
    resolvers = choose_resolvers(settings)
    more = read_certificates(settings.ca_file) if settings.ca_file else []
    trust = asyncio.get_running_loop().run_in_executor(None, load_trust, more)
    return ProbeContext(resolvers, trust, settings.http_proxy, settings.port)


@dataclass(slots=True)
class Exchange:
    """How far a request came: every field up to the step that failed is set.

    Attributes:
        address: the address that answered, or the one that the failure is about where none did.
        answered: this machine's clock when the answer came.
        elapsed: seconds.
    """

    host: str
    port: int
    taken: datetime
    elapsed: float = 0.0
    dns: DnsAnswer | None = None
    address: str | None = None
    tls: TlsSession | None = None
    response: Response | None = None
    answered: datetime | None = None
    failure: Failure | None = None

    @property
    def clock_skew(self) -> float | None:
        """This clock minus the server's, in seconds; the server tells whole seconds only."""
        if self.answered is None or self.response is None or self.response.date is None:
            return None
        return round((self.answered - self.response.date).total_seconds(), 1)


async def exchange(
    host: str, port: int, target: str, context: ProbeContext, *, body: bool = False
) -> Exchange:
    """`GET https://host:port/target`; never raises for what the network does."""
    seen = Exchange(host, context.port or port, times.now())
    budget = Budget(deadlines.PROBE)
    try:
        stream = await _reach(seen, context, budget)
        try:
            await _request(seen, stream, target, context, budget, body=body)
        finally:
            await stream.close()
    except StepError as error:
        seen.failure = error.failure
        if seen.failure.kind in _SILENCE and budget.is_spent:
            # The step had only what others left of the whole probe's time, and says so.
            says = f"{seen.failure.says}, which is all that was left of {deadlines.PROBE:g} s"
            seen.failure = replace(seen.failure, says=says)
    seen.elapsed = budget.spent
    return seen


async def _reach(seen: Exchange, context: ProbeContext, budget: Budget) -> Stream:
    if context.proxy:
        return await open_tunnel(context.proxy, seen.host, seen.port, context.resolvers, budget)
    lookup = await resolve(seen.host, context.resolvers, budget.step(deadlines.DNS))
    seen.dns = lookup.answer
    if lookup.failure:
        raise StepError(lookup.failure)
    try:
        connected = await connect(seen.dns.addresses, seen.port, budget.step(deadlines.TCP))
    except NoConnectionError as error:
        seen.address = error.address
        raise
    seen.address = connected.address
    return await Stream.over(connected.sock)


async def _request(
    seen: Exchange, stream: Stream, target: str, context: ProbeContext, budget: Budget, *, body: bool
) -> None:
    place = join_port(seen.address or seen.host, seen.port)
    client = TlsClient(stream, seen.host, await context.trust)
    try:
        async with time_limit(Stage.TLS, budget.step(deadlines.TLS), f"in the TLS handshake with {place}"):
            seen.tls = await client.handshake()
    except StepError as error:
        raise StepError(_in_tls(error.failure, client, stream)) from error
    problem = client.problem(seen.tls)
    if problem:
        raise StepError(problem)
    async with time_limit(Stage.HTTP, budget.step(deadlines.HTTP), f"to GET {target} from {place}"):
        seen.response = await get(seen.host, target, client.send, client.receive, body=body)
    seen.answered = times.now()
    page = captive_page(seen.host, seen.tls, seen.response)
    if page:
        raise StepError(page)


def _in_tls(failure: Failure, client: TlsClient, stream: Stream) -> Failure:
    """A connection that breaks or stays silent within the handshake, told apart from one that never was."""
    if failure.kind == "reset":
        return replace(failure, kind="tls-cut")
    if failure.kind != "timeout":
        return failure
    if stream.has_gap:
        says = f"{failure.says}: a later part of the answer arrived, an earlier and larger one did not"
        return Failure(Stage.TLS, "tls-gap", says)
    return failure if client.answered else replace(failure, kind="tls-timeout")


_OK = range(200, 300)
_AUTHENTICATION_REQUIRED = 407
_NO_WAY = (502, 503, 504)
_NO_CONNECT = (405, 501)
_NO_NAME = ("nxdomain", "no-addresses")


async def open_tunnel(proxy: Proxy, host: str, port: int, resolvers: Resolvers, budget: Budget) -> Stream:
    """A stream to `host:port` through the proxy, which also resolves the name.

    Raises:
        StepError: the proxy cannot be reached, wants credentials, or does not let this through.
    """
    stream = await _dial(proxy, resolvers, budget)
    try:
        place = join_port(host, port)
        doing = f"waiting for {proxy} to connect to {place}"
        async with time_limit(Stage.PROXY, budget.step(deadlines.CONNECT), doing):
            answer = await ask_to_connect(place, stream.send, stream.receive)
        _judge(proxy, place, answer)
    except StepError as error:
        await stream.close()
        if error.failure.kind != "not-http":
            raise
        says = f"what answers at {proxy} is no HTTP proxy: {error.failure.says}"
        raise failed(Stage.PROXY, "proxy-not-http", says) from error
    except BaseException:
        await stream.close()
        raise
    return stream


async def _dial(proxy: Proxy, resolvers: Resolvers, budget: Budget) -> Stream:
    try:
        addresses = await _addresses(proxy, resolvers, budget)
        connected = await connect(addresses, proxy.port, budget.step(deadlines.TCP))
    except StepError as error:
        nameless = error.failure.stage is Stage.DNS and error.failure.kind in _NO_NAME
        kind = "proxy-name-not-found" if nameless else "proxy-unreachable"
        says = f"the proxy {proxy} cannot be reached: {error.failure.says}"
        raise failed(Stage.PROXY, kind, says) from error
    return await Stream.over(connected.sock)


async def _addresses(proxy: Proxy, resolvers: Resolvers, budget: Budget) -> tuple[str, ...]:
    if is_address(proxy.host):
        return (str(ip_address(proxy.host)),)
    lookup = await resolve(proxy.host, resolvers, budget.step(deadlines.DNS))
    if lookup.failure:
        raise StepError(lookup.failure)
    return lookup.answer.addresses


def _judge(proxy: Proxy, place: str, answer: Response) -> None:
    if answer.status in _OK:
        return
    words = f"{answer.status} {answer.reason}".strip()
    if answer.status == _AUTHENTICATION_REQUIRED:
        says = f"the proxy {proxy} wants credentials for {place} ({words}); the agent does not support that"
        raise failed(Stage.PROXY, "proxy-authentication-required", says)
    if answer.status in _NO_CONNECT:
        says = f"what answers at {proxy} is a web server, not a proxy: {words} to CONNECT {place}"
        raise failed(Stage.PROXY, "proxy-not-http", says)
    if answer.status in _NO_WAY:
        says = f"the proxy {proxy} is reached, and does not reach {place} itself: {words}"
        raise failed(Stage.PROXY, "proxy-cannot-reach", says)
    raise failed(Stage.PROXY, "proxy-refused", f"the proxy {proxy} does not connect to {place}: {words}")
