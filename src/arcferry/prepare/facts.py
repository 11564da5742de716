"""What the letters say of one site: the names, communities, rights and commands that are meant."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from arcferry import command_line, rights, typed
from arcferry.bundle.guide.commands import CommandBox, CommandLine
from arcferry.catalog import Cloud, Region
from arcferry.command_line import Does, Word
from arcferry.errors import InputError
from arcferry.routing import plan as routes
from arcferry.routing.firewall import name_rules
from arcferry.routing.planned import RoutePlan
from arcferry.text import quoted

Rows = tuple[tuple[str, ...], ...]
_PRINTED = re.compile(r"[^`|\x00-\x1f\x7f]{1,200}")
"""What stands in a letter as it is, between backticks."""
_WAYS = {"proxy": "a proxy, "}


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
    return Facts(site, _values(site, today), _tables(planned), _runs(site), sources)


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


@cache
def _commands() -> Mapping[Does, Mapping[str, list[str]]]:
    text = resources.files(__package__).joinpath("commands.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    return {does: document[does.value] for does in Does}


def _runs(site: Site) -> dict[str, CommandBox]:
    words = _words(site)
    boxes = {
        name: _box(texts, words, does) for does, known in _commands().items() for name, texts in known.items()
    }
    for task in rights.rights().task:
        lines = rights.assignment(task, site.place)
        for name, keys in (("give", ("create", "assign")), ("take", ("undo", "remove"))):
            made = tuple(CommandLine(lines[key]) for key in keys)
            boxes[f"{name}-{task.name}"] = CommandBox(None, made, Does.CHANGES)
    return boxes


def _words(site: Site) -> dict[str, Word]:
    return {
        "location": command_line.location(site.region.name),
        "cloud": command_line.word(site.cloud.name, "CLOUD"),
        "subscription": command_line.guid(site.subscription, "SUBSCRIPTION"),
        "group": command_line.group(site.group),
        "circuit": command_line.resource(site.circuit, "CIRCUIT"),
        "group_scope": Word(site.place.scope(rights.Scope.GROUP)),
    }


def _box(texts: Iterable[str], words: Mapping[str, Word], does: Does) -> CommandBox:
    lines = []
    for text in texts:
        used = {name: word for name, word in words.items() if f"{{{name}}}" in text}
        lines.append(CommandLine(command_line.line(text, **used)))
    return CommandBox(None, tuple(lines), does)
