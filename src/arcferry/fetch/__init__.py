"""Everything a bundle carries, brought from Microsoft to a connected machine."""

from arcferry.fetch.distributions import Choice, Distribution, choose, names
from arcferry.fetch.openpgp import PINNED
from arcferry.fetch.package import read_version
from arcferry.fetch.request import Fetched, FetchOptions, FetchRequest, Progress, Sources, read_sources
from arcferry.fetch.run import fetch

__all__ = [
    "PINNED",
    "Choice",
    "Distribution",
    "FetchOptions",
    "FetchRequest",
    "Fetched",
    "Progress",
    "Sources",
    "choose",
    "fetch",
    "names",
    "read_sources",
    "read_version",
]
