"""Where in Azure one host's machine appears and how its agent gets there, where that is not the run's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from arcferry import typed
from arcferry.azure import AzureTarget
from arcferry.errors import InputError, UnknownNameError
from arcferry.redaction import redact
from arcferry.text import quoted

_GROUP = re.compile(r"[\w().-]{0,89}[\w()-]")
_PROXY = re.compile(r"https?://[\w.\[\]:-]+/?")
_RESOURCE = (
    r"(?i:/subscriptions/[0-9a-f-]{36}/resourceGroups/[\w().-]+/providers/Microsoft\.HybridCompute/%s/[\w-]+)"
)
_RESOURCES = {
    "private_link_scope": (_RESOURCE % "privateLinkScopes", "a private link scope"),
    "gateway_id": (_RESOURCE % "gateways", "an Azure Arc gateway"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """What a host's row or its site says instead of the run; what is empty is the run's.

    Attributes:
        location: a region's name.
        resource_group: it must exist.
        subscription: its id.
        proxy: the HTTP proxy that the host's agent uses; never with a password.
        private_link_scope: an ARM id; `gateway_id` likewise.

    Raises:
        ValueError: one of them is not what it must be.
    """

    location: str = ""
    resource_group: str = ""
    subscription: str = ""
    proxy: str = ""
    private_link_scope: str = ""
    gateway_id: str = ""

    def __post_init__(self) -> None:
        if self.resource_group and not _GROUP.fullmatch(self.resource_group):
            raise ValueError(f"resource_group {quoted(self.resource_group)} is not a name that ARM accepts")
        if self.subscription and not typed.guid(self.subscription):
            raise ValueError(
                f"subscription {quoted(self.subscription)} is not a GUID; "
                "`az account show --query id` prints it"
            )
        if self.proxy and not _PROXY.fullmatch(self.proxy):
            # Not told again: it may hold a password.
            has_user = "@" in self.proxy or redact(self.proxy) != self.proxy
            says = "holds a user, and the agent knows none" if has_user else "is not http://HOST:PORT"
            raise ValueError(f"proxy {says}")
        for name, (pattern, what) in _RESOURCES.items():
            given = getattr(self, name)
            if given and not re.fullmatch(pattern, given):
                raise ValueError(f"{name} {quoted(given)} is not the ARM id of {what}")

    def over(self, other: "Place") -> "Place":
        """This place, with the other's where it says nothing."""
        return replace(other, **self.given())

    def given(self) -> dict[str, str]:
        """What it says, by the columns' names."""
        return {name: value for name in PLACE_COLUMNS if (value := getattr(self, name))}


PLACE_COLUMNS = tuple(one.name for one in fields(Place))
EVERYWHERE = Place()
"""The run's own place."""


def place_of_options(**given: str) -> Place:
    """The place that options of these names give.

    Raises:
        InputError: one of them is not what it must be; it is named as an option.
    """
    try:
        return Place(**given)
    except ValueError as error:
        name, _, says = str(error).partition(" ")
        raise InputError(f"--{name.replace('_', '-')} {says}") from None


def target_of(target: AzureTarget, place: Place) -> AzureTarget:
    """Where a host of this place goes, in a run with this target."""
    return replace(
        target,
        location=place.location or target.location,
        resource_group=place.resource_group or target.resource_group,
        subscription_id=place.subscription or target.subscription_id,
    )


def place_of(cells: Mapping[str, str], cloud: str) -> Place:
    """The place that a row's or a site's cells say, with the region by its one name.

    Raises:
        ValueError: one of them is not what it must be; near names are offered.
    """
    return _place(tuple((name, value) for name in PLACE_COLUMNS if (value := cells.get(name))), cloud)


@lru_cache(maxsize=4096)
def _place(cells: tuple[tuple[str, str], ...], cloud: str) -> Place:
    """Thousands of hosts have few places."""
    from arcferry import catalog  # noqa: PLC0415  # most inventories say nothing of it

    given = dict(cells)
    if location := given.get("location"):
        try:
            given["location"] = catalog.region(location, catalog.cloud(cloud)).name
        except UnknownNameError as error:
            raise ValueError(f"{error.message}. {error.hint}".rstrip()) from None
        except InputError as error:
            raise ValueError(error.message) from None
    place = Place(**given)
    return replace(place, subscription=place.subscription.lower())
