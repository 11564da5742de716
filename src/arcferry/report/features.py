"""What works once a server is connected: a row a feature, as text, as JSON or as JUnit's XML."""

from dataclasses import asdict
from typing import Any

from rich.console import Console

from arcferry import catalog
from arcferry.language import _, headings
from arcferry.report import junit as xml
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import named
from arcferry.report.console import print_line, print_rows, print_table, print_text
from arcferry.report.junit import JunitCase, JunitResult
from arcferry.routing.features import FeatureRow, FeatureTable, Standing
from arcferry.text import one_line

ROWS = "features", "feature"
_STYLES = {Standing.CARRIED: "green", Standing.ANOTHER_PATH: "yellow", Standing.NEVER: "bold red"}
_MOST, _HTTPS = 3, 443


def document(table: FeatureTable) -> dict[str, Any]:
    """Everything, with every name of each feature."""
    plan = table.plan
    return {
        "schema": SCHEMA,
        "kind": "features",
        "cloud": plan.cloud.name,
        "location": plan.region.name,
        "route_filter": plan.route_filter.name if plan.route_filter else None,
        "first": list(catalog.peering_notes(plan.cloud, plan.features, first=True)),
        "features": list(map(_row, table.rows)),
        "lacking": list(table.lacking),
        "sources": list(plan.sources),
    }


def _row(row: FeatureRow) -> dict[str, Any]:
    feature = row.feature
    return {
        **picked(feature, "name", "title"),
        **picked(row, "standing", "says", "communities", "missing"),
        "names": [asdict(one) for one in row.names],
        "microsoft": feature.says,
        **{key: getattr(feature, key) or None for key in ("instead", "private")},
        "uses": list(feature.uses),
        "source": feature.source.text,
        "taken": feature.source.taken.isoformat(),
    }


def draw(table: FeatureTable, console: Console) -> None:
    """A row a feature, then what each needs, then what would tell more."""
    plan = table.plan
    title = _(
        "What works after Connected in {region} ({cloud}), over Microsoft peering",
        region=plan.region.display,
        cloud=plan.cloud.name,
    )
    print_text(console, title, "bold")
    for one in catalog.peering_notes(plan.cloud, plan.features, first=True):
        print_text(console, _("First: {says}", says=one), "bold red")
    print_line(console)
    print_table(
        console,
        headings("FEATURE", "ON THIS PATH", "COMMUNITIES", "AS OF"),
        (
            (
                (
                    _(row.feature.title),
                    _standing(row),
                    _communities(row),
                    row.feature.source.taken.isoformat(),
                ),
                _STYLES.get(row.standing, ""),
            )
            for row in table.rows
        ),
    )
    print_line(console)
    print_line(console, _("What Microsoft says, and what to do"), "bold")
    print_rows(
        console, 2, ((_(row.feature.title), one_line(_details(row), limit=4000)) for row in table.rows)
    )
    for heading, texts in ((_("Not at hand"), table.lacking), (_("As of"), plan.sources)):
        if texts:
            print_line(console)
            print_line(console, heading, "bold")
            print_rows(console, 2, (("-", one_line(text, limit=2000)) for text in texts))


def _standing(row: FeatureRow) -> str:
    says = f" ({_(row.says)})" if row.says and row.standing is not Standing.NEVER else ""
    return f"{_(row.standing)}{says}"


def _communities(row: FeatureRow) -> str:
    lacks = _("; the filter lacks {missing}", missing=named(row.missing, most=_MOST)) if row.missing else ""
    return (named(row.communities, most=_MOST) or "-") + lacks


def _details(row: FeatureRow) -> str:
    feature = row.feature
    open_names: dict[str, list[str]] = {}
    for one in row.names:
        if one.standing is not Standing.CARRIED:
            open_names.setdefault(one.says, []).append(
                one.host if one.port == _HTTPS else f"{one.host}:{one.port}"
            )
    parts = [
        _("{says}.", says=_(row.says)) if row.standing is Standing.NEVER else "",
        _(feature.says),
        *(
            _("{hosts}: {says}.", hosts=named(hosts, most=_MOST), says=_(says))
            for says, hosts in open_names.items()
        ),
        _("Instead: {way}.", way=_(feature.instead))
        if feature.instead and row.standing is not Standing.CARRIED
        else "",
        _("Or {way}.", way=_(feature.private)) if feature.private else "",
        _("It needs besides: {features}.", features=", ".join(feature.uses)) if feature.uses else "",
        f"({feature.source})",
    ]
    return " ".join(filter(None, parts))


def junit(table: FeatureTable) -> str:
    """A case a feature: carried passes, everything else is left open and says why."""
    cases = [
        JunitCase(
            row.feature.name,
            JunitResult.PASSED if row.standing is Standing.CARRIED else JunitResult.SKIPPED,
            f"{row.standing.value}: {row.says}" if row.says else row.standing.value,
            details=_details(row),
        )
        for row in table.rows
    ]
    return xml.xml({f"features {table.plan.region.name}": cases})
