from typing import TYPE_CHECKING, Any

from arcferry.cli.options import OutputOption
from arcferry.cli.output import show
from arcferry.language import _, headings, marked

if TYPE_CHECKING:
    from arcferry.catalog import Region

_HEADINGS = headings("LOCATION", "NAME", "GEOGRAPHY", "COMMUNITY", "AZURE ARC", "正體中文")
_STANDINGS = {
    "verified": marked("verified"),
    "documented": marked("documented"),
    "pattern": marked("not verified"),
}
_LANGUAGES = ("zh-TW", "zh-CN")


def locations(output: OutputOption = "table") -> None:
    """List the locations that --location takes, with what Microsoft calls them.

    Each may be given by its name, such as eastasia, "East Asia" or 東亞. GEOGRAPHY is the area that an
    ExpressRoute circuit without the Premium add-on reaches, COMMUNITY the value by which a route filter lets
    the location's prefixes through. AZURE ARC is verified or documented where Microsoft names an endpoint of
    Arc's for the location. One without a Chinese name has none in a page of Microsoft's that was found; JSON
    says where each stands, and has those in simplified characters. Needs no network.
    """
    from arcferry import catalog
    from arcferry.report.as_json import SCHEMA
    from arcferry.report.console import print_table, stdout

    rows = [_row(region) for region in catalog.regions()]
    cells = [
        (
            row["name"],
            row["display"],
            row["geography"],
            row["community"],
            _(row["arc"]),
            row["names"].get("zh-TW", ""),
        )
        for row in rows
    ]
    show(
        output,
        table=lambda: print_table(stdout(), _HEADINGS, ((row, "") for row in cells)),
        document=lambda: {"schema": SCHEMA, "kind": "locations", "locations": rows},
        lines=lambda: ({"schema": SCHEMA, "kind": "location", **row} for row in rows),
    )


def _row(region: "Region") -> dict[str, Any]:
    from arcferry import catalog

    told = {language: catalog.local_name(region, language) for language in _LANGUAGES}
    community = catalog.region_community(region.name)
    return {
        "name": region.name,
        "display": region.display,
        "cloud": region.cloud,
        "geography": catalog.geography_of(region.name),
        "community": community.value if community else "",
        "arc": _STANDINGS[region.gas_status],
        "note": region.note,
        "names": {language: name[0] for language, name in told.items() if name},
        "sources": {language: str(name[1]) for language, name in told.items() if name},
    }
