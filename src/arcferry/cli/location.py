"""The location that a command is told: one that the catalogue has or, if asked for, one that it lacks."""

from typing import TYPE_CHECKING

import typer

from arcferry.errors import UnknownNameError

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region


def region_of(location: str, cloud: "Cloud | str", *, unlisted: bool) -> "Region":
    """The region of this name; of one that no list has, what is not known is told on stderr.

    Raises:
        UnknownNameError: there is no such region, and `unlisted` is False; near names are offered.
        InputError: there is no such cloud, the region is another cloud's, or its name cannot be a region's.
    """
    from arcferry import catalog

    of_cloud = catalog.cloud(cloud) if isinstance(cloud, str) else cloud
    try:
        found = catalog.region(location, of_cloud, unlisted=unlisted)
    except UnknownNameError as error:
        error.hint += " A location that Azure has and arcferry does not know yet: --location-unlisted."
        raise
    if found.source == catalog.UNLISTED:
        unknown = [
            "whether Azure Arc serves it",
            *([] if catalog.region_community(found.name) else ["its BGP community"]),
            *([] if catalog.geography_of(found.name) else ["its geopolitical area"]),
            "whether its names follow the other regions' rule",
        ]
        typer.echo(
            f"note: {found.name} is in no list of arcferry's; not known: {', '.join(unknown)}", err=True
        )
    return found
