"""What ends and when: JSON, JSON lines, or a table, the nearest day first."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from arcferry.language import _, marked, ngettext, translated
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import named, padded
from arcferry.report.console import HANG, print_line, print_marked, print_sum, print_text
from arcferry.text import one_line
from arcferry.times import to_text
from arcferry.verify import Due, DueKind, Lifecycle

_SOON = 60


def document(found: Lifecycle) -> dict[str, Any]:
    """The calendar as one JSON document."""
    return {
        "schema": SCHEMA,
        "kind": "lifecycle",
        "asked": to_text(found.at),
        "whole": not found.half,
        "over": len(found.over),
        "dues": [_due(found, due) for due in found.dues],
        "unknown": [picked(one, "what", "hint") for one in found.unknown],
        "auto_upgrade": {
            "machines": [picked(one, "name", "failure", "turn_off") for one in found.upgrades],
            "downloads_from": list(found.upgrade_needs),
        },
        "notes": list(found.notes),
    }


def lines(found: Lifecycle) -> Iterator[dict[str, Any]]:
    """A line a day, then the rest."""
    return as_json.lines(document(found), "dues", "due")


def _due(found: Lifecycle, due: Due) -> dict[str, Any]:
    told = picked(due, "day", "kind", "key", "title", "hint", "source", "servers")
    return {**told, "days": due.days(found.today)}


def draw(found: Lifecycle, console: Console) -> None:
    """Every day with what ends, then automatic upgrade, what is not known, and the sum."""
    for due in found.dues:
        word = _word(found, due)
        print_marked(
            console, word, f"{due.day}  {padded(_left(due.days(found.today)), 13, right=True)}  {_(due.kind)}"
        )
        _print(console, translated(due.title))
        if due.servers:
            _print(console, named(due.servers))
        if due.hint and word != "ok":
            _print(console, translated(due.hint))
    print_line(console)
    _print_upgrades(console, found)
    for one in found.unknown:
        print_marked(console, "warn", _("not known"))
        _print(console, translated(one.what))
        print_line(
            console, f"{'':<{HANG}}{translated(one.hint)}" if one.hint else ""
        )  # may be a command, to be copied
    for note in found.notes:
        _print(console, _("note: {note}", note=translated(note)), indent=0)
    print_sum(console, "FAIL" if found.over else "warn" if found.half else "ok", summary(found))


def _word(found: Lifecycle, due: Due) -> str:
    if due.kind is DueKind.ANNOUNCED:
        return "warn" if due.days(found.today) <= _SOON else "ok"
    left = due.days(found.today)
    return "FAIL" if left <= 0 else "warn" if left <= _SOON else "ok"


def _left(days: int) -> str:
    if days == 0:
        return _("today")
    return _("in {days} days", days=days) if days > 0 else _("{days} days ago", days=-days)


def _print_upgrades(console: Console, found: Lifecycle) -> None:
    if not found.upgrades:
        return
    names = [one.name for one in found.upgrades]
    print_marked(console, "warn", _("automatic upgrade is on: {names}", names=named(names, most=3)))
    _print(
        console,
        _(
            "It downloads from {names}, which Microsoft peering does not carry: where these servers have no "
            "other way out it cannot work, and a bundle upgrades them.",
            names=", ".join(found.upgrade_needs),
        ),
    )
    for one in found.upgrades:
        if one.failure:
            _print(
                console, _("{name}: the last attempt failed: {why}", name=one.name, why=one_line(one.failure))
            )
    says = marked("To turn it off for {name}, in PowerShell; --output json has each one's line:")
    _print(console, _(says, name=names[0]))
    print_line(console, f"{'':<{HANG}}{found.upgrades[0].turn_off}")
    print_line(console)


def _print(console: Console, text: str, *, indent: int = HANG) -> None:
    print_text(console, one_line(text, limit=1200), indent=indent)


def summary(found: Lifecycle) -> str:
    """One line: what has ended, and what ends next."""
    ahead = [due for due in found.dues if due.days(found.today) > 0 and due.kind is not DueKind.ANNOUNCED]
    following = (
        _("; next on {day}: {what}", day=ahead[0].day, what=translated(ahead[0].title)) if ahead else ""
    )
    half = _("; Azure's answer is not whole") if found.half else ""
    over = len(found.over)
    what = _("nothing has ended")
    if over:
        what = ngettext("{count} thing has ended", "{count} things have ended", over)
    return one_line(f"{what}{following}{half}", limit=300)
