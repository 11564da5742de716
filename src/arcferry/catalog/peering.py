"""What a plan of routes and a sheet of firewall rules know beside communities and endpoints."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from arcferry.catalog.store import Cloud, Endpoint, When, load
from arcferry.language import _


@dataclass(frozen=True, slots=True)
class CalledTag:
    """A service tag that a firewall has to let through; see the head of `data/service_tags.toml`.

    Attributes:
        features: those that call for it; empty where every machine does.
        whole: whether its regional parts do not suffice.
        every_cloud: whether a national cloud needs the public cloud's ranges of it as well.
    """

    name: str
    reason: str
    when: When = When.ALWAYS
    features: tuple[str, ...] = ()
    whole: bool = False
    every_cloud: bool = False


@cache
def called_tags() -> tuple[CalledTag, ...]:
    """Every service tag that Microsoft's pages, or the catalogue's names, call for."""
    return tuple(
        CalledTag(
            **{**row, "when": When(row.get("when", "always")), "features": tuple(row.get("features", ()))}
        )
        for row in load("service_tags").content["tags"]
    )


def peering_notes(cloud: Cloud, features: Collection[str], *, first: bool) -> tuple[str, ...]:
    """What to know of Azure Arc over this cloud's Microsoft peering: what outweighs all else, or the rest."""
    return tuple(
        _(row["says"])
        for row in load("peering").content["notes"]
        if cloud.name in row["clouds"]
        and row.get("first", False) is first
        and ("feature" not in row or row["feature"] in features)
    )


def way_out(endpoint: Endpoint) -> tuple[str, str]:
    """What to do for a name that Microsoft peering never carries: `bundle`, `proxy` or `nothing`; and how."""
    return next(
        (row["way"], _(row["says"]))
        for row in load("peering").content["instead"]
        if row.get("host", endpoint.host) == endpoint.host
        and row.get("when", endpoint.when) == endpoint.when
        and row.get("feature", "") in ("", *endpoint.features)
    )


@dataclass(frozen=True, slots=True)
class PublishedAnswer:
    """One answer that a name once gave.

    Attributes:
        region: ARM name of the region in which it lay.
        asked_from: where the resolver stood that got it.
        seen: the day, `2023-12-13`, or the month, `2024-07`.
        source: who published it.
        address: empty where only names were published.
    """

    host: str
    region: str
    asked_from: str
    seen: str
    source: str
    address: str = ""


def published_answers(cloud: Cloud) -> tuple[PublishedAnswer, ...]:
    """Every published answer of a steered name of this cloud."""
    document = load("answers")
    return tuple(
        PublishedAnswer(**{**row, "source": document.sources[row["source"]].text})
        for row in document.content[cloud.name]
    )
