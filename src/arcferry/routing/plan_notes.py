"""What a reader of a plan should know besides the communities, each with what it rests on."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from arcferry import catalog
from arcferry.catalog import Cloud, Endpoint, Region, When
from arcferry.routing.circuit import Circuit
from arcferry.routing.filter_change import AsOf, fetch
from arcferry.routing.planned import KnownAnswer, PlannedCommunity, Scope, Steered
from arcferry.routing.route_filter import RouteFilter

_PUBLIC = "AzureCloud"


def notes(
    cloud: Cloud, region: Region, scope: Scope, features: Sequence[str], endpoints: Iterable[Endpoint]
) -> Iterator[str]:
    """What the plan cannot promise, and what to do about it; the weightiest first."""
    yield from _about_scope(region, scope)
    yield from _about_cloud(cloud)
    for feature in features:
        if feature not in catalog.features(cloud):
            yield f"{feature}: no document names an endpoint of it in {cloud.name}."
    yield from _about_patterns([one.host for one in endpoints], region)
    if "extensions" in features:
        yield (
            "Extension packages: Microsoft's page of 2026-06-24 speaks of its CDN and names no host. What a "
            "CDN serves does not come over Microsoft peering; with a private link scope the packages come "
            "through the regional Arc hosts."
        )
    yield (
        "Microsoft peering carries no DNS: the servers' resolvers need another way to resolve public names, "
        "or a proxy that resolves for them."
    )


def about_filter(route_filter: RouteFilter | None, wanted: Collection[str]) -> Iterator[str]:
    """What stands in the way of a filter although it may list every community."""
    if route_filter is None:
        return
    for value in sorted(route_filter.denied & {*wanted}):
        yield f"Route filter {route_filter.name} denies {value} in another rule: take it out there first."
    if route_filter.provisioning_state.lower() not in ("", "succeeded"):
        yield (
            f"Route filter {route_filter.name} is in state {route_filter.provisioning_state}: what is in "
            "effect may differ from what it says."
        )


def about_answers(answers: Iterable[KnownAnswer], unseen: Sequence[str]) -> Iterator[str]:
    """What the known answers leave open, and how to have more of them."""
    nowhere = dict.fromkeys(one.host for one in answers if not one.region and one.on_peering)
    if nowhere:
        yield (
            f"Of what {', '.join(nowhere)} answered, nothing at hand tells the region: hand in service tags "
            "of this week."
        )
    if unseen:
        yield (
            f"Where {', '.join(unseen)} will answer, no evidence at hand shows and nobody has published. Run "
            "arcferry check --output json > check.json on a server and hand it in; arcferry watch records it "
            "over time."
        )


def doubts(seen: RouteFilter, asof: AsOf, answers: Iterable[KnownAnswer]) -> Iterator[str]:
    """Why the filter in effect may be another than the one at hand; to be told before all else.

    A connection to where the filter at hand lets nothing through is the surest sign of a change since.
    """
    day = asof.day.isoformat() if asof.day else ""
    for one in answers:
        if one.reached and one.in_filter is False and one.on_peering and (not one.day or one.day >= day):
            yield (
                f"Route filter {seen.name}, {asof}, lacks {one.community}, and yet {one.host} was reached in "
                f"{one.says}. The likeliest reason is the filter at hand: it was changed since. Else the "
                "traffic takes another way."
            )
    if asof.doubt:
        get = fetch(seen.name, seen.resource_group)
        yield f"Route filter {seen.name}: {asof.doubt}. Fetch it before anything is changed: {get}"


def effects(added: Sequence[PlannedCommunity], *, new: bool) -> Iterator[str]:
    """What it does besides to let these communities through.

    Args:
        added: what the filter lacks today.
        new: whether the filter has to be made and attached.
    """
    counted = [one.prefixes for one in added if one.prefixes]
    ipv4, ipv6 = sum(one.ipv4 for one in counted), sum(one.ipv6 for one in counted)
    unknown = [one.value for one in added if not one.prefixes]
    about = "" if all(one.listed for one in counted) else "about "
    more = [f"{about}{ipv4} IPv4 and {ipv6} IPv6 prefixes"] if counted else []
    more += [f"an unknown number with {' '.join(unknown)}"] if unknown else []
    yield (
        f"Prefixes: {' and '.join(more)} are added on each of the two links. See before that the routers' "
        "maximum-prefix lies above what they receive now and this together: a session above it is torn down "
        "with all its routes."
    )
    # In the community list of 2019-05-30 all 666 prefixes of regions' Storage and all 622 of their SQL lie
    # in the regions' own.
    if whole := [f"{one.value} ({one.name})" for one in added if one.region]:
        yield (
            f"All of a region: {', '.join(whole)}. Its Storage and SQL too, and every other public address "
            "there, take the circuit from then on, whatever system asks for them."
        )
    yield (
        "Flows to these addresses that go another way today, by the internet or a proxy, may change to the "
        "circuit: firewalls on it must let them through, and their source must be in a prefix that you "
        "advertise there, or the answers come back the other way and are dropped."
    )
    yield (
        "The way back: detach the filter from the peering again, which withdraws every route of it."
        if new
        else f"The way back: take {' '.join(one.value for one in added)} out of the rule again, and nothing "
        "else; what the filter showed before the change is what to compare with."
    )


def _about_scope(region: Region, scope: Scope) -> Iterator[str]:
    if scope.steered is Steered.ALL:
        yield (
            "Only a Premium circuit gets the prefixes of other geopolitical areas, whatever its route filter "
            "holds (ExpressRoute FAQ, 2026-03)."
        )
        return
    taken_in = region.name
    if scope.steered is Steered.GEOGRAPHY and scope.area:
        taken_in = f"the {len(scope.regions)} regions of {scope.area}"
    elif scope.steered is Steered.GEOGRAPHY:
        yield (
            f"No document at hand gives the geopolitical area of {region.name}, so {region.name} alone is "
            "provided for. Use --steered all for every region."
        )
    yield (
        f"Names without a region are provided for in {taken_in}, beside where they answered. No document "
        "promises that they stay there: the answer follows the resolver's place and the service's health. "
        "Watch it with arcferry watch; --steered all provides for every region."
    )
    if scope.unplaced:
        yield (
            f"Regions whose area is in no document at hand: {len(scope.unplaced)}. Some may belong to "
            f"{scope.area}; --output json lists them as unplaced."
        )


def _about_cloud(cloud: Cloud) -> Iterator[str]:
    if cloud.name != _PUBLIC:
        yield (
            f"{cloud.name}: since 2025-10-28 Microsoft requires the public cloud's AzureArcInfrastructure "
            "ranges as well. Whether a circuit of this cloud carries them, no document says."
        )
        return
    yield (
        "Microsoft requires the service tag AzureFrontDoor.Frontend since April 2026 and does not say for "
        "which name. Microsoft peering does not carry Front Door: see with arcferry check what each name "
        "answers."
    )
    yield (
        "12076:5060 held four prefixes in January 2024 and lacked blocks that the Entra ID service tag had "
        "(20.20.32.0/19, 20.231.128.0/19). See that what the sign-in names answer is among the routes that "
        "you receive."
    )


def _about_patterns(hosts: Sequence[str], region: Region) -> Iterator[str]:
    service = next((host for host in hosts if host.startswith("guestnotificationservice.")), "")
    for host in hosts:
        if host.startswith("azgn") and service:
            yield (
                f"{host}: the notification service lists today's names at "
                f"https://{service}/urls/allowlist?api-version=2020-01-01&location={region.name}"
            )
        elif ".his.arc." in host and "*" in host:
            yield (
                f"{host}: the code of the regional host is not published; arcferry check asks the discovery "
                "service for it."
            )


def instead(endpoint: Endpoint) -> tuple[str, str]:
    """The way out for a name that Microsoft peering never carries: a word, and what to do."""
    if endpoint.host == "aka.ms":
        return "nothing", "only older scripts use it, and no script of arcferry's does"
    if endpoint.when is When.INSTALL:
        return "bundle", "arcferry bundle build packs what it would have served; upgrades by a new bundle"
    if catalog.PKI in endpoint.features:
        return "proxy", "or import the issuers' certificates once, and expect slower first connections"
    if "esu" in endpoint.features:
        return "proxy", "or import the intermediate certificates; patched systems with agent 1.40 need none"
    if "gateway" in endpoint.features:
        return "proxy", "or do without the Arc gateway, which Front Door serves"
    return "proxy", "or another path to the internet"


def sources(route_filter: RouteFilter | None, circuit: Circuit | None) -> Iterator[str]:
    """What every plan rests on, each with its date."""
    yield f"endpoints: {catalog.endpoints_source()}"
    yield f"documented communities: {catalog.communities()[0].source}"
    if route_filter:
        yield f"route filter {route_filter.name}"
    if circuit:
        sku = f"{circuit.tier.value or 'unknown'} SKU at {circuit.peering_location or 'an unknown location'}"
        yield f"circuit {circuit.name}: {sku}"
