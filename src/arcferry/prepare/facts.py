"""What the letters say of one site: the names, communities, rights and commands that are meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from arcferry import rights
from arcferry.bundle.guide.commands import CommandBox
from arcferry.prepare.boxes import boxes_of
from arcferry.prepare.site import Site
from arcferry.routing import plan as routes
from arcferry.routing.firewall import name_rules
from arcferry.routing.planned import RoutePlan

Rows = tuple[tuple[str, ...], ...]
_WAYS = {"proxy": "a proxy, "}


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands for the blanks, tables, commands and conditions of the letters.

    Attributes:
        sources: what the tables rest on, each with its day.
    """

    site: Site
    values: Mapping[str, str]
    tables: Mapping[str, Rows]
    runs: Mapping[str, CommandBox]
    sources: tuple[str, ...]

    def holds(self, word: str) -> bool:
        """Whether a condition of the letters holds; an empty one always does, a table's if it has rows."""
        return not word or bool(self.tables[word])


def facts_of(site: Site, today: date) -> Facts:
    """Everything that the letters say of a site, from the catalogue alone: nobody is asked.

    Raises:
        UnknownNameError: there is no such feature.
        InputError: the region belongs to another cloud.
    """
    planned = routes.plan(site.cloud, site.region, features=site.features, today=today)
    known = rights.rights()
    sources = (*planned.sources, f"rights: {known.roles}; read {known.taken}")
    return Facts(site, _values(site, today), _tables(planned), boxes_of(site), sources)


def _values(site: Site, today: date) -> dict[str, str]:
    place = site.place
    return {
        "location": site.region.name,
        "display": site.region.display,
        "cloud": site.cloud.name,
        "today": today.isoformat(),
        "tenant": site.tenant or "TENANT",
        "subscription": site.subscription or "SUBSCRIPTION",
        "group": site.group or "RESOURCE-GROUP",
        "circuit": site.circuit or "CIRCUIT",
        "share": site.share or r"\\FILESERVER\arcferry",
        "computers": site.computers or r"DOMAIN\GROUP",
        **{f"scope_{scope.name.lower()}": place.scope(scope) for scope in rights.Scope},
    }


def _tables(planned: RoutePlan) -> dict[str, Rows]:
    rules = name_rules(planned.cloud, planned.region, planned.features)
    return {
        "endpoints": tuple((one.host, str(one.port), one.reason, one.when) for one in rules if one.required),
        "optional": tuple(
            (one.host, str(one.port), one.reason, one.when) for one in rules if not one.required
        ),
        "communities": tuple(
            (one.value, one.name, one.why, ", ".join(one.hosts)) for one in planned.communities
        ),
        "without": tuple((one.region, ", ".join(one.hosts)) for one in planned.without),
        "never": tuple(
            (one.endpoint.host, str(one.endpoint.port), f"{_WAYS.get(one.way, '')}{one.instead}")
            for one in planned.never
        ),
        "ahead": tuple((one.day.isoformat(), one.says, one.source) for one in planned.ahead),
        "roles": tuple(
            (f"roles/role-{one.name}", one.title, one.scope.words) for one in rights.rights().task
        ),
        **{
            f"rights-{task.name}": tuple((right.action, right.why) for right in task.rights)
            for task in rights.rights().task
        },
    }
