"""The named values that may stand in braces in a cause's words.

A rule gives values of its own (`Match.values`); those below every cause has. In a sentence several texts are
listed (`a, b and c`); on a line of their own in a letter or among the steps they give a line or a step each.
In a command a value is put in by its type (`in_commands`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import ip_network

from arcferry import catalog, typed
from arcferry.command_line import Word
from arcferry.diagnosis.azure_names import NAMES, PROVIDERS, azure_name
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence
from arcferry.diagnosis.in_commands import TYPES
from arcferry.diagnosis.names import (
    affected,
    common,
    community_name,
    filter_name,
    listed,
    named,
    region_name,
    said_of,
)
from arcferry.diagnosis.rule import Line, Match, Value
from arcferry.diagnosis.words import PLACEHOLDERS, Entry, family, filled, how_to_get
from arcferry.evidence.case import Case
from arcferry.routing import filter_change
from arcferry.routing.circuit import IPV4, Circuit
from arcferry.routing.route_filter import RouteFilter

_MOST_IN_A_LETTER = 60
_MOST_OF_EVIDENCE = 12
_MOST_SEEN = 6
_SECOND = 2
_GROUP_AT = 3
_NO_FILTER = RouteFilter("", frozenset(), frozenset(), "")
_SEVERAL = 2
"""From this many endpoints on, one and the same failure points to a device that all pass through."""


@dataclass(frozen=True, slots=True)
class Values:
    """The named values of one finding."""

    entry: Entry
    match: Match
    case: Case
    more: Mapping[str, Value] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Value:
        """The value of this name: of a line of evidence, of the rule, or one that every cause has.

        Raises:
            KeyError: there is no such value.
        """
        for given in (self.more, self.match.values):
            if name in given:
                return given[name]
        return _COMMON[name](self)

    def text(self, name: str) -> str:
        """The value in a sentence; if the entry has a choice of words for it, those words.

        A sentence lists no more than six texts; `all_NAME` lists every one of NAME, for a letter.
        """
        if name.startswith("all_"):
            return listed(self.lines(name.removeprefix("all_")), _MOST_IN_A_LETTER)
        choice = self.entry.choices.get(name)
        if choice is None:
            return self._said(self[name])
        value = self[choice.get("of", name)]
        key = self._said(value)
        words = choice.get(key, choice.get("yes" if value else "no", choice.get("else")))
        if words is None:
            raise KeyError(f"{name}: no words for {key}")
        return self.fill(words)

    def fill(self, template: str) -> str:
        """The template with every value as text."""
        return filled(template, self.text)

    def lines(self, name: str) -> tuple[str, ...]:
        """The value on lines of its own: several texts give a line each, an empty text gives none."""
        value = self.text(name) if name in self.entry.choices else self[name]
        if isinstance(value, tuple):
            return tuple(str(one) for one in value)
        return (self._said(value),) if value != "" else ()

    def word(self, name: str) -> Word | Sequence[Word]:
        """The value in a command line, by its type."""
        make, value = TYPES[name], self[name]
        return tuple(make(one) for one in value) if isinstance(value, tuple) else make(value)

    @property
    def first(self) -> Destination:
        """The first endpoint that it is about; one without a name if it is about none."""
        return next(iter(self.match.destinations), Destination("", None, (), (), ()))

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the cause has to add: its own words filled in, and quotations as they are."""
        return tuple(one if isinstance(one, Evidence) else self._line(one) for one in self.match.evidence)

    def has(self, condition: str) -> bool:
        """Whether a piece's `when` holds; an empty condition always does."""
        negated, name = condition.startswith("not "), condition.removeprefix("not ")
        return not name or bool(self[name]) is not negated

    def _line(self, one: Line) -> Evidence:
        origin, words = self.entry.evidence[one.key]
        within = Values(self.entry, self.match, self.case, dict(one.values))
        return Evidence(one.origin or within.fill(origin), within.fill(words), one.taken)

    def _said(self, value: Value) -> str:
        if isinstance(value, tuple):
            return listed([str(one) for one in value])
        return f"{value:,}" if type(value) is int else str(value)


def _filter(values: Values) -> RouteFilter:
    """The route filter that decides for the first endpoint, else the first of those in effect."""
    known = (values.first.coverage.route_filter, *values.case.filters_in_effect)
    found, attached = next(filter(None, known), _NO_FILTER), values.case.attached_filters
    if found.name != found.origin or len(attached) != 1:
        return found
    # A filter without a name of its own is the one that the circuit holds: its id has name and group.
    path = attached[0].strip("/").split("/")
    group = path[_GROUP_AT] if len(path) > _GROUP_AT else ""
    return replace(found, name=path[-1], resource_group=found.resource_group or group)


def _filter_in_doubt(values: Values) -> bool:
    """Whether the filter may have been changed since the day of its document."""
    found, newest = _filter(values), values.case.newest
    asof = filter_change.AsOf(found.taken, newest.date() if newest else None)
    return found is not _NO_FILTER and bool(asof.doubt)


def _communities(values: Values) -> tuple[str, ...]:
    """What carries the endpoints, or is to be added for them."""
    found = [affected(one).community for one in values.match.destinations]
    return tuple(dict.fromkeys(filter(None, found)))


def _addition(values: Values) -> tuple[Command, ...]:
    """What adds the endpoints' communities to the filter's rule, and how to see its result.

    Both tools add to what the rule holds when they are run, so it does not matter of which day the filter is.
    """
    name, group, rule = (values.text(one) for one in ("filter", "filter_group", "filter_rule"))
    made = filter_change.changes(
        name, group, rule, values.lines("allowed"), values.lines("communities"), tools=("az", "powershell")
    )
    return tuple(Command(one.tool, one.text, one.does) for one in (*made, filter_change.see(name, group)))


def _circuit(values: Values) -> Circuit:
    return next(iter(values.case.circuits), Circuit(""))


def _msees(values: Values) -> tuple[str, ...]:
    """Microsoft's router of each link, which has the second address of its /30; one empty text if unknown."""
    links = [ip_network(link) for link in values.case.links]
    inner = [link for link in links if link.version == IPV4 and link.num_addresses > _SECOND]
    return tuple(str(link[_SECOND]) for link in inner) or ("",)


def _machine(values: Values) -> str:
    """The name of the machine that the agent says it is."""
    shown = [dict(state.properties) for state in values.case.agents]
    return next((one["resource name"] for one in shown if one.get("resource name")), "")


def _received_network(values: Values) -> str:
    """The first address of the prefix in which a router's table has the first endpoint's address."""
    route = values.first.coverage.received.route
    return str(ip_network(route.prefix).network_address) if route else ""


def _not_alone(values: Values) -> tuple[str, ...]:
    """Why Microsoft peering alone cannot suffice in the endpoints' cloud; nothing if it may."""
    cloud = catalog.cloud_of(values.first.host) if values.first.host else None
    # The public cloud, which is the first, has no such note.
    another = cloud is not None and cloud.name != catalog.clouds()[0].name
    return catalog.peering_notes(cloud, (), first=True) if cloud and another else ()


def _hosts(values: Values) -> tuple[str, ...]:
    return tuple(named(one) for one in values.match.destinations)


def _subject(values: Values) -> str:
    """The endpoints for a title: the name of one, or how many."""
    hosts = _hosts(values)
    if len(hosts) == 1:
        return hosts[0]
    return common("endpoints", count=str(len(hosts)))


def _resolver(values: Values) -> tuple[str, int]:
    """The first resolver that was asked, and its port unless it is 53; empty if it is none to ask again."""
    first = next(iter(_texts(values["resolvers"])), "")
    return ("", 0) if typed.is_hosts_file(first) else (first, typed.port_of(first) if first else 0)


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _ways(values: Values) -> Mapping[str, str]:
    """How each kind of evidence is had, with the names of the case in the commands."""
    return how_to_get({name: str(values.word(name)) for name in PLACEHOLDERS})


def _gathering(values: Values) -> tuple[str, ...]:
    """How to have the evidence that would decide, a step a kind, with the team that has it."""
    known, by = _ways(values), family("common")["words"]["by"]
    of_network = _texts(values["asked_of_network"])
    return tuple(
        filled(
            by["network" if kind in of_network else "server"],
            {"kind": kind, "how": known[kind]}.__getitem__,
        )
        for kind in _texts(values["would_decide"])
        if kind in known
    )


def _each(key: str, values: Values) -> tuple[str, ...]:
    """A sentence for each endpoint with its address, by the shared words of this key."""
    found = map(affected, values.match.destinations)
    return tuple(common(key, host=one.host, address=one.address) for one in found)


def _server_blocks(values: Values) -> tuple[Command, ...]:
    """What is pasted on a server without arcferry to have what decides."""
    from arcferry.diagnosis.on_server.blocks import blocks  # noqa: PLC0415  # check starts without it

    return blocks(one.host for one in values.match.destinations)


def _rows(*fields: str) -> Callable[[Values], tuple[str, ...]]:
    """Each endpoint on a line, with these fields of it."""

    def rows(values: Values) -> tuple[str, ...]:
        found = [affected(one) for one in values.match.destinations]
        return tuple("- " + " ".join(filter(None, (getattr(one, name) for name in fields))) for one in found)

    return rows


def _seen(values: Values) -> tuple[Evidence, ...]:
    """What documents say, without what arcferry adds itself."""
    both = zip(values.match.evidence, values.evidence, strict=True)
    return tuple(said for given, said in both if given.origin)


def _advice(values: Values) -> tuple[str, ...]:
    """The catalogue's way out for each code that the finding is about."""
    codes = filter(None, map(catalog.known_code, values.match.signature))
    return tuple(dict.fromkeys(catalog.told(code).remedy for code in codes))


def _azure_name(name: str, values: Values) -> str:
    """From what was seen, else from the agent's ids: its resource's has subscription and group."""
    shown = [item for state in values.case.agents for key, item in state.properties if "id" in key]
    return azure_name(name, "\n".join((*(one.says for one in _seen(values)), *shown)))


_OF_LINUX = re.compile(
    r"\b(?:apt|apt-get|dnf|yum|zypper|rpm|dpkg|himdsd|systemd|systemctl)\b|\.sh\b|/opt/azcmagent"
)
"""What only Linux has, by which a server's system is told where nothing else does."""


def _on_linux(values: Values) -> bool:
    codes = filter(None, map(catalog.known_code, values.match.signature))
    # Of a code that only the script for Linux has the catalogue says so first.
    of_linux = any(code.meaning.startswith("Linux:") for code in codes)
    return of_linux or any(map(_OF_LINUX.search, (one.says for one in _seen(values))))


_COMMON: dict[str, Callable[[Values], Value]] = {
    "subject": _subject,
    "hosts": _hosts,
    "host": lambda values: _hosts(values)[0],
    "address": lambda values: next(
        (one.address for one in map(affected, values.match.destinations) if one.address), ""
    ),
    "not_alone": _not_alone,
    "region": lambda values: values.first.coverage.region,
    "region_name": lambda values: region_name(values.first.coverage.region),
    "service_tag": lambda values: values.first.coverage.service_tag,
    "places": _rows("host", "address"),
    "answers": partial(_each, "answers"),
    "answered_with": partial(_each, "answered_with"),
    "places_and_communities": _rows("host", "address", "community"),
    "places_and_regions": _rows("host", "address", "region", "community"),
    "meaning": lambda values: values.entry.meaning,
    "proxy": lambda values: values.first.proxy,
    "community": lambda values: values.first.coverage.community,
    "community_name": lambda values: community_name(values.text("community")),
    "places_and_tags": _rows("host", "address", "service_tag"),
    "communities": _communities,
    "community_names": lambda values: tuple(map(community_name, _communities(values))),
    "failed": lambda values: any(one.failed for one in values.match.destinations),
    "steered": lambda values: any(one.steered for one in values.match.destinations),
    "observed": lambda values: values.match.confidence is Confidence.OBSERVED,
    "filter": lambda values: filter_name(_filter(values)),
    "filter_group": lambda values: _filter(values).resource_group,
    "filter_rule": lambda values: _filter(values).rule,
    "filter_in_doubt": _filter_in_doubt,
    "filter_day": lambda values: _filter(values).day,
    "allowed": lambda values: _filter(values).allowed,
    "addition": _addition,
    "has_route": lambda values: any(one.coverage.has_route for one in values.match.destinations),
    "evidence": lambda values: tuple(f"- {one.says}" for one in values.evidence[:_MOST_OF_EVIDENCE]),
    "circuits": lambda values: (
        tuple(sorted(one.name for one in values.case.circuits if one.is_named)) or common("the_circuit")
    ),
    "circuit": lambda values: _circuit(values).name if _circuit(values).is_named else "",
    "circuit_group": lambda values: _circuit(values).resource_group,
    "sku_family": lambda values: _circuit(values).family,
    "msees": _msees,
    "msee": lambda values: _msees(values)[0],
    "received_network": _received_network,
    "arc_location": lambda values: values.case.location or PLACEHOLDERS["arc_location"],
    "machine": _machine,
    "agent_proxy": lambda values: next((one.proxy for one in values.case.agents if one.proxy), ""),
    "issuer": lambda values: values.first.issuer,
    "count": lambda values: len(values.match.destinations),
    "everywhere": lambda values: (
        len(values.match.destinations) >= _SEVERAL and not any(one.reached for one in values.first.beside)
    ),
    "would_decide": lambda values: values.match.would_decide,
    "asked_of_network": lambda _: (),
    "gathering": _gathering,
    "evidence_asked": lambda values: tuple(
        f"- {_ways(values)[kind]}" for kind in _texts(values["asked_of_network"])
    ),
    "server_blocks": _server_blocks,
    "resolvers": lambda values: values.first.resolvers,
    "resolver": lambda values: _resolver(values)[0],
    "resolver_port": lambda values: _resolver(values)[1],
    "resolver_alone": lambda values: bool(_resolver(values)[0]) and not _resolver(values)[1],
    "signature": lambda values: values.match.signature,
    "title": lambda values: values.entry.title,
    "seen": lambda values: tuple(f"- {said_of(one.origin, one.says)}" for one in _seen(values)[:_MOST_SEEN]),
    "advice": _advice,
    "on_linux": _on_linux,
    "scope": lambda values: values.fill("/subscriptions/{subscription}/resourceGroups/{resource_group}"),
    "required_providers": lambda _: PROVIDERS,
    "providers": lambda values: tuple(dict.fromkeys((values.text("provider"), *PROVIDERS))),
    **{name: partial(_azure_name, name) for name in NAMES},
}
