"""What a reader of a plan should know besides the communities, each with what it rests on."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from arcferry import catalog
from arcferry.catalog import Cloud, Endpoint, Region
from arcferry.language import _, translated
from arcferry.routing.circuit import Circuit
from arcferry.routing.filter_change import AsOf, fetch, named_filter
from arcferry.routing.planned import KnownAnswer, PlannedCommunity, Scope, Steered
from arcferry.routing.route_filter import RouteFilter

_GROUP_AT = 3


def notes(
    cloud: Cloud, region: Region, scope: Scope, features: Sequence[str], endpoints: Sequence[Endpoint]
) -> Iterator[str]:
    """What the plan cannot promise, and what to do about it."""
    yield from _about_scope(region, scope)
    yield from _about_features(cloud, features, endpoints)
    yield from _about_patterns([one.host for one in endpoints], region)
    yield from catalog.peering_notes(cloud, features, first=False)


def _about_features(cloud: Cloud, features: Sequence[str], endpoints: Iterable[Endpoint]) -> Iterator[str]:
    for feature in features:
        if feature not in catalog.features(cloud):
            yield _(
                "{feature}: no document names an endpoint of it in {name}.", feature=feature, name=cloud.name
            )
    for one in catalog.known_features():
        if one.name in features and one.name in catalog.features(cloud):
            yield one.told
    if unplaced := dict.fromkeys(one.host for one in endpoints if one.place_is_unknown):
        yield _(
            "No document says in which regions {names} answer: they are provided for like other "
            "names without a region. Hand in what they answer from your network.",
            names=", ".join(unplaced),
        )


def about_filter(route_filter: RouteFilter | None, wanted: Collection[str]) -> Iterator[str]:
    """What stands in the way of a filter although it may list every community."""
    if route_filter is None:
        return
    for value in sorted(route_filter.denied & {*wanted}):
        yield _(
            "Route filter {name} denies {value} in another rule: take it out there first.",
            name=route_filter.name,
            value=value,
        )
    if says := translated(route_filter.unsettled):
        yield _("{says}.", says=f"{says[0].upper()}{says[1:]}")


def about_answers(answers: Iterable[KnownAnswer], unseen: Sequence[str]) -> Iterator[str]:
    """What the known answers leave open, and how to have more of them."""
    nowhere = dict.fromkeys(one.host for one in answers if not (one.region or one.carried) and one.on_peering)
    if nowhere:
        yield _(
            "Of what {names} answered, nothing at hand tells the region: hand in service tags of this week.",
            names=", ".join(nowhere),
        )
    if unseen:
        yield _(
            "Where {names} will answer, no evidence at hand shows and nobody has published. Run "
            "arcferry check --output json > check.json on a server and hand it in; arcferry "
            "watch records it over time.",
            names=", ".join(unseen),
        )


def doubts(seen: RouteFilter | None, asof: AsOf, attached: Sequence[str]) -> Iterator[str]:
    """Why the filter in effect may be another than the one at hand, or none; to be told before all else.

    `attached` are the filters that the circuit at hand holds, by resource id or name.
    """
    if attached and not (seen and any(map(seen.is_named_by, attached))):
        *path, name = attached[0].strip("/").split("/")
        get = fetch(name, path[_GROUP_AT] if len(path) > _GROUP_AT else "")
        yield _(
            "The circuit holds route filter {name}, which is not at hand. Fetch it: {get}",
            name=named_filter(name),
            get=get,
        )
    elif seen is None:
        yield _(
            "No route filter is at hand, so the change makes a new one. It would take the place "
            "of one that the peering holds already, and of all that this lets through: look "
            "first, and hand that one in."
        )
    if seen and asof.doubt:
        get = fetch(seen.name, seen.resource_group)
        yield _(
            "Route filter {name}: {doubt}. Fetch it before anything is changed: {get}",
            name=seen.name,
            doubt=translated(asof.doubt),
            get=get,
        )


def about_ipv6(
    circuit: Circuit | None, seen: RouteFilter | None, of_ipv6: Iterable[RouteFilter], wanted: Sequence[str]
) -> Iterator[str]:
    """What the plan means for the circuit's IPv6 side, which holds a route filter of its own.

    Args:
        circuit: the one at hand.
        seen: the filter that the plan is about, of the IPv4 side.
        of_ipv6: the filters at hand that decide on IPv6.
        wanted: the communities of the plan.
    """
    side = circuit.microsoft_ipv6 if circuit else None
    if circuit is None or side is None or (seen and seen.is_named_by(side.route_filter)):
        return
    name = side.route_filter.rstrip("/").rpartition("/")[2]
    the_side = _("The IPv6 side of {name}'s Microsoft peering", name=circuit.name)
    held = next((one for one in of_ipv6 if one.is_named_by(side.route_filter)), None)
    if not name and side.tells_filter:
        yield _(
            "{the_side} holds no route filter: no route comes over it, whatever the IPv4 side's "
            "filter allows.",
            the_side=the_side,
        )
    elif name and held is None:
        yield _(
            "{the_side} holds a filter of its own, {name}, which is not at hand: this plan is "
            "about IPv4's. Hand that one in too.",
            the_side=the_side,
            name=name,
        )
    elif held and (lacking := [value for value in wanted if not held.allows(value)]):
        yield _(
            "{the_side} holds a filter of its own, {name}, which lacks {names}: names that answer "
            "with IPv6 too have no path there. The change below is to IPv4's filter alone.",
            the_side=the_side,
            name=name,
            names=" ".join(lacking),
        )


def effects(added: Sequence[PlannedCommunity], *, new: bool) -> Iterator[str]:
    """What it does besides to let these through, which the filter lacks, or to make and attach a new one."""
    counted = [one.prefixes for one in added if one.prefixes]
    ipv4, ipv6 = sum(one.ipv4 for one in counted), sum(one.ipv6 for one in counted)
    unknown = [one.value for one in added if not one.prefixes]
    more = []
    if counted:
        count = _("{ipv4} IPv4 and {ipv6} IPv6 prefixes", ipv4=ipv4, ipv6=ipv6)
        more.append(count if all(one.listed for one in counted) else _("about {count}", count=count))
    more += [_("an unknown number with {names}", names=" ".join(unknown))] if unknown else []
    yield _(
        "Prefixes: {names} are added on each of the two links. See before that the routers' "
        "maximum-prefix lies above what they receive now and this together: a session above "
        "it is torn down with all its routes.",
        names=_(" and ").join(more),
    )
    # In the community list of 2019-05-30 all 666 prefixes of regions' Storage and all 622 of their SQL lie
    # in the regions' own.
    if whole := [f"{one.value} ({one.name})" for one in added if one.region]:
        yield _(
            "All of a region: {names}. Its Storage and SQL too, and every other public address "
            "there, take the circuit from then on, whatever system asks for them.",
            names=", ".join(whole),
        )
    yield _(
        "Flows to these addresses that go another way today, by the internet or a proxy, may "
        "change to the circuit: firewalls on it must let them through, and their source must "
        "be in a prefix that you advertise there, or the answers come back the other way and "
        "are dropped."
    )
    if new:
        yield _(
            "Attaching writes the whole peering again. az does so by an API of 2022-01-01, "
            "Terraform by one of 2024-05-01, and both know nothing of prefixes that are "
            "validated one by one (advertisedPublicPrefixInfo, since 2024-10-01): note each "
            "prefix's state before, and compare."
        )
    yield (
        _("The way back: detach the filter from the peering again, which withdraws every route of it.")
        if new
        else _(
            "The way back: take {names} out of the rule again, and nothing else; what the filter "
            "showed before the change is what to compare with.",
            names=" ".join(one.value for one in added),
        )
    )


def _about_scope(region: Region, scope: Scope) -> Iterator[str]:
    if scope.steered is Steered.ALL:
        yield _(
            "Only a Premium circuit gets the prefixes of other geopolitical areas, whatever its "
            "route filter holds (ExpressRoute FAQ, 2026-03)."
        )
        return
    taken_in = region.name
    if scope.steered is Steered.GEOGRAPHY and scope.area:
        taken_in = _("the {regions} regions of {area}", regions=len(scope.regions), area=scope.area)
    elif scope.steered is Steered.GEOGRAPHY:
        yield _(
            "No document at hand gives the geopolitical area of {name}, so {name} alone is "
            "provided for. Use --steered all for every region.",
            name=region.name,
        )
    yield _(
        "Names without a region are provided for in {taken_in}, beside where they answered. "
        "No document promises that they stay there: the answer follows the resolver's place "
        "and the service's health. Watch it with arcferry watch; --steered all provides for "
        "every region.",
        taken_in=taken_in,
    )
    if scope.unplaced:
        yield _(
            "Regions whose area is in no document at hand: {unplaced}. Some may belong to "
            "{area}; --output json lists them as unplaced.",
            unplaced=len(scope.unplaced),
            area=scope.area,
        )


def _about_patterns(hosts: Sequence[str], region: Region) -> Iterator[str]:
    service = next((host for host in hosts if host.startswith("guestnotificationservice.")), "")
    for host in hosts:
        if host.startswith("azgn") and service:
            yield _(
                "{host}: the notification service lists today's names at "
                "https://{service}/urls/allowlist?api-version=2020-01-01&location={name}",
                host=host,
                service=service,
                name=region.name,
            )
        elif ".his.arc." in host and "*" in host:
            yield _(
                "{host}: the code of the regional host is not published; arcferry check asks the "
                "discovery service for it.",
                host=host,
            )


def sources(route_filter: RouteFilter | None, circuit: Circuit | None) -> Iterator[str]:
    """What every plan rests on, each with its date."""
    yield f"endpoints: {catalog.endpoints_source()}"
    yield f"documented communities: {catalog.communities()[0].source}"
    if route_filter:
        if day := route_filter.taken:
            yield _("route filter {name}, as of {day}", name=route_filter.name, day=day)
        else:
            yield _("route filter {name}, of unknown day", name=route_filter.name)
    if circuit:
        where = circuit.peering_location or "an unknown location"
        yield f"circuit {circuit.name}: {circuit.tier.value or 'unknown'} SKU at {where}"
