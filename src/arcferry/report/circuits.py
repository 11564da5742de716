"""A circuit by its two paths: what is configured, what is true, and what falls where one of them is down."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from arcferry.diagnosis.audit import Path
from arcferry.diagnosis.audit.paths import CircuitPaths, NameByPath
from arcferry.errors import ArcferryError
from arcferry.language import _, headings, marked, ngettext, translated
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import UNDISCOVERED_CELL, named
from arcferry.report.console import HANG, print_line, print_marked, print_table, print_text
from arcferry.routing.paths import LINKS, LinkPath, Standing
from arcferry.routing.reception import route_count
from arcferry.text import one_line

ROWS = "names", "name-by-path"
_SHOWN = 12
_ALONE = {"primary": marked("PRIMARY ALONE"), "secondary": marked("SECONDARY ALONE")}
_CARRIES = {True: marked("carries"), False: marked("CARRIES NOTHING"), None: marked("not known")}
_CELLS = {Path.THERE: marked("there"), Path.MISSING: marked("MISSING"), Path.UNKNOWN: marked("not known")}
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
    print_line(console, _("Configured"), "bold")
    for says in found.configured or (_("nothing is known of the circuit"),):
        print_text(console, one_line(translated(says), limit=900), indent=2)
    for path, standing in zip(found.paths, found.standings, strict=True):
        print_line(console)
        print_line(console, _path_name(path), "bold")
        mark = "FAIL" if standing.carries is False else "ok" if standing.carries else "warn"
        print_marked(
            console,
            mark,
            _("{name}: {says}", name=_(_CARRIES[standing.carries]), says=one_line(translated(standing.says))),
        )
        for says in _facts(path):
            print_text(console, says, indent=2)
    _draw_alone(found, console)
    if found.region:
        _draw_names(found, console)
    for note in found.notes:
        print_text(console, _("note: {note}", note=note))
    for error in view.not_read:
        print_marked(console, "warn", _("not read: {says}", says=translated(error.message)))
    print_line(console)
    print_text(console, summary(found))


def _path_name(path: LinkPath) -> str:
    link = f" ({path.link})" if path.link else ""
    return _("{name} path", name=_(path.name)).capitalize() + link


def _facts(path: LinkPath) -> Iterator[str]:
    for session in path.sessions:
        count, received = session.received, ""
        if count is not None:
            received = ngettext(", {count:,} prefix received", ", {count:,} prefixes received", count)
        since = _(", since {since}", since=session.since) if session.since else ""
        text = marked("Azure's session with {peer}") if session.of_azure else marked("session with {peer}")
        yield f"{_(text, peer=session.peer)}: {session.state}{received}{since}"
    for entry in path.arp:
        address, mac = entry.address or _("no address"), entry.mac or _("nobody")
        yield _("ARP {side}: {address} is at {mac}", side=entry.side, address=address, mac=mac)
    if path.bytes_in is not None and path.bytes_out is not None:
        came, went = path.bytes_in, path.bytes_out
        yield _("traffic: {came:,} bytes in, {went:,} bytes out", came=came, went=went)
    for table in path.azure:
        yield _("Azure's table: {routes}", routes=route_count(table.size))
    for table in path.own:
        prefixes = _("{count:,} prefixes of Microsoft's", count=len(path.received))
        yield f"{table.name}: {route_count(table.size)}, {prefixes}"


def _draw_alone(view: CircuitPaths, console: Console) -> None:
    if not view.alone:
        return
    print_line(console)
    print_line(console, _("Carried by one path alone"), "bold")
    for one in view.alone:
        whose = _("by Azure's tables") if one.azure else _("by the routers' tables")
        listed = named(one.prefixes, most=_SHOWN)
        print_text(console, f"{_(one.path)}, {whose}: {len(one.prefixes):,}: {listed}", indent=2)


def _draw_names(view: CircuitPaths, console: Console) -> None:
    print_line(console)
    headers = (*headings("REQUIRED NAME", "BOTH PATHS"), *(_ALONE[link] for link in LINKS))
    rows = [(_cells(one), "") for one in view.names]
    print_table(
        console, headers, rows, between="  |", styles={_(word): style for word, style in _STYLES.items()}
    )
    for link in LINKS:
        other = next(one for one in LINKS if one != link)
        falls = [one for one in view.names if one.falls_without(link)]
        unknown = view.may_fall_without(link)
        mark = "FAIL" if falls else "warn" if unknown else "ok"
        print_line(console)
        print_marked(
            console,
            mark,
            _("if the {link} path is down, {falls}", link=_(link), falls=_falls(len(falls), len(unknown))),
        )
        for one in falls:
            says = one_line(translated(one.says[other]))
            says = _("{name}: {says}", name=one.host or _(UNDISCOVERED_CELL), says=says)
            print_text(console, says, indent=HANG)


def _cells(one: NameByPath) -> tuple[str, ...]:
    alone = (
        _(_CELLS[one.alone[link]])
        + (_(", expected") if one.alone[link] is Path.THERE and not one.seen[link] else "")
        for link in LINKS
    )
    return one.host or _(UNDISCOVERED_CELL), _(_CELLS[one.together]), *alone


def _falls(count: int, unknown: int) -> str:
    if not unknown and not count:
        return _("no name falls that is there now")
    names = _("no name is known to fall")
    if count:
        names = ngettext("{count} name falls", "{count} names fall", count)
    return _("{names}, and of {unknown} it is not known", names=names, unknown=unknown) if unknown else names


def summary(view: CircuitPaths) -> str:
    """The last line."""
    down = [path.name for path, one in zip(view.paths, view.standings, strict=True) if one.carries is False]
    parts = [_("the {name} path carries nothing", name=_(name)) for name in down]
    for link in LINKS:
        falls, unknown = view.falls_without(link), view.may_fall_without(link)
        if falls or unknown:
            fall = _falls(len(falls), len(unknown))
            parts.append(_("without the {link} path {falls}", link=_(link), falls=fall))
    if parts:
        return "; ".join(parts).capitalize()
    if not all(one.carries for one in view.standings):
        return _("Nothing shows that a path is missing, and not each of them was seen to carry")
    return _("Each path alone carries what both do") if view.region else _("Both paths carry")
