"""Clouds and their regions, by every name that Microsoft gives them."""

import re
import unicodedata
from functools import cache

from arcferry.catalog.store import Cloud, Region, Source, load
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


@cache
def _local_names() -> dict[str, dict[str, tuple[str, Source]]]:
    """By language and region what Microsoft calls it, and where; the first source that has it counts."""
    found: dict[str, dict[str, tuple[str, Source]]] = {}
    for group in load("region_names").content["names"]:
        source = Source(group["source"], group["taken"])
        of_language = found.setdefault(group["language"], {})
        for region, name in group["names"].items():
            of_language.setdefault(region, (name, source))
    return found


def local_name(region: Region, language: str) -> tuple[str, Source] | None:
    """What Microsoft calls a region in `zh-TW` or `zh-CN`, and where; None where no page was found."""
    return _local_names()[language].get(region.name)


def _key(name: str) -> str:
    """A name without what writers differ in, and without its area, as in `(Asia Pacific) East Asia`."""
    plain = unicodedata.normalize("NFKC", name).lower().strip()
    return re.sub(r"[\W_]", "", re.sub(r"^\([^()]{1,40}\)", "", plain))


@cache
def _spellings() -> dict[str, str]:
    """The ARM name by every name of a region."""
    groups = load("region_names").content["names"]
    local = {_key(name): region for group in groups for region, name in group["names"].items()}
    return local | {_key(one.display): one.name for one in regions()} | {name: name for name in _regions()}


def _unsure() -> dict[str, str]:
    """The ARM name by names that people write and no page of Microsoft's was found to have."""
    unsure = load("region_names").content["unsure"]
    return {_key(name): region for region, names in unsure.items() for name in names}


def _near(name: str, cloud: Cloud | None) -> list[str]:
    """The regions that may be meant."""
    from difflib import get_close_matches  # noqa: PLC0415  # needed at a mistake only

    within = {one.name for one in regions(cloud)}
    known = {spelt: arm for spelt, arm in (_spellings() | _unsure()).items() if arm in within}
    if _key(name) in known:
        return [known[_key(name)]]
    near = dict.fromkeys(known[spelt] for spelt in get_close_matches(_key(name), known, n=5, cutoff=0.5))
    return list(near)[:3]


def region(name: str, cloud: Cloud | None = None, *, unlisted: bool = False) -> Region:
    """The region with this name, in any letter case: `eastasia`, `East Asia`, `東亞`.

    With `unlisted`, a name that no list has is a new region of that cloud, of which nothing else is known.

    Raises:
        UnknownNameError: there is no such region.
        InputError: the region belongs to another cloud than the one given, or its name cannot be a region's.
    """
    arm_name = "".join(name.lower().split())
    found = _regions().get(arm_name) or _regions().get(_spellings().get(_key(name), ""))
    if found is None and unlisted and cloud:
        if not _REGION_NAME.fullmatch(arm_name):
            raise InputError(f"{quoted(name)} cannot be the name of a location", hint="Such as eastasia.")
        return Region(arm_name, name.strip(), cloud.name, None, "unknown", "pattern", UNLISTED)
    if found is None:
        raise UnknownNameError(
            "location", name, (region.name for region in regions(cloud)), near=_near(name, cloud)
        )
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
