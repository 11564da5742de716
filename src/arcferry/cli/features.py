from pathlib import Path
from typing import Annotated

from arcferry.cli import options
from arcferry.cli.options import argument


def features(
    files: Annotated[
        list[Path] | None,
        argument(
            "[FILE]...",
            "Evidence of where the names answered, such as arcferry check --all --output json; also what "
            "--with takes.",
        ),
    ] = None,
    *,
    location: options.LocationOption,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    steered: options.SteeredOption = "geography",
    evidence: options.WithOption = None,
    output: options.CheckOutputOption = "table",
) -> None:
    """Tell which features of Azure Arc this path carries once a server is connected.

    One row a feature: carried, and by which communities; in need of a proxy or a private link for some of
    its names; never on this path; or unknown. Each with what Microsoft says of it, where and when. Judged as
    routes plan does, by service tags, community list, route filter and answers, as far as they are at hand;
    what is not, and what it would tell, stands beneath. Needs no network.

    Exit code 0, whatever is carried.
    """
    from arcferry import catalog
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.cli.output import show_by
    from arcferry.cli.routes import only, tags_of
    from arcferry.diagnosis.answered import known_answers
    from arcferry.evidence.case import Case
    from arcferry.report import features as report
    from arcferry.routing import features as judging
    from arcferry.routing import plan as routes
    from arcferry.routing.circuit import IPV4
    from arcferry.routing.planned import PrefixCounts, Steered

    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted)
    given, held = evidence_and_held([*(files or []), *(evidence or [])], chosen, whole=True)
    case = Case.of(given, held)
    counts = PrefixCounts(tags_of(case, chosen), next(iter(case.community_lists), None))
    plan = routes.plan(
        chosen,
        region,
        steered=Steered(steered),
        features=catalog.chosen_features(chosen, [catalog.ALL_FEATURES]),
        counts=counts,
        route_filter=only("route filter", case.filters_for(IPV4)),
        circuit=only("circuit", case.circuits),
        answers=known_answers(case),
    )
    show_by(output, report, judging.table(plan, counts))
