"""The endpoints that the agent requires, and those that its features use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from arcferry import times
from arcferry.catalog import store
from arcferry.catalog.places import CLOUD_NAMES, check_cloud, clouds
from arcferry.catalog.store import Carrier, Cloud, Endpoint, Region, Source, Steering, When, built_in, load
from arcferry.errors import UnknownNameError

_CORE = (When.CONNECT, When.ALWAYS)
_REGION = "{region}"
_HTTPS = 443
_VERIFIED = "verified-official"
PKI = "pki"
"""The group of names that a verifier of certificates asks over plain HTTP; no feature, and never required."""


def endpoints(cloud: Cloud, region: Region, *, optional: bool = False) -> tuple[Endpoint, ...]:
    """What a machine of this region needs in order to connect and to stay connected.

    With `optional`, what installation and features use too, and what the agent can do without. Never holds a
    wildcard, nor a name that is asked over plain HTTP. The regional HIS endpoint has an empty host and
    `discovered` set, because only the discovery call knows its name.

    Raises:
        InputError: the region belongs to another cloud.
    """
    return tuple(
        endpoint
        for endpoint in _concrete(cloud, region)
        if endpoint.port == _HTTPS and (optional or (endpoint.required and endpoint.when in _CORE))
    )


def feature_endpoints(cloud: Cloud, region: Region, feature: str) -> tuple[Endpoint, ...]:
    """The listable names that one feature uses, such as `esu` or `sql`; empty where it has none.

    Raises:
        InputError: the region belongs to another cloud.
    """
    return tuple(endpoint for endpoint in _concrete(cloud, region) if feature in endpoint.features)


def features(cloud: Cloud | None = None) -> tuple[str, ...]:
    """The names of the features whose endpoints one cloud's catalogue knows, or any cloud's.

    One that has no endpoints of its own anywhere, such as `defender`, is known by those of what it uses.
    """
    names = [cloud.name] if cloud else CLOUD_NAMES
    found, anywhere = (
        {feature for name in among for row in _rows(name) for feature in row.features}
        for among in (names, CLOUD_NAMES)
    )
    rows = load("features").content["features"]
    made_of = {row["name"] for row in rows if row["name"] not in anywhere and row["uses"][0] in found}
    return tuple(sorted((found | made_of) - {PKI}))


def requirements(cloud: Cloud, region: Region, chosen: Sequence[str] = ()) -> tuple[Endpoint, ...]:
    """Every name that a machine of this region uses, for a sheet of rules rather than for a probe.

    The core, what installation takes, the names of the chosen features, such as `esu`, and those of `PKI`. A
    host holds a star where nobody can list the names beforehand. A core pattern whose regional name the
    catalogue knows is left out; the regional HIS host is named where its code is published, else it stays the
    pattern.

    Raises:
        UnknownNameError: there is no such feature.
        InputError: the region belongs to another cloud.
    """
    check_cloud(cloud, region)
    for feature in chosen:
        if feature not in features():
            raise UnknownNameError("feature", feature, features())
    rows = _in_force(cloud.name, region)
    found = [
        _named(row, region)
        for row in rows
        if (row.when is not When.FEATURE or {*chosen, PKI} & {*row.features})
        and not _is_superfluous(row, rows)
    ]
    return tuple({(row.host, row.port): row for row in found}.values())


def _named(row: Endpoint, region: Region) -> Endpoint:
    if row.discovered and region.his_code and region.his_code_status == _VERIFIED:
        return replace(row, host=row.host.replace("*", region.his_code))
    return replace(row, host=row.host.replace(_REGION, region.name))


def _is_superfluous(row: Endpoint, rows: Sequence[Endpoint]) -> bool:
    """Whether the row is a core pattern, and another row says what it stands for in a region."""
    if not row.host.startswith("*.") or row.when not in _CORE or row.discovered:
        return False
    return any(other.host.endswith(row.host[1:]) and _REGION in other.host for other in rows)


def adopt(content: Mapping[str, Any], taken: date) -> bool:
    """Use this endpoint catalogue from now on, if it is newer than the built-in one; whether it is used.

    It is in the form of `data/endpoints.toml`, and checked by whoever read it.
    """
    is_newer = taken > built_in("endpoints").source.taken
    if is_newer:
        _use(content)
    return is_newer


def disown() -> None:
    """Use the built-in endpoint catalogue again."""
    _use(None)


def _use(content: Mapping[str, Any] | None) -> None:
    store.replace("endpoints", content)
    _rows.cache_clear()
    _most_specific_first.cache_clear()


def endpoints_source() -> Source:
    """Where the list of endpoints comes from, and its day."""
    return load("endpoints").source


def dated_endpoints(cloud: Cloud) -> tuple[Endpoint, ...]:
    """The rows of one cloud that hold from, or up to, a day; hosts as the catalogue writes them."""
    return tuple(row for row in _rows(cloud.name) if row.since or row.until)


def endpoint_named(host: str) -> Endpoint | None:
    """The catalogue's endpoint that a host name belongs to, in any cloud; its `host` is the name given."""
    name = _normal(host)
    found = next((row for row in _most_specific_first() if _pattern(row.host).fullmatch(name)), None)
    return replace(found, host=name) if found else None


def cloud_of(host: str) -> Cloud | None:
    """The cloud that a host name belongs to: the public one where several share it, None where none does."""
    name = _normal(host)
    return next(
        (cloud for cloud in clouds() if any(_pattern(row.host).fullmatch(name) for row in _rows(cloud.name))),
        None,
    )


@cache
def _rows(cloud_name: str) -> tuple[Endpoint, ...]:
    """The catalogue's rows of one cloud, whose hosts may still hold `{region}` or a star."""
    document = load("endpoints")
    his = f"*.{load('clouds').content[cloud_name]['his_suffix']}"
    return tuple(
        Endpoint(
            host=row["host"].partition(":")[0],
            port=int(row["host"].partition(":")[2] or _HTTPS),
            purpose=row["purpose"],
            when=When(row["when"]),
            required=row.get("required", False),
            private_link=row.get("private_link", False),
            steering=Steering(row.get("steering", Steering.NONE_KNOWN)),
            carrier=Carrier(row["carrier"]),
            discovered=row["host"] == his,
            source=document.sources[row["source"]],
            features=tuple(row.get("features", ())),
            since=row.get("since"),
            until=row.get("until"),
            answers_in=row.get("answers_in", ""),
            locations=tuple(row.get("locations", ())),
        )
        for row in document.content[cloud_name]
    )


def _in_force(cloud_name: str, region: Region) -> tuple[Endpoint, ...]:
    """The rows that hold today for machines of this region."""
    today = times.now().date()
    return tuple(
        row
        for row in _rows(cloud_name)
        if row.holds_on(today) and (not row.locations or region.name in row.locations)
    )


def _concrete(cloud: Cloud, region: Region) -> Iterator[Endpoint]:
    """The rows whose names can be told for a region."""
    check_cloud(cloud, region)
    for row in _in_force(cloud.name, region):
        if row.discovered:
            yield replace(row, host="")
        elif "*" not in row.host:
            yield replace(row, host=row.host.replace(_REGION, region.name))


def _normal(host: str) -> str:
    return host.strip().rstrip(".").lower()


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """What a row's host stands for: a region is letters and digits, a star any labels or parts of one."""
    text = re.escape(template).replace(re.escape(_REGION), "[a-z0-9]+")
    return re.compile(text.replace(re.escape("*"), "[a-z0-9.-]*[a-z0-9][a-z0-9.-]*"))


@cache
def _most_specific_first() -> tuple[Endpoint, ...]:
    """Every cloud's rows, whole names before those of a region, these before a star's, the longest first."""

    def generality(row: Endpoint) -> tuple[bool, bool, int]:
        return "*" in row.host, "*" not in row.host and _REGION in row.host, -len(row.host)

    return tuple(sorted((row for name in CLOUD_NAMES for row in _rows(name)), key=generality))
