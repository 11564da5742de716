"""Where steered names answered somebody else, as published."""

from dataclasses import dataclass

from arcferry.catalog.store import load
from arcferry.catalog.types import Cloud


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
