import asyncio
from collections.abc import Sequence
from dataclasses import replace

from arcferry import times
from arcferry.catalog import Endpoint
from arcferry.probe.discovery import Discovery
from arcferry.probe.observation import Failure, HttpAnswer, Observation, Stage
from arcferry.probe.settings import ProbeSettings
from arcferry.probe.visit import Means, Visit, prepare, visit


async def probe(endpoints: Sequence[Endpoint], settings: ProbeSettings) -> list[Observation]:
    """Probe all endpoints at once and give what each showed, in their order.

    Never raises for what the network does. Ends within `deadlines.PROBE` seconds, whatever their number.

    Raises:
        InputError: a setting cannot be used.
    """
    means = prepare(settings)
    return await asyncio.gather(*(observe(endpoint, means) for endpoint in endpoints))


async def observe(endpoint: Endpoint, means: Means) -> Observation:
    """Probe one endpoint: name, connection, TLS session, and any HTTP answer to `GET /`."""
    if not endpoint.host:
        failure = Failure(
            Stage.DNS, "discovery-failed", "the regional HIS host is unknown: nobody asked for it"
        )
        return Observation(endpoint, times.now(), 0.0, proxy=_proxy(means), failure=failure)
    return _observation(endpoint, await visit(endpoint.host, endpoint.port, "/", means), means)


def undiscovered(endpoint: Endpoint, discovery: Discovery, means: Means) -> Observation:
    """The row of a regional HIS endpoint whose host the discovery call did not give."""
    seen = discovery.seen
    return Observation(endpoint, seen.taken, seen.elapsed, proxy=_proxy(means), failure=discovery.failure)


def _observation(endpoint: Endpoint, seen: Visit, means: Means) -> Observation:
    response = seen.response
    return Observation(
        endpoint=replace(endpoint, port=seen.port),
        taken=seen.taken,
        elapsed=seen.elapsed,
        proxy=_proxy(means),
        dns=seen.dns,
        address=seen.address,
        tls=seen.tls,
        http=HttpAnswer(response.status, response.date) if response else None,
        clock_skew=seen.clock_skew,
        failure=seen.failure,
    )


def _proxy(means: Means) -> str | None:
    return str(means.proxy) if means.proxy else None
