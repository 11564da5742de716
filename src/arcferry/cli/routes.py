import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, get_args

import typer

from arcferry.cli import routes_audit
from arcferry.cli.location import UnlistedOption, region_of
from arcferry.cli.options import CloudOption, LocationOption, Output, OutputOption, WithOption
from arcferry.cli.watch import StateOption
from arcferry.errors import FileInputError, InputError

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region
    from arcferry.evidence.case import Case
    from arcferry.evidence.document import Document, Kind
    from arcferry.routing.service_tags import ServiceTags

app = typer.Typer(
    no_args_is_help=True,
    help="Tell which BGP communities a route filter needs, whether it is enough, and what firewalls must let "
    "through.",
)


T = TypeVar("T")
Language = Literal["az", "powershell", "bicep", "terraform", "request", "all"]
SteeredOption = Annotated[
    Literal["region", "geography", "all"],
    typer.Option(
        "--steered",
        help="Where names without a region of their own may answer: in the machines' region, in its "
        "geopolitical area, or in any region.",
    ),
]
FeaturesOption = Annotated[
    str,
    typer.Option(
        "--features",
        metavar="A,B",
        help="What is wanted besides the agent: extensions, sql, ssh, wac, esu, paygo, monitor, "
        "legacy-log-analytics, gateway.",
    ),
]
TagsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--service-tags",
        metavar="FILE",
        help="Azure's service tags; without it what arcferry data holds. May be repeated: a national cloud's "
        "sheet of prefixes needs the public cloud's file too.",
    ),
]


@app.command()
def plan(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            show_default=False,
            help="Evidence of where the names answered: arcferry check or watch show --output json, DNS "
            "answers, the agent's output; also what the options below take.",
        ),
    ] = None,
    *,
    location: LocationOption,
    location_unlisted: UnlistedOption = False,
    cloud: CloudOption = "AzureCloud",
    steered: SteeredOption = "geography",
    features: FeaturesOption = "",
    evidence: WithOption = None,
    state: StateOption = None,
    service_tags: TagsOption = None,
    communities: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A list of BGP communities; without it what arcferry data holds."),
    ] = None,
    route_filter: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The filter to compare with; without it what arcferry data holds."),
    ] = None,
    circuit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The circuit, whose SKU decides which regions it gets at all."),
    ] = None,
    smallest: Annotated[
        bool,
        typer.Option("--smallest", help="Let the change ask for the smallest set, not the whole one."),
    ] = False,
    change: Annotated[
        Language | None,
        typer.Option(help="The language of the change; without it az, and a request to the network team."),
    ] = None,
    output: OutputOption = Output.TABLE,
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
    from arcferry.diagnosis.answered import known_answers
    from arcferry.diagnosis.causes.filter_change import changes_for
    from arcferry.evidence.document import Kind
    from arcferry.report import console, routes_plan, routes_plan_table
    from arcferry.routing import plan as routes
    from arcferry.routing.filter_change import AsOf
    from arcferry.routing.plan_notes import doubts
    from arcferry.routing.planned import Steered
    from arcferry.routing.prefix_counts import PrefixCounts

    chosen = catalog.cloud(cloud)
    region = region_of(location, chosen, unlisted=location_unlisted)
    options = {
        Kind.SERVICE_TAGS: service_tags or [],
        Kind.COMMUNITY_LIST: [communities] if communities else [],
        Kind.ROUTE_FILTER: [route_filter] if route_filter else [],
        Kind.CIRCUIT: [circuit] if circuit else [],
    }
    history = _watched(chosen, region, state)
    case = _case(options, chosen, [*(files or []), *(evidence or [])], history)
    seen = _only("route filter", case.filters_in_effect)
    found = routes.plan(
        chosen,
        region,
        steered=Steered(steered),
        features=_split(features),
        counts=PrefixCounts(_tags_of(case, chosen), next(iter(case.community_lists), None)),
        route_filter=seen,
        circuit=_only("circuit", case.circuits),
        answers=known_answers(case),
    )
    asof = AsOf(seen.taken if seen else None, times.now().date())
    attached = case.attached_filters
    # A new filter would take the place of one that is attached and not at hand.
    wanted = () if attached and seen is None else found.smallest if smallest else found.values
    changes, effects = changes_for(found, seen, wanted, asof)
    first = tuple(doubts(seen, asof, found.answers, attached))
    shown = routes_plan.ShownPlan(found, changes, effects, first)
    match output:
        case Output.JSON:
            typer.echo(json.dumps(routes_plan.document(shown), indent=2))
        case Output.JSONL:
            typer.echo("\n".join(routes_plan.json_lines(shown)))
        case Output.TABLE:
            routes_plan_table.draw(shown, _languages(change), console.stdout())


@app.command()
def firewall(
    *,
    location: LocationOption,
    location_unlisted: UnlistedOption = False,
    cloud: CloudOption = "AzureCloud",
    steered: SteeredOption = "geography",
    features: FeaturesOption = "",
    service_tags: TagsOption = None,
    form: Annotated[
        Literal["names", "prefixes"],
        typer.Option(help="One rule a name, or one a prefix of the service tags behind the names."),
    ] = "names",
    output: Annotated[
        Literal["table", "json", "csv"],
        typer.Option("--output", "-o", help="A table for people, one JSON document, or CSV."),
    ] = "table",
) -> None:
    """Write the rules that a firewall between servers and Azure Arc needs, with the reason for each.

    By name, with patterns made into names where the catalogue knows them; or by prefix, from the service
    tags, AzureArcInfrastructure whole, as Microsoft demands. Prefixes change weekly: mind the date beside
    each. Needs no network.
    """
    from arcferry import catalog
    from arcferry.evidence.document import Kind
    from arcferry.report import firewall as report
    from arcferry.routing import firewall as rules
    from arcferry.routing import plan as routes
    from arcferry.routing.planned import Steered

    chosen = catalog.cloud(cloud)
    region = region_of(location, chosen, unlisted=location_unlisted)
    wanted = _split(features)
    if form == "names":
        found = rules.name_rules(chosen, region, wanted)
        document = report.names_document(found, region.name, chosen.name)
        rows = report.name_rows(found)
    else:
        tags = _case({Kind.SERVICE_TAGS: service_tags or []}, chosen).service_tags
        scope = routes.plan(chosen, region, steered=Steered(steered), features=wanted)
        sheet = rules.prefix_sheet(scope, tags)
        document = report.prefixes_document(sheet, region.name, chosen.name)
        rows = report.prefix_rows(sheet.rules)
        for tag in sheet.lacking:
            typer.echo(f"warning: the service tags hold no prefix of {tag} for these regions", err=True)
        typer.echo(f"note: {len(sheet.rules)} prefixes of {', '.join(sheet.sources)}", err=True)
    match output:
        case "json":
            typer.echo(json.dumps(document, indent=2))
        case "csv":
            typer.echo(report.as_csv(rows), nl=False)
        case "table":
            typer.echo("\n".join(report.as_table(rows)))


app.command("audit")(routes_audit.audit)


def _split(features: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in features.split(",") if (name := part.strip().lower())))


def _languages(change: Language | None) -> tuple[str, ...]:
    if change is None:
        return "az", "request"
    return get_args(Language) if change == "all" else (change,)


def _case(
    options: "Mapping[Kind, Sequence[Path]]",
    cloud: "Cloud",
    evidence: Sequence[Path] = (),
    history: "Sequence[Document]" = (),
) -> "Case":
    """What the files say and what is held; a file of an option must be what the option calls for.

    Raises:
        FileInputError: a file is something else.
    """
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.evidence.case import Case

    files = [*(path for paths in options.values() for path in paths), *evidence]
    documents, held = evidence_and_held(files, cloud)
    for kind, paths in options.items():
        for path in paths:
            taken = [one.kind for one in documents if one.name == path.name]
            if kind not in taken:
                raise FileInputError(path, f"expected {kind}, and it was taken for {', '.join(taken)}")
    return Case.of([*documents, *history], held)


def _watched(cloud: "Cloud", region: "Region", state: Path | None) -> "tuple[Document, ...]":
    """Every answer that arcferry watch has recorded for this location, the newest first."""
    from arcferry.evidence.document import Document, Kind
    from arcferry.folders import state_folder
    from arcferry.watch import History, history_path

    path = history_path(state or state_folder(), cloud, region)
    if not path.is_file():
        return ()
    try:
        with History.open(path, existing=True) as history:
            record = history.read()
    except FileInputError as error:  # a plan is worth having without it
        typer.echo(f"warning: {error.message}", err=True)
        return ()
    answers = sorted((span.answer for span in record.answers), key=lambda one: str(one.taken), reverse=True)
    name = f"arcferry watch of {region.name}"
    return (Document(name, Kind.WATCH_HISTORY, record.last, answers=tuple(answers)),)


def _only(kind: str, found: "Sequence[T]") -> "T | None":
    """The one that counts.

    Raises:
        InputError: there are several, and nothing says which one counts.
    """
    if len(found) > 1:
        raise InputError(f"{len(found)} of the kind {kind} were handed in", hint=f"Give one {kind}.")
    return next(iter(found), None)


def _tags_of(case: "Case", cloud: "Cloud") -> "ServiceTags | None":
    """The newest service tags of this cloud.

    Raises:
        InputError: there are service tags, and none of them is of this cloud.
    """
    found = [tags for tags in case.service_tags if tags.cloud == cloud.service_tag_cloud]
    if case.service_tags and not found:
        other = case.service_tags[0]
        raise InputError(
            f"{other.name} is of the cloud {other.cloud}, not of {cloud.service_tag_cloud}",
            hint=f"Give the service tags of {cloud.name}, or the --cloud that these belong to.",
        )
    return next(iter(found), None)
