import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from arcferry import catalog, times
from arcferry.catalog import Cloud, Endpoint, Region
from arcferry.probe.discovery import discover
from arcferry.probe.endpoints import observe, undiscovered
from arcferry.probe.observation import Observation
from arcferry.probe.settings import ProbeSettings
from arcferry.probe.visit import Means, prepare


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


def _ignore(_: Observation) -> None:
    pass


async def check(
    cloud: Cloud,
    region: Region,
    settings: ProbeSettings,
    *,
    optional: bool = False,
    progress: Callable[[Observation], None] = _ignore,
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
    means = prepare(settings)

    async def one(endpoint: Endpoint) -> Observation:
        seen = await _observe(endpoint, cloud, region, means)
        progress(seen)
        return seen

    observations = await asyncio.gather(*map(one, endpoints))
    return CheckResult(
        cloud=cloud,
        region=region,
        taken=taken,
        elapsed=time.perf_counter() - began,
        resolver="" if means.proxy else str(means.resolvers),
        proxy=str(means.proxy) if means.proxy else None,
        observations=tuple(sorted(observations, key=_rank)),
    )


async def _observe(endpoint: Endpoint, cloud: Cloud, region: Region, means: Means) -> Observation:
    if not endpoint.discovered:
        return await observe(endpoint, means)
    discovery = await discover(cloud, region, means)
    if discovery.failure:
        return undiscovered(endpoint, discovery, means)
    return await observe(replace(endpoint, host=discovery.host), means)


def _rank(seen: Observation) -> tuple[bool, str]:
    return not seen.endpoint.required, seen.endpoint.host
