"""Rules for a firewall between servers and Azure Arc: by name, or by the prefixes of service tags."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from arcferry import catalog
from arcferry.catalog import CalledTag, Cloud, Endpoint, Region, When
from arcferry.errors import InputError
from arcferry.language import _, marked, together
from arcferry.routing.azure_json import ServiceTags
from arcferry.routing.coverage import dated
from arcferry.routing.planned import RoutePlan, Steered

_PUBLIC = "Public"
_HTTPS = 443
_WHEN = {
    When.INSTALL: marked("to install, and for automatic upgrades"),
    When.CONNECT: marked("to connect and to disconnect"),
    When.ALWAYS: marked("always"),
    When.FEATURE: marked("for a feature"),
}


@dataclass(frozen=True, slots=True)
class NameRule:
    """Let servers reach one name.

    Attributes:
        host: a name, or a pattern with a star where nobody can list the names beforehand.
        when: the moment of need, for a reader.
        required: whether the agent fails without it.
        over_peering: whether Microsoft peering can carry it at all.
    """

    host: str
    port: int
    reason: str
    when: str
    required: bool
    over_peering: bool
    source: str


@dataclass(frozen=True, slots=True)
class PrefixRule:
    """Let servers reach one prefix.

    Attributes:
        tag: the service tag that has the prefix.
        region: ARM name, empty where the tags tie the prefix to no region.
        taken: the day of the service-tag file, None where it is undated.
    """

    prefix: str
    port: int
    tag: str
    region: str
    reason: str
    when: str
    taken: date | None


@dataclass(frozen=True, slots=True)
class PrefixSheet:
    """The rules by prefix.

    Attributes:
        lacking: service tags that are called for and that the file does not have.
        sources: the service-tag files, each with its date.
        since: the older files that this is compared with; empty where it is not, as the next two are.
        added: what these did not have.
        removed: what they had and is no more.
    """

    rules: tuple[PrefixRule, ...]
    lacking: tuple[str, ...]
    sources: tuple[str, ...]
    since: tuple[str, ...] = ()
    added: tuple[PrefixRule, ...] = ()
    removed: tuple[PrefixRule, ...] = ()


@dataclass(frozen=True, slots=True)
class NameSheet:
    """The rules by name, for machines of one region with these features."""

    cloud: Cloud
    region: Region
    features: tuple[str, ...]

    @property
    def rules(self) -> tuple[NameRule, ...]:
        """As `name_rules` makes them."""
        return name_rules(self.cloud, self.region, self.features)


def name_rules(cloud: Cloud, region: Region, features: Sequence[str] = ()) -> tuple[NameRule, ...]:
    """One rule a name, the required ones first; outbound TCP throughout, Azure never connects inbound.

    Raises:
        UnknownNameError: there is no such feature.
        InputError: the region belongs to another cloud.
    """
    rows = catalog.requirements(cloud, region, features)
    rules = [_name_rule(row, cloud, features) for row in rows]
    return tuple(sorted(rules, key=lambda rule: (not rule.required, rule.port != _HTTPS)))


def _name_rule(row: Endpoint, cloud: Cloud, features: Sequence[str]) -> NameRule:
    wanted = [feature for feature in row.features if feature in features]
    when = (
        _("for {names}", names=together(wanted)) if row.when is When.FEATURE and wanted else _WHEN[row.when]
    )
    if catalog.PKI in row.features:
        when = marked("to verify certificates")
    return NameRule(
        host=row.host or f"*.{cloud.his_suffix}",
        port=row.port,
        reason=row.purpose,
        when=when,
        required=row.required,
        over_peering=not row.at_the_edge,
        source=str(row.source),
    )


def prefix_sheet(
    plan: RoutePlan,
    service_tags: Sequence[ServiceTags],
    older: Sequence[ServiceTags] = (),
    *,
    given_by: str = "--with",
) -> PrefixSheet:
    """One rule a prefix, of every service tag that the plan's names call for.

    Azure Arc, Entra ID and Resource Manager come with their whole tags. Of services whose hosts nobody can
    list, such as Storage, the tags of the plan's regions are taken; with every region in scope the whole tag.

    Args:
        plan: the cloud, the region, the scope and the features.
        service_tags: files of this cloud and, for a national cloud, of the public one, whose Azure Arc ranges
            Microsoft requires there too since 2025-10-28; the newest of each leads.
        older: the same of a day before, to tell what has changed since.
        given_by: the option that takes these files, for the error's way out.

    Raises:
        InputError: there is no file of this cloud, or none of the public one where it is required.
    """
    name = plan.cloud.service_tag_cloud
    own = _of_cloud(name, service_tags, given_by)
    called = [tag for tag in catalog.called_tags() if not tag.features or {*tag.features} & {*plan.features}]
    sheets = [(own, called)]
    if name != _PUBLIC:
        sheets.append(
            (_of_cloud(_PUBLIC, service_tags, given_by), [tag for tag in called if tag.every_cloud])
        )
    rules: dict[tuple[str, str], PrefixRule] = {}
    lacking = []
    for file, tags in sheets:
        held = _held(file, {tag.name for tag in tags})
        for tag in tags:
            found = list(_of_tag(tag, held[tag.name], file, plan))
            for rule in found:
                rules.setdefault((rule.tag, rule.prefix), rule)
            lacking += [] if found else [tag.name]
    sources = tuple(f"service tags {dated(file)}" for file, _ in sheets)
    sheet = PrefixSheet(tuple(rules.values()), tuple(lacking), sources)
    if not older:
        return sheet
    before = prefix_sheet(plan, older, given_by="--since")
    had = {(rule.tag, rule.prefix) for rule in before.rules}
    return replace(
        sheet,
        since=before.sources,
        added=tuple(rule for key, rule in rules.items() if key not in had),
        removed=tuple(rule for rule in before.rules if (rule.tag, rule.prefix) not in rules),
    )


def _of_cloud(name: str, service_tags: Iterable[ServiceTags], given_by: str) -> ServiceTags:
    found = [tags for tags in service_tags if tags.cloud == name]
    if not found:
        kept = ", or keep it for all commands: arcferry data import FILE" if given_by == "--with" else " too"
        older = "older " if given_by == "--since" else ""
        raise InputError(
            f"no {older}service tags of the cloud {name} are at hand",
            hint=f"Give the file with {given_by}{kept}.",
        )
    return max(found, key=lambda tags: (tags.taken or date.min, tags.change_number))


def _held(file: ServiceTags, names: Collection[str]) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """For each of these tags, the prefixes with their regions, under its own name and its regional parts'.

    One pass over the whole file, because each takes a tenth of a second.
    """
    held: dict[str, dict[str, list[tuple[str, str]]]] = {name: {} for name in names}
    for prefix, (tag, region) in file.prefixes.items():
        name = tag if tag in held else tag.partition(".")[0]
        if name in held:
            held[name].setdefault(tag, []).append((prefix, region))
    return held


def _of_tag(
    tag: CalledTag, held: Mapping[str, Sequence[tuple[str, str]]], file: ServiceTags, plan: RoutePlan
) -> Iterator[PrefixRule]:
    parts = [(name, prefix, region) for name, rows in held.items() for prefix, region in rows if region]
    if tag.whole or plan.scope.steered is Steered.ALL:
        regions = {prefix: region for _name, prefix, region in parts}
        rows = [(tag.name, prefix, regions.get(prefix, "")) for prefix, _region in held.get(tag.name, ())]
    else:
        rows = [row for row in parts if row[2] in plan.scope.regions]
    for name, prefix, region in rows:
        yield PrefixRule(prefix, _HTTPS, name, region, tag.reason, _WHEN[tag.when], file.taken)
