"""The endpoints that the agent requires, and those that its features use."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from arcferry.catalog.places import CLOUD_NAMES, clouds
from arcferry.catalog.store import load
from arcferry.catalog.types import Carrier, Cloud, Endpoint, Region, Steering, When
from arcferry.errors import InputError

_CORE = (When.CONNECT, When.ALWAYS)
_REGION = "{region}"


def endpoints(cloud: Cloud, region: Region, *, optional: bool = False) -> tuple[Endpoint, ...]:
    """What a machine of this region needs in order to connect and to stay connected.

    Never holds a wildcard. The regional HIS endpoint has an empty host and `discovered` set, because only
    the discovery call knows its name.

    Args:
        cloud: the cloud that the region belongs to.
        region: where the machine is to be created.
        optional: add what installation and features use, and what the agent can do without.

    Raises:
        InputError: the region belongs to another cloud.
    """
    return tuple(
        endpoint
        for endpoint in _concrete(cloud, region)
        if optional or (endpoint.required and endpoint.when in _CORE)
    )


def feature_endpoints(cloud: Cloud, region: Region, feature: str) -> tuple[Endpoint, ...]:
    """The listable names that one feature uses, such as `esu` or `sql`; empty where it has none.

    Raises:
        InputError: the region belongs to another cloud.
    """
    return tuple(endpoint for endpoint in _concrete(cloud, region) if feature in endpoint.features)


def endpoint_named(host: str) -> Endpoint | None:
    """The catalogue's endpoint that a host name belongs to, in any cloud; its `host` is the name given."""
    name = _normal(host)
    found = next((row for row in _most_specific_first() if _covers(row, name)), None)
    return replace(found, host=name) if found else None


def cloud_of(host: str) -> Cloud | None:
    """The cloud that a host name belongs to: the public one where several share it, None where none does."""
    name = _normal(host)
    return next((cloud for cloud in clouds() if any(_covers(row, name) for row in _rows(cloud.name))), None)


@cache
def _rows(cloud_name: str) -> tuple[Endpoint, ...]:
    """The catalogue's rows of one cloud, whose hosts may still hold `{region}` or a star."""
    document = load("endpoints")
    his = f"*.{load('clouds').content[cloud_name]['his_suffix']}"
    return tuple(
        Endpoint(
            host=host,
            port=443,
            purpose=purpose,
            when=When(when),
            required=required,
            private_link=private_link,
            steering=Steering(steering),
            carrier=Carrier(carrier),
            discovered=host == his,
            source=document.sources[source],
            features=tuple(features),
        )
        for host, when, required, private_link, steering, carrier, features, source, purpose in (
            document.content[cloud_name]
        )
    )


def _concrete(cloud: Cloud, region: Region) -> Iterator[Endpoint]:
    """The rows whose names can be told for a region."""
    if region.cloud != cloud.name:
        raise InputError(
            f"location {region.name} belongs to {region.cloud}, not to {cloud.name}",
            hint=f"Use --cloud {region.cloud}.",
        )
    for row in _rows(cloud.name):
        if row.discovered:
            yield replace(row, host="")
        elif "*" not in row.host:
            yield replace(row, host=row.host.replace(_REGION, region.name))


def _normal(host: str) -> str:
    return host.strip().rstrip(".").lower()


def _is_exact(row: Endpoint) -> bool:
    return "*" not in row.host and _REGION not in row.host


def _covers(row: Endpoint, host: str) -> bool:
    if _is_exact(row):
        return row.host == host
    placeholder = _REGION if _REGION in row.host else "*"
    head, _, tail = row.host.partition(placeholder)
    between = host.removeprefix(head).removesuffix(tail)
    if f"{head}{between}{tail}" != host or not between.isascii():
        return False
    return (between if placeholder == _REGION else between.replace("-", "").replace(".", "")).isalnum()


def _generality(row: Endpoint) -> tuple[bool, bool, int]:
    return not _is_exact(row), "*" in row.host, -len(row.host)


@cache
def _most_specific_first() -> tuple[Endpoint, ...]:
    return tuple(sorted((row for name in CLOUD_NAMES for row in _rows(name)), key=_generality))
