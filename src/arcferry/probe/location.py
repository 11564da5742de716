"""Every endpoint of a cloud and region, probed from here at once."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, urlsplit

from arcferry import catalog, times, typed
from arcferry.catalog import Cloud, Endpoint, Region, When
from arcferry.probe.https import Exchange, ProbeContext, exchange, prepare
from arcferry.probe.observation import Failure, HttpAnswer, Observation, Stage
from arcferry.probe.step import ProbeSettings
from arcferry.text import from_json, one_line, quoted


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
    if endpoint.discovered:
        host, asked = await _discover(cloud, region, context)
        if asked.failure:
            # Without the rest of what was seen: the name that was asked has a row of its own.
            return _failed(endpoint, asked.failure, context, asked)
        endpoint = replace(endpoint, host=host)
    return await observe(endpoint, context)


_API_VERSION = "2.1"
_HTTPS = 443
_OK = 200
_UNKNOWN = "the regional HIS host is unknown"
_LONGEST_HOST = 253
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+")


async def _discover(cloud: Cloud, region: Region, context: ProbeContext) -> tuple[str, Exchange]:
    """Ask `cloud.discovery_host` for the region's HIS host, as the agent does before it connects.

    The answer is a URL, bare or as a JSON string; a host outside `cloud.his_suffix` is refused, because
    whoever answers in the service's place must not choose where a server sends its requests. If the host
    is not known, the exchange's failure says why.
    """
    target = f"/discovery?location={quote(region.name, safe='')}&api-version={_API_VERSION}"
    seen = await exchange(cloud.discovery_host, _HTTPS, target, context, body=True)
    stage, answer = Stage.HTTP, seen.response
    if seen.failure or answer is None:
        stage, says = (
            (seen.failure.stage, f": {seen.failure.says}") if seen.failure else (stage, ": no answer")
        )
    elif answer.status != _OK:
        says = f" answered {answer.status} {answer.reason}".rstrip()
    elif host := his_host(answer.body, cloud.his_suffix):
        return host, seen
    else:
        preview = quoted(one_line(answer.body, limit=80))
        says = f" answered {preview}, which is no URL under {cloud.his_suffix}"
    says = f"{_UNKNOWN}: https://{cloud.discovery_host}{target}{says}"
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


async def probe(endpoints: Sequence[Endpoint], settings: ProbeSettings) -> list[Observation]:
    """Probe all endpoints at once and give what each showed, in their order.

    Never raises for what the network does. Ends within `deadlines.PROBE` seconds, whatever their number.

    Raises:
        InputError: a setting cannot be used.
    """
    context = prepare(settings)
    return await asyncio.gather(*(observe(endpoint, context) for endpoint in endpoints))


async def observe(endpoint: Endpoint, context: ProbeContext) -> Observation:
    """Probe one endpoint: name, connection, TLS session, and any HTTP answer to `GET /`."""
    if not endpoint.host:
        failure = Failure(Stage.DNS, "discovery-failed", f"{_UNKNOWN}: nobody asked for it")
        return _failed(endpoint, failure, context)
    return _observation(endpoint, await exchange(endpoint.host, endpoint.port, "/", context), context)


def _failed(
    endpoint: Endpoint, failure: Failure, context: ProbeContext, asked: Exchange | None = None
) -> Observation:
    """An endpoint whose name could not be learned."""
    seen = Exchange(endpoint.host, endpoint.port, asked.taken if asked else times.now())
    seen.elapsed, seen.failure = asked.elapsed if asked else 0.0, failure
    return _observation(endpoint, seen, context)


def _observation(endpoint: Endpoint, seen: Exchange, context: ProbeContext) -> Observation:
    response = seen.response
    return Observation(
        host=endpoint.host,
        origin="arcferry check",
        reachable=seen.failure is None,
        taken=seen.taken,
        required=endpoint.required and endpoint.when is not When.INSTALL,
        proxied=context.proxy is not None,
        proxy=typed.proxy(str(context.proxy)) if context.proxy else "",
        resolver=typed.resolver(seen.dns.resolver) if seen.dns else "",
        address=seen.address or "",
        failure=seen.failure,
        tls=seen.tls,
        clock_skew=seen.clock_skew,
        install=endpoint.when is When.INSTALL,
        endpoint=replace(endpoint, port=seen.port),
        elapsed=seen.elapsed,
        dns=seen.dns,
        http=HttpAnswer(response.status, response.date) if response else None,
    )
