from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, assert_never, get_args

import typer

from arcferry.cli import options
from arcferry.cli.options import argument, option
from arcferry.cli.output import show, show_by
from arcferry.cli.talk import say
from arcferry.errors import FileInputError, InputError

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region
    from arcferry.evidence.case import Case, Document
    from arcferry.routing.azure_json import ServiceTags

app = typer.Typer(
    no_args_is_help=True,
    help="Tell which BGP communities a route filter needs, whether it is enough, and what firewalls must let "
    "through.",
)


T = TypeVar("T")
Form = Literal["names", "prefixes", "edl", "panos", "fortios", "asa", "nftables", "windows"]
Language = Literal["az", "powershell", "bicep", "terraform", "request", "all"]


@app.command()
def plan(
    files: Annotated[
        list[Path] | None,
        argument(
            "[FILE]...",
            "Evidence of where the names answered: arcferry check or watch show --output json, DNS answers, "
            "the agent's output; also what --with takes.",
        ),
    ] = None,
    *,
    location: options.LocationOption,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    steered: options.SteeredOption = "geography",
    features: options.FeaturesOption = None,
    evidence: options.WithOption = None,
    state: options.StateOption = None,
    smallest: Annotated[
        bool, option("--smallest", "Let the change ask for the smallest set, not the whole one.")
    ] = False,
    change: Annotated[
        Language | None,
        typer.Option(help="The language of the change; without it az, and a request to the network team."),
    ] = None,
    output: options.PlanOutputOption = "table",
) -> None:
    """Plan the BGP communities that a route filter needs for Azure Arc at one location.

    For the regions in which the names answered, by the evidence handed in and by what arcferry watch holds,
    beside those in which they may answer. For each community: the names that need it and the number of
    prefixes it has. Then the names that Microsoft peering never carries, with what to do for each; the
    regions without a documented community; the smallest set beside the whole one; and the change, ready to
    be sent, with what else it does. Needs no network.

    Exit code 0, also where the filter lacks something; arcferry routes audit judges a filter.
    """
    from arcferry import catalog, times
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.diagnosis import judge
    from arcferry.diagnosis.answered import changes_for, known_answers
    from arcferry.evidence.case import Case
    from arcferry.report import as_json, console
    from arcferry.report import routes_plan as report
    from arcferry.routing import plan as routes
    from arcferry.routing.circuit import IPV4, IPV6
    from arcferry.routing.filter_change import NO_CIRCUIT, AsOf
    from arcferry.routing.plan_notes import about_ipv6, doubts
    from arcferry.routing.planned import PrefixCounts, Steered

    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted)
    given, held = evidence_and_held([*(files or []), *(evidence or [])], chosen, whole=True)
    seen = (*given, *_watched(chosen, region, state))
    case = Case.of(seen, held)
    route_filter = only("route filter", case.filters_for(IPV4))
    circuit = only("circuit", case.circuits)
    found = routes.plan(
        chosen,
        region,
        steered=Steered(steered),
        features=catalog.chosen_features(chosen, features or []),
        counts=PrefixCounts(tags_of(case, chosen), next(iter(case.community_lists), None)),
        route_filter=route_filter,
        circuit=circuit,
        answers=known_answers(case),
    )
    asof = AsOf(route_filter.taken if route_filter else None, times.now().date())
    attached = case.attached_filters
    # A new filter would take the place of one that is attached and not at hand.
    wanted = () if attached and route_filter is None else found.smallest if smallest else found.values
    changes, effects = changes_for(found, route_filter, wanted, asof, circuit or NO_CIRCUIT)
    odd = (one for one in judge(seen, held).findings if one.cause == "risk/reached-outside-filter")
    told = (f"{one.title}. {one.remedy.summary}" for one in odd)
    # What no route filter mends comes before all that is said of one.
    alone = catalog.peering_notes(chosen, found.features, first=True)
    of_ipv6 = about_ipv6(circuit, route_filter, case.filters_for(IPV6), found.values)
    first = (*alone, *told, *doubts(route_filter, asof, attached), *of_ipv6)
    shown = report.RoutePlanView(found, changes, effects, first)
    show(
        output,
        table=lambda: report.draw(shown, _languages(change), console.stdout()),
        document=lambda: report.document(shown),
        lines=lambda: as_json.lines(report.document(shown), *report.ROWS),
    )


@app.command()
def firewall(
    context: typer.Context,
    *,
    location: options.LocationOption,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    steered: options.SteeredOption = "geography",
    features: options.FeaturesOption = None,
    evidence: options.WithOption = None,
    form: Annotated[
        Form,
        typer.Option(
            help="One rule a name, or one a prefix of the service tags behind the names; or these prefixes "
            "in the words of a firewall: a list for Palo Alto Networks (edl), its set commands (panos), "
            "FortiOS, Cisco ASA, nftables, Windows (PowerShell).",
        ),
    ] = "names",
    names: Annotated[
        bool, option("--names", "Let edl, panos, fortios and asa hold names in place of prefixes.")
    ] = False,
    since: Annotated[
        list[Path] | None,
        option(
            "--since OLDTAGS",
            "An older service-tag file: show what was added and removed since. May be repeated, for clouds "
            "that need the public cloud's too.",
        ),
    ] = None,
    output: Annotated[Literal["table", "json", "csv"], options.FORM] = "table",
) -> None:
    """Write the rules that a firewall between servers and Azure Arc needs, with the reason for each.

    By name, with patterns made into names where the catalogue knows them; or by prefix, from the service
    tags, AzureArcInfrastructure whole, as Microsoft demands. Prefixes change weekly: mind the date beside
    each. The first line says which features it does not contain; in CSV, whose first line names the columns,
    that is told on stderr. Needs no network.
    """
    from arcferry import catalog
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.evidence.case import Case
    from arcferry.report import firewall as report
    from arcferry.report.console import stdout
    from arcferry.report.firewall_forms import FORMS
    from arcferry.routing import firewall as rules
    from arcferry.routing import plan as routes
    from arcferry.routing.planned import Steered

    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted)
    wanted = catalog.chosen_features(chosen, features or [])
    by_name = form == "names" or names
    _check_firewall(context, form, names=names, since=bool(since))
    sheet: rules.PrefixSheet | rules.NameSheet
    if by_name:
        sheet = rules.NameSheet(chosen, region, wanted)
    else:
        case = Case.of(*evidence_and_held(evidence or [], chosen, whole=True))
        scope = routes.plan(chosen, region, steered=Steered(steered), features=wanted)
        sheet = rules.prefix_sheet(scope, case.service_tags, _older_tags(since or []))
        for tag in sheet.lacking:
            typer.echo(f"warning: the service tags hold no prefix of {tag} for these regions", err=True)
    shown = report.SheetView(sheet, chosen, region, wanted)
    for note in report.notes(shown, form, output):
        say(f"note: {note}")
    match output:
        case "table" if form not in FORMS:
            report.draw(shown, stdout())
        case "table" | "json" | "csv":
            typer.echo(report.text(shown, form, output), nl=False)
        case _:
            assert_never(output)


def _older_tags(files: "Sequence[Path]") -> "list[ServiceTags]":
    from arcferry.cli.evidence import read_files

    old = read_files([str(path) for path in files])
    if wrong := next((one.name for one in old if not one.service_tags), None):
        raise InputError(f"{wrong} holds no service tags", hint="--since takes an older service-tag file.")
    return [one.service_tags for one in old if one.service_tags]


def _check_firewall(context: typer.Context, form: Form, *, names: bool, since: bool) -> None:
    from arcferry.report.firewall_forms import FORMS, HOLD_NAMES

    if names and form not in ("names", *HOLD_NAMES):
        raise InputError(
            f"--form {form} holds addresses alone: it matches packets, which carry no names",
            hint=f"Leave --names out, or take one of {', '.join(HOLD_NAMES)}.",
        )
    if form in FORMS and options.is_on_command_line(context, "output"):
        raise InputError(f"--form {form} is a text of its own", hint="Leave --output out.")
    if since and (names or form == "names"):
        raise InputError(
            "--since compares service tags, and names come from no tag",
            hint=f"Give --form prefixes, or one of {', '.join(FORMS)} without --names.",
        )


@app.command("audit")
def audit(
    files: Annotated[
        list[Path] | None,
        argument(
            "[FILE]...",
            "Files of any of these kinds, - for standard input: the circuit's route filter; the circuit "
            "or its peering; Azure's route table of it; the router's own routes, as text, JSON, XML or MRT; "
            "DNS answers; arcferry check; service tags; lists of BGP communities.",
        ),
    ] = None,
    *,
    location: options.OptionalLocationOption = None,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    output: options.PageOutputOption = "table",
) -> None:
    """Show what is expected of every endpoint beside what was really seen, and explain each difference.

    Expected comes from service tags, communities, the route filter and the circuit; observed from routes that
    a router holds and from connections that were tried. Each file is recognised by its content. What arcferry
    data holds fills in what was not handed in. With --location every endpoint required there is audited too,
    also if nothing that was handed in speaks of it. Needs no network.

    Exit code 0 when no required endpoint lacks its path, 1 when one does or a finding is an error, 2 where a
    file cannot be used.
    """
    from arcferry import catalog
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.diagnosis import audit as auditing
    from arcferry.report import audit as report

    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted) if location else None
    evidence, held = evidence_and_held(files or [], chosen, all_recognised=False)
    result = auditing.audit(evidence, held, chosen, region)
    if not result.rows:
        raise InputError(
            "there is nothing to audit: no endpoint is named",
            hint="Give --location, or hand in DNS answers or the output of arcferry check.",
        )
    show_by(output, report, result)
    if result.missing or result.diagnosis.has_errors:
        raise typer.Exit(1)


def _languages(change: Language | None) -> tuple[str, ...]:
    if change is None:
        return "az", "request"
    return get_args(Language) if change == "all" else (change,)


def _watched(cloud: "Cloud", region: "Region", state: Path | None) -> "tuple[Document, ...]":
    """Every answer that arcferry watch has recorded for this location, at each site, the newest first."""
    from arcferry.evidence.case import Document, Kind
    from arcferry.files import state_folder
    from arcferry.watch.history import History, histories

    found = []
    for site, path in histories(state or state_folder(), cloud, region).items():
        try:
            with History.open(path, existing=True) as history:
                record = history.read()
        except FileInputError as error:  # a plan is worth having without it
            from arcferry.translation import labelled

            typer.echo(labelled("warning", error.message), err=True)
            continue
        answers = sorted((one.answer for one in record.answers), key=lambda one: str(one.taken), reverse=True)
        name = f"arcferry watch of {region.name}{f' from {site}' if site else ''}"
        found.append(Document(name, Kind.WATCH_HISTORY, record.last, answers=tuple(answers)))
    return tuple(found)


def only(kind: str, found: "Sequence[T]") -> "T | None":
    """The one that counts; several are refused, since nothing says which one does."""
    if len(found) > 1:
        raise InputError(f"{len(found)} of the kind {kind} were handed in", hint=f"Give one {kind}.")
    return next(iter(found), None)


def tags_of(case: "Case", cloud: "Cloud") -> "ServiceTags | None":
    """The newest service tags of this cloud; refused where there are some, and none of it."""
    found = [tags for tags in case.service_tags if tags.cloud == cloud.service_tag_cloud]
    if case.service_tags and not found:
        other = case.service_tags[0]
        raise InputError(
            f"{other.name} is of the cloud {other.cloud}, not of {cloud.service_tag_cloud}",
            hint=f"Give the service tags of {cloud.name}, or the --cloud that these belong to.",
        )
    return next(iter(found), None)
