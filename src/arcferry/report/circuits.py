"""A circuit by its two paths: what is configured, what is true, and what falls where one of them is down."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from arcferry.diagnosis.audit import Path
from arcferry.diagnosis.audit.paths import CircuitPaths, NameByPath
from arcferry.errors import ArcferryError
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import UNDISCOVERED_CELL
from arcferry.report.console import HANG, print_line, print_marked, print_table, print_text
from arcferry.routing.paths import LINKS, LinkPath, Standing
from arcferry.routing.reception import route_count
from arcferry.text import one_line

ROWS = "names", "name-by-path"
_SHOWN = 12
_CARRIES = {True: "carries", False: "CARRIES NOTHING", None: "not known"}
_CELLS = {Path.THERE: "there", Path.MISSING: "MISSING", Path.UNKNOWN: "not known"}
_STYLES = {"there": "green", "MISSING": "bold red", "not known": "dim"}


@dataclass(frozen=True, slots=True)
class CircuitView:
    """What is shown: a circuit by its paths, and the parts that Azure did not give."""

    found: CircuitPaths
    not_read: tuple[ArcferryError, ...] = ()


def document(view: CircuitView) -> dict[str, Any]:
    """The whole view as one JSON document; an unknown fact is null or an empty text."""
    found = view.found
    return {
        "schema": SCHEMA,
        "kind": "circuit-paths",
        "cloud": found.cloud.name,
        "location": found.region.name if found.region else None,
        "configured": [*found.configured],
        "paths": [_path(*pair) for pair in zip(found.paths, found.standings, strict=True)],
        "on_one_path_alone": [picked(one, "path", "azure", "prefixes") for one in found.alone],
        "names": [_name(one) for one in found.names],
        "falls_without": {link: [*found.falls_without(link)] for link in LINKS} if found.region else None,
        "not_read": [{"says": one.message, "hint": one.hint} for one in view.not_read],
        "notes": [*found.notes],
    }


def _path(path: LinkPath, standing: Standing) -> dict[str, Any]:
    return {
        **picked(path, "name", "link"),
        **picked(standing, "carries", "says"),
        "sessions": [picked(one, "peer", "asn", "state", "received", "since") for one in path.sessions],
        "arp": [picked(one, "side", "address", "mac") for one in path.arp],
        **picked(path, "bytes_in", "bytes_out"),
        "azure_routes": sum(one.size for one in path.azure) if path.azure else None,
        "routes_of_microsoft": len(path.received) if path.own else None,
    }


def _name(one: NameByPath) -> dict[str, Any]:
    return {
        "host": one.host,
        "together": one.together,
        "alone": {link: one.alone[link] for link in LINKS},
        "observed": {link: one.seen[link] for link in LINKS},
        "says": {link: one.says[link] for link in LINKS},
        "falls_without": [link for link in LINKS if one.falls_without(link)],
    }


def draw(view: CircuitView, console: Console) -> None:
    """What is configured, each path, what one alone carries, and the names that fall."""
    found = view.found
    print_line(console, "Configured", "bold")
    for says in found.configured or ("nothing is known of the circuit",):
        print_text(console, one_line(says, limit=900), indent=2)
    for path, standing in zip(found.paths, found.standings, strict=True):
        print_line(console)
        print_line(console, f"{path.name.capitalize()} path{f' ({path.link})' if path.link else ''}", "bold")
        mark = "FAIL" if standing.carries is False else "ok" if standing.carries else "warn"
        print_marked(console, mark, f"{_CARRIES[standing.carries]}: {one_line(standing.says)}")
        for says in _facts(path):
            print_text(console, says, indent=2)
    _draw_alone(found, console)
    if found.region:
        _draw_names(found, console)
    for note in found.notes:
        print_text(console, f"note: {note}")
    for error in view.not_read:
        print_marked(console, "warn", f"not read: {error.message}")
    print_line(console)
    print_text(console, summary(found))


def _facts(path: LinkPath) -> Iterator[str]:
    for session in path.sessions:
        count = session.received
        received = "" if count is None else f", {count:,} prefix{'' if count == 1 else 'es'} received"
        since = f", since {session.since}" if session.since else ""
        side = "Azure's session with" if session.of_azure else "session with"
        yield f"{side} {session.peer}: {session.state}{received}{since}"
    for entry in path.arp:
        yield f"ARP {entry.side}: {entry.address or 'no address'} is at {entry.mac or 'nobody'}"
    if path.bytes_in is not None and path.bytes_out is not None:
        yield f"traffic: {path.bytes_in:,} bytes in, {path.bytes_out:,} bytes out"
    for table in path.azure:
        yield f"Azure's table: {route_count(table.size)}"
    for table in path.own:
        yield f"{table.name}: {route_count(table.size)}, {len(path.received):,} prefixes of Microsoft's"


def _draw_alone(view: CircuitPaths, console: Console) -> None:
    if not view.alone:
        return
    print_line(console)
    print_line(console, "Carried by one path alone", "bold")
    for one in view.alone:
        more = f", and {len(one.prefixes) - _SHOWN:,} more" if len(one.prefixes) > _SHOWN else ""
        whose = "by Azure's tables" if one.azure else "by the routers' tables"
        listed = ", ".join(one.prefixes[:_SHOWN])
        print_text(console, f"{one.path}, {whose}: {len(one.prefixes):,}: {listed}{more}", indent=2)


def _draw_names(view: CircuitPaths, console: Console) -> None:
    print_line(console)
    headers = ("REQUIRED NAME", "BOTH PATHS", *(f"{link.upper()} ALONE" for link in LINKS))
    rows = [(_cells(one), "") for one in view.names]
    print_table(console, headers, rows, between="  |", styles=_STYLES)
    for link in LINKS:
        other = next(one for one in LINKS if one != link)
        falls = [one for one in view.names if one.falls_without(link)]
        unknown = view.may_fall_without(link)
        mark = "FAIL" if falls else "warn" if unknown else "ok"
        print_line(console)
        print_marked(console, mark, f"if the {link} path is down, {_falls(len(falls), len(unknown))}")
        for one in falls:
            says = f"{one.host or UNDISCOVERED_CELL}: {one_line(one.says[other])}"
            print_text(console, says, indent=HANG)


def _cells(one: NameByPath) -> tuple[str, ...]:
    alone = (
        _CELLS[one.alone[link]]
        + (", expected" if one.alone[link] is Path.THERE and not one.seen[link] else "")
        for link in LINKS
    )
    return one.host or UNDISCOVERED_CELL, _CELLS[one.together], *alone


def _falls(count: int, unknown: int) -> str:
    names = f"{count} names fall" if count > 1 else "1 name falls" if count else "no name falls"
    if not unknown:
        return names if count else f"{names} that is there now"
    return f"{names if count else 'no name is known to fall'}, and of {unknown} it is not known"


def summary(view: CircuitPaths) -> str:
    """The last line."""
    down = [path.name for path, one in zip(view.paths, view.standings, strict=True) if one.carries is False]
    parts = [f"the {name} path carries nothing" for name in down]
    for link in LINKS:
        falls, unknown = view.falls_without(link), view.may_fall_without(link)
        if falls or unknown:
            parts.append(f"without the {link} path {_falls(len(falls), len(unknown))}")
    if parts:
        return "; ".join(parts).capitalize()
    if not all(one.carries for one in view.standings):
        return "Nothing shows that a path is missing, and not each of them was seen to carry"
    return "Each path alone carries what both do" if view.region else "Both paths carry"
