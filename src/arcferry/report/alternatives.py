"""The ways of bringing servers into Azure Arc, side by side for the names of one location."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from arcferry import catalog
from arcferry.catalog import Alternative, Cloud, Endpoint, Region
from arcferry.language import _, headings
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import named
from arcferry.report.console import print_line, print_rows, print_table, print_text
from arcferry.text import one_line

ROWS = "alternatives", "alternative"
_HTTPS, _MOST, _GATEWAY = 443, 12, "gateway"
_FIELDS = ("name", "title", "stage", "internet", "says", "costs", "limits")


@dataclass(frozen=True, slots=True)
class AlternativesView:
    """What is set side by side: every way, for the names of a location and of the chosen features."""

    cloud: Cloud
    region: Region
    features: tuple[str, ...]

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The names, the required ones first."""
        found = catalog.requirements(self.cloud, self.region, self.features)
        return tuple(sorted(found, key=lambda one: not one.required))

    @property
    def ways(self) -> tuple[Alternative, ...]:
        """Those that are offered in the cloud."""
        return tuple(one for one in catalog.alternatives() if one.is_offered_in(self.cloud))

    def names(self, way: Alternative, *standings: str) -> tuple[str, ...]:
        """The names of which this way brings as much as one of these says."""
        found = [one for one in self.endpoints if way.brings(one) in standings]
        if way.name == _GATEWAY and "no" in standings:  # its own name, which nothing else needs
            found += [one for one in self._with_gateway if one not in self.endpoints]
        return tuple(_name(one, self.cloud) for one in found)

    @property
    def _with_gateway(self) -> tuple[Endpoint, ...]:
        return catalog.requirements(self.cloud, self.region, [*self.features, _GATEWAY])


def _name(endpoint: Endpoint, cloud: Cloud) -> str:
    port = "" if endpoint.port == _HTTPS else f":{endpoint.port}"
    return f"{endpoint.host or f'*.{cloud.his_suffix}'}{port}"


def document(view: AlternativesView) -> dict[str, Any]:
    """Every way with the names that it carries, and with those that stay public."""
    return {
        "schema": SCHEMA,
        "kind": "alternatives",
        "cloud": view.cloud.name,
        "location": view.region.name,
        "features": list(view.features),
        "lacks": list(catalog.left_out(view.cloud, view.features)),
        "alternatives": [
            {
                **picked(way, *_FIELDS),
                "carries": list(view.names(way, "yes")),
                "public": list(view.names(way, "no")),
                "own_endpoint": list(view.names(way, "own endpoint")),
                "unknown": list(view.names(way, "unknown")),
                "source": way.source.text,
                "taken": way.source.taken.isoformat(),
            }
            for way in view.ways
        ],
        "source": str(catalog.endpoints_source()),
    }


def draw(view: AlternativesView, console: Console) -> None:
    """A row a name with a column a way, then what is to be known of each way."""
    lacks = catalog.says_left_out(view.cloud, view.features)
    title = _(
        "Ways into Azure Arc for {region} ({cloud}); this table {lacks}",
        region=view.region.display,
        cloud=view.cloud.name,
        lacks=lacks,
    )
    print_text(console, title, "bold")
    print_line(console)
    titles = (*headings("NAME", "NEEDED"), *(_(way.title).upper() for way in view.ways))
    styles = {_("no"): "yellow", _("unknown"): "yellow"}
    print_table(console, titles, ((row, "") for row in _cells(view)), styles=styles)
    for way in view.ways:
        print_line(console)
        print_line(console, _(way.title), "bold")
        print_rows(console, 2, ((label, one_line(text, limit=4000)) for label, text in _about(view, way)))
    print_line(console)
    print_text(console, _("Names as of {source}", source=catalog.endpoints_source()))


def _cells(view: AlternativesView) -> Sequence[tuple[str, ...]]:
    return [
        (
            _name(one, view.cloud),
            _("required") if one.required else _(one.when),
            *(_(way.brings(one)) for way in view.ways),
        )
        for one in view.endpoints
    ]


def _about(view: AlternativesView, way: Alternative) -> list[tuple[str, str]]:
    required = [one for one in view.endpoints if one.required]
    carried = sum(way.brings(one) == "yes" for one in required)
    brought = view.names(way, "yes")
    own, unknown = view.names(way, "own endpoint"), view.names(way, "unknown")
    carries = _(
        "{brought} of {names} names, {carried} of {required} required",
        brought=len(brought),
        names=len(view.endpoints),
        carried=carried,
        required=len(required),
    )
    return [
        (_("carries"), carries),
        (_("stays public"), named(view.names(way, "no"), most=_MOST) or _("nothing")),
        *([(_("own endpoint"), named(own, most=_MOST))] if own else []),
        *([(_("unknown"), named(unknown, most=_MOST))] if unknown else []),
        (_("internet"), _(way.internet)),
        (_("stage"), _(way.stage)),
        (_("costs by"), _(way.costs)),
        (_("cannot"), _(way.limits)),
        ("Microsoft", f"{_(way.says)} ({way.source})"),
    ]
