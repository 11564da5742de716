"""Clouds and their regions."""

import re
from functools import cache

from arcferry.catalog.store import Cloud, Region, load
from arcferry.errors import InputError, UnknownNameError
from arcferry.text import quoted

CLOUD_NAMES = ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud")


@cache
def _clouds_by_alias() -> dict[str, Cloud]:
    document = load("clouds")
    found: dict[str, Cloud] = {}
    for name in CLOUD_NAMES:
        fields = dict(document.content[name])
        aliases = fields.pop("aliases")
        cloud = Cloud(name=name, source=document.source, **fields)
        found |= dict.fromkeys([name.lower(), *aliases], cloud)
    return found


def clouds() -> tuple[Cloud, ...]:
    """Every cloud, the public one first."""
    return tuple(_clouds_by_alias()[name.lower()] for name in CLOUD_NAMES)


def cloud(name: str) -> Cloud:
    """The cloud called `name`, in any letter case; `public`, `usgov` and `china` will do.

    Raises:
        UnknownNameError: there is no such cloud.
    """
    found = _clouds_by_alias().get(name.strip().lower())
    if found is None:
        raise UnknownNameError("cloud", name, CLOUD_NAMES)
    return found


_REGION_NAME = re.compile(r"[a-z][a-z0-9]{3,39}")
UNLISTED = "named by the user; in no list that arcferry has"


@cache
def _regions() -> dict[str, Region]:
    document = load("regions")
    no_code = {"his_code": None, "his_code_status": "unknown"}
    found = {}
    for cloud_name in CLOUD_NAMES:
        for row in document.content[cloud_name]:
            source = str(document.sources[row["source"]])
            found[row["name"]] = Region(cloud=cloud_name, **{**no_code, **row, "source": source})
    return found


def regions(cloud: Cloud | None = None) -> tuple[Region, ...]:
    """The regions of one cloud, or of all."""
    return tuple(region for region in _regions().values() if cloud is None or region.cloud == cloud.name)


def region(name: str, cloud: Cloud | None = None, *, unlisted: bool = False) -> Region:
    """The region with this ARM name or display name, in any letter case: `eastasia`, `East Asia`.

    With `unlisted`, a name that no list has is a new region of that cloud, of which nothing else is known.

    Raises:
        UnknownNameError: there is no such region.
        InputError: the region belongs to another cloud than the one given, or its name cannot be a region's.
    """
    arm_name = "".join(name.lower().split())
    found = _regions().get(arm_name)
    if found is None and unlisted and cloud:
        if not _REGION_NAME.fullmatch(arm_name):
            raise InputError(f"{quoted(name)} cannot be the name of a location", hint="Such as eastasia.")
        return Region(arm_name, name.strip(), cloud.name, None, "unknown", "pattern", UNLISTED)
    if found is None:
        raise UnknownNameError("location", name, (region.name for region in regions(cloud)))
    if cloud is not None:
        check_cloud(cloud, found)
    return found


def check_cloud(cloud: Cloud, region: Region) -> None:
    """Refuse a region that belongs to another cloud.

    Raises:
        InputError: it does.
    """
    if region.cloud != cloud.name:
        raise InputError(
            f"location {region.name} belongs to {region.cloud}, not to {cloud.name}",
            hint=f"Use --cloud {region.cloud}.",
        )
