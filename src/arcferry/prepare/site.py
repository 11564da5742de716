import re
from dataclasses import dataclass

from arcferry import rights, typed
from arcferry.catalog import Cloud, Region
from arcferry.errors import InputError
from arcferry.text import quoted

_PRINTED = re.compile(r"[^`|\x00-\x1f\x7f]{1,200}")
"""What stands in a letter as it is, between backticks."""


@dataclass(frozen=True, slots=True)
class Site:
    r"""What is to be prepared; what is not known yet is an empty text, and stands in the letters in capitals.

    Attributes:
        features: what is wanted besides the agent.
        circuit: the ExpressRoute circuit, as Azure names it.
        share: the folder as the servers see it, where Group Policy or another tool is used.
        computers: the group of the servers' computer accounts, `DOMAIN\NAME`.
    """

    cloud: Cloud
    region: Region
    features: tuple[str, ...] = ()
    tenant: str = ""
    subscription: str = ""
    group: str = ""
    circuit: str = ""
    share: str = ""
    computers: str = ""

    @property
    def place(self) -> rights.Place:
        """Where roles are to be assigned."""
        return rights.Place(self.subscription, self.group, self.region.name)


def read_site(
    cloud: Cloud,
    region: Region,
    *,
    features: tuple[str, ...] = (),
    tenant: str = "",
    subscription: str = "",
    group: str = "",
    circuit: str = "",
    share: str = "",
    computers: str = "",
) -> Site:
    """A site, of what a person gave; what is left out is an empty text.

    Raises:
        InputError: something cannot be what it is given as.
    """
    for option, given, good in (
        ("--tenant-id", tenant, typed.guid(tenant) or typed.host(tenant)),
        ("--subscription-id", subscription, typed.guid(subscription)),
        ("--resource-group", group, typed.resource_group(group)),
        ("--circuit", circuit, typed.resource(circuit)),
        ("--share", share, _PRINTED.fullmatch(share)),
        ("--group", computers, _PRINTED.fullmatch(computers)),
    ):
        if given and not good:
            raise InputError(
                f"{option} {quoted(given)} cannot be that", hint="Leave it out where it is not known yet."
            )
    return Site(cloud, region, features, tenant, subscription, group, circuit, share, computers)
