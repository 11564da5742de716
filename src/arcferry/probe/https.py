"""Every endpoint of a cloud and region, probed from here at once, each from its name to its HTTPS answer."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, urlsplit

from arcferry import catalog, times, typed
from arcferry.catalog import Cloud, Endpoint, Region, When
from arcferry.probe import deadlines
from arcferry.probe.dns import Resolvers, choose_resolvers, resolve
from arcferry.probe.http import captive_page, get
from arcferry.probe.observation import (
    CHECK,
    DnsAnswer,
    Failure,
    HttpAnswer,
    Observation,
    OtherFamily,
    Stage,
    TlsSession,
)
from arcferry.probe.step import Budget, ProbeSettings, Proxy, StepError, join_port, time_limit
from arcferry.probe.tcp import NoConnectionError, Stream, connect, open_tunnel, other_family
from arcferry.probe.tls import TlsClient, Trust, load_trust, read_certificates
from arcferry.text import from_json, one_line, quoted

_API_VERSION = "2.1"
_HTTPS = 443
_OK = 200
_LONGEST_HOST = 253
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+")
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
        address: the one that answered, or where none did that which the failure is about.
        clock_skew: this clock minus the server's, in seconds; the server tells whole seconds only.
        elapsed: seconds.
    """

    host: str
    port: int
    taken: datetime
    elapsed: float = 0.0
    dns: DnsAnswer | None = None
    address: str = ""
    tls: TlsSession | None = None
    response: HttpAnswer | None = None
    clock_skew: float | None = None
    failure: Failure | None = None
    other_family: OtherFamily | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What every endpoint of a cloud and region showed from here.

    Attributes:
        resolver: the DNS servers asked, empty where the proxy resolved the names or there is none.
        proxy: the proxy's URL, None where there is none.
        elapsed: seconds.
    """

    cloud: Cloud
    region: Region
    taken: datetime
    elapsed: float
    resolver: str
    proxy: str | None
    observations: tuple[Observation, ...]

    @property
    def failed(self) -> tuple[Observation, ...]:
        """The required endpoints that were not reached."""
        return tuple(seen for seen in self.observations if seen.endpoint.required and not seen.reachable)


async def check(
    cloud: Cloud,
    region: Region,
    settings: ProbeSettings,
    *,
    optional: bool = False,
    progress: Callable[[Observation], None] = lambda _: None,
) -> CheckResult:
    """Probe every endpoint that the catalogue requires, all at once; discovery runs beside them.

    Ends within `deadlines.RUN` seconds. Required endpoints come first, each group by name.

    Args:
        cloud: the cloud that the region belongs to.
        region: where the machines are to be created.
        settings: how to reach the endpoints.
        optional: also probe what installation and features use.
        progress: told of each endpoint as it ends.

    Raises:
        InputError: a setting cannot be used, or the region belongs to another cloud.
    """
    taken, began = times.now(), time.perf_counter()
    endpoints = catalog.endpoints(cloud, region, optional=optional)
    context = prepare(settings)

    async def one(endpoint: Endpoint) -> Observation:
        seen = await _observe(endpoint, cloud, region, context)
        progress(seen)
        return seen

    observations = await asyncio.gather(*map(one, endpoints))
    return CheckResult(
        cloud=cloud,
        region=region,
        taken=taken,
        elapsed=time.perf_counter() - began,
        resolver="" if context.proxy else str(context.resolvers),
        proxy=str(context.proxy) if context.proxy else None,
        observations=tuple(
            sorted(observations, key=lambda seen: (not seen.endpoint.required, seen.endpoint.host))
        ),
    )


async def _observe(endpoint: Endpoint, cloud: Cloud, region: Region, context: ProbeContext) -> Observation:
    if not endpoint.discovered:
        return await observe(endpoint, context)
    host, asked = await _discover(cloud, region, context)
    if host:
        return await observe(replace(endpoint, host=host), context)
    # Without the rest of what was seen: the name that was asked has a row of its own.
    seen = Exchange(host, endpoint.port, asked.taken, asked.elapsed, failure=asked.failure)
    return _observation(endpoint, seen, context)


async def observe(endpoint: Endpoint, context: ProbeContext) -> Observation:
    """Probe one endpoint: name, connection, TLS session, and any HTTP answer to `GET /`."""
    return _observation(endpoint, await exchange(endpoint.host, endpoint.port, "/", context), context)


def _observation(endpoint: Endpoint, seen: Exchange, context: ProbeContext) -> Observation:
    return Observation(
        host=endpoint.host,
        origin=CHECK,
        reachable=seen.failure is None,
        taken=seen.taken,
        required=endpoint.required and endpoint.when is not When.INSTALL,
        proxied=context.proxy is not None,
        proxy=typed.proxy(str(context.proxy)) if context.proxy else "",
        resolver=typed.resolver(seen.dns.resolver) if seen.dns else "",
        address=seen.address,
        failure=seen.failure,
        tls=seen.tls,
        clock_skew=seen.clock_skew,
        install=endpoint.when is When.INSTALL,
        other_family=seen.other_family,
        endpoint=replace(endpoint, port=seen.port),
        elapsed=seen.elapsed,
        dns=seen.dns,
        http=seen.response,
    )


async def _discover(cloud: Cloud, region: Region, context: ProbeContext) -> tuple[str, Exchange]:
    """Ask `cloud.discovery_host` for the region's HIS host, as the agent does before it connects.

    The answer is a URL, bare or as a JSON string; a host outside `cloud.his_suffix` is refused, because
    whoever answers in the service's place must not choose where a server sends its requests. If the host
    is not known, the exchange's failure says why.
    """
    target = f"/discovery?location={quote(region.name, safe='')}&api-version={_API_VERSION}"
    seen = await exchange(cloud.discovery_host, _HTTPS, target, context, body=True)
    stage, answer = Stage.HTTP, seen.response
    if seen.failure:
        stage, says = seen.failure.stage, f": {seen.failure.says}"
    elif answer is None:
        says = ": no answer"
    elif answer.status != _OK:
        says = f" answered {answer.status} {answer.reason}".rstrip()
    elif host := his_host(answer.body, cloud.his_suffix):
        return host, seen
    else:
        preview = quoted(one_line(answer.body, limit=80))
        says = f" answered {preview}, which is no URL under {cloud.his_suffix}"
    says = f"the regional HIS host is unknown: https://{cloud.discovery_host}{target}{says}"
    seen.failure = Failure(stage, "discovery-failed", says)
    return "", seen


def his_host(body: bytes, suffix: str) -> str | None:
    """The host of a discovery answer, None where it is not an https URL of a host under `suffix`."""
    try:
        text = body.decode("ascii").strip()
        value = from_json(text) if text.startswith('"') else text
        parts = urlsplit(str(value))
        plain = parts.scheme == "https" and parts.port in (None, _HTTPS) and "@" not in parts.netloc
    except (ValueError, RecursionError):
        return None
    host = (parts.hostname or "").removesuffix(".")
    code = host.removesuffix(suffix.lstrip("."))
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    named = code != host and len(host) <= _LONGEST_HOST and _HOST.fullmatch(code)
    return host if plain and bare and named else None


async def exchange(
    host: str, port: int, target: str, context: ProbeContext, *, body: bool = False
) -> Exchange:
    """`GET https://host:port/target`; never raises for what the network does."""
    seen = Exchange(host, context.port or port, times.now())
    budget = Budget(deadlines.PROBE)
    try:
        stream = await _reach(seen, context, budget)
        beside = asyncio.ensure_future(_beside(seen, context, budget))
        try:
            await _request(seen, stream, target, context, budget, body=body)
        finally:
            seen.elapsed = budget.spent
            await stream.close()
            seen.other_family = await beside
    except StepError as error:
        seen.failure = error.failure
        if seen.failure.kind in _SILENCE and budget.is_spent:
            # The step had only what others left of the whole probe's time, and says so.
            says = f"{seen.failure.says}, which is all that was left of {deadlines.PROBE:g} s"
            seen.failure = replace(seen.failure, says=says)
    seen.elapsed = seen.elapsed or budget.spent
    return seen


async def _reach(seen: Exchange, context: ProbeContext, budget: Budget) -> Stream:
    if context.proxy:
        return await open_tunnel(context.proxy, seen.host, seen.port, context.resolvers, budget)
    lookup = await resolve(seen.host, context.resolvers, budget.step(deadlines.DNS))
    seen.dns = lookup.answer
    if lookup.failure:
        raise StepError(lookup.failure)
    try:
        stream, seen.address = await connect(seen.dns.addresses, seen.port, budget.step(deadlines.TCP))
    except NoConnectionError as error:
        seen.address = error.address
        raise
    return stream


async def _beside(seen: Exchange, context: ProbeContext, budget: Budget) -> OtherFamily | None:
    """How the other IP version answers; a proxy reaches the name by itself."""
    if context.proxy or seen.dns is None:
        return None
    system = seen.host if context.resolvers.of_the_system else ""
    return await other_family(seen.address, seen.dns.addresses, seen.port, budget.step(deadlines.TCP), system)


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
    if problem := client.problem(seen.tls):
        raise StepError(problem)
    async with time_limit(Stage.HTTP, budget.step(deadlines.HTTP), f"to GET {target} from {place}"):
        seen.response = await get(seen.host, target, client.send, client.receive, body=body)
    if date := seen.response.date:
        seen.clock_skew = round((times.now() - date).total_seconds(), 1)
    if page := captive_page(seen.host, seen.tls, seen.response):
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
