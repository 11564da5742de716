"""Clouds and their regions."""

from functools import cache

from arcferry.catalog.store import load
from arcferry.catalog.types import Cloud, Region
from arcferry.errors import InputError, UnknownNameError

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


@cache
def _regions() -> dict[str, Region]:
    document = load("regions")
    found = {}
    for cloud_name in CLOUD_NAMES:
        for name, display, code, code_status, gas_status, source, note in document.content[cloud_name]:
            found[name] = Region(
                name=name,
                display=display,
                cloud=cloud_name,
                his_code=code or None,
                his_code_status=code_status,
                gas_status=gas_status,
                source=str(document.sources[source]),
                note=note,
            )
    return found


def regions(cloud: Cloud | None = None) -> tuple[Region, ...]:
    """The regions of one cloud, or of all."""
    return tuple(region for region in _regions().values() if cloud is None or region.cloud == cloud.name)


def region(name: str, cloud: Cloud | None = None) -> Region:
    """The region with this ARM name or display name, in any letter case: `eastasia`, `East Asia`.

    Raises:
        UnknownNameError: there is no such region.
        InputError: the region belongs to another cloud than the one given.
    """
    found = _regions().get("".join(name.lower().split()))
    if found is None:
        raise UnknownNameError("location", name, (region.name for region in regions(cloud)))
    if cloud is not None and found.cloud != cloud.name:
        raise InputError(
            f"location {found.name} belongs to {found.cloud}, not to {cloud.name}",
            hint=f"Use --cloud {found.cloud}.",
        )
    return found
