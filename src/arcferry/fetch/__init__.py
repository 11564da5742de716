"""Everything a bundle carries, brought from Microsoft to a connected machine."""

from arcferry.fetch.distributions import Choice, Distribution, choose, names
from arcferry.fetch.keys import PINNED
from arcferry.fetch.run import fetch
from arcferry.fetch.sources import Sources, read_sources
from arcferry.fetch.versions import read_wanted
from arcferry.fetch.wanted import Fetched, Kept, Means, Progress, Wanted

__all__ = [
    "PINNED",
    "Choice",
    "Distribution",
    "Fetched",
    "Kept",
    "Means",
    "Progress",
    "Sources",
    "Wanted",
    "choose",
    "fetch",
    "names",
    "read_sources",
    "read_wanted",
]
