"""Held data as `arcferry data` shows it: what there is, how old, and where dated sources disagree."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from arcferry import catalog
from arcferry.data.conflicts import Comparison, Conflict
from arcferry.data.store import OLD_AFTER, Held, HeldKind
from arcferry.data.update import UpdateResult
from arcferry.language import _, headings, marked, ngettext, translated
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import padded
from arcferry.report.console import HANG, print_line, print_marked, print_table, print_text
from arcferry.routing.coverage import dated

FIRST_CONFLICTS = 5
_HEADINGS = headings("NAME", "KIND", "CLOUD", "TAKEN", "AGE", "CHANGE", "ENTRIES", "PREFIXES", "ID", "LEADS")
_NAMED = {HeldKind.ROUTE_FILTER: " --route-filter-name NAME", HeldKind.CIRCUIT: " --circuit NAME"}
_COUNTABLE = 1 << 40  # more addresses than this, as IPv6 has, are no number that tells anything
_RIGHT = frozenset({"AGE", "CHANGE", "ENTRIES", "PREFIXES"})


@dataclass(frozen=True, slots=True)
class DataView:
    """What is shown of the data folder.

    Attributes:
        held: everything, by kind and cloud, the newest first.
        leading: the ids that lead, one for each kind and cloud.
        comparisons: the leading service tags beside the leading community list of each cloud.
        problems: sentences on files that cannot be used.
        today: the day against which ages are told.
    """

    folder: Path
    held: tuple[Held, ...]
    leading: frozenset[str]
    comparisons: tuple[Comparison, ...]
    problems: tuple[str, ...]
    today: date


def leading(held: Iterable[Held]) -> frozenset[str]:
    """The ids of the newest of each kind and cloud, of what comes by kind and cloud with the newest first."""
    first: dict[tuple[str, str], str] = {}
    for one in held:
        first.setdefault((one.kind, one.cloud), one.sha256)
    return frozenset(first.values())


def document(view: DataView) -> dict[str, Any]:
    """The whole view as one JSON document, with every conflict."""
    return {
        "schema": SCHEMA,
        "kind": "data",
        "folder": str(view.folder),
        "held": [row(one, view.today, view.leading) for one in view.held],
        "conflicts": [_comparison(one) for one in view.comparisons],
        "warnings": [*_warnings(view)],
    }


def row(held: Held, today: date, leading: Collection[str]) -> dict[str, Any]:
    """One held document; `leading` are the ids that lead."""
    return {
        **picked(held, "id", "kind"),
        "cloud": held.cloud or None,
        **picked(held, "name", "taken"),
        "age_days": held.days(today),
        "old": held.is_old(today),
        "leads": held.sha256 in leading,
        **picked(held, "change_number", "entries", "prefixes", "source", "sha256", "added"),
        "path": str(held.path),
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "service_tags": {"name": one.tags.name, "taken": _iso(one.tags.taken)},
        "community_list": {"name": one.listed.name, "taken": _iso(one.listed.taken)},
        "newer": one.newer or None,
        "compared": one.compared,
        "prefixes": one.prefixes,
        "conflicts": [
            {
                "prefix": conflict.prefix,
                "community": conflict.value,
                "listed_region": conflict.listed_region,
                "tag_region": conflict.tag_region,
                "service_tag": conflict.tag,
                "tag_prefix": conflict.part,
                "addresses": conflict.addresses,
            }
            for conflict in one.conflicts
        ],
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def draw(view: DataView, console: Console, *, every: bool = False) -> None:
    """For people: the table, what to know of it, and the conflicts, `every` one or the first few."""
    right = [_HEADINGS.index(name) for name in _RIGHT]
    print_table(console, _HEADINGS, ((_cells(one, view), "") for one in view.held), right=right)
    if warnings := list(_warnings(view)):
        print_line(console)
        for says in warnings:
            print_marked(console, "warn", says)
    for one in view.comparisons:
        print_line(console)
        _draw_conflicts(one, console, every=every)


def _cells(held: Held, view: DataView) -> tuple[str, ...]:
    days = held.days(view.today)
    return (
        held.name,
        _(held.kind),
        held.cloud or "-",
        f"{held.taken or _('undated')}",
        "-" if days is None else _("{days} d", days=days),
        "-" if held.change_number is None else f"{held.change_number}",
        f"{held.entries:,}",
        f"{held.prefixes:,}" if held.prefixes else "-",
        held.id,
        _("yes") if held.sha256 in view.leading else "",
    )


def _warnings(view: DataView) -> Iterator[str]:
    for held in view.held:
        if held.sha256 not in view.leading or not held.is_old(view.today):
            continue
        if held.taken is None:
            yield _(
                "{name}: of an unknown day, so it counts as old; import it with --taken DATE", name=held.name
            )
            continue
        update = f"arcferry data update{_NAMED.get(held.kind, '')}"
        newer = _("{update} fetches a newer one", update=update)
        if held.kind is HeldKind.ENDPOINTS:
            newer = _("a newer arcferry may bring a newer one")
        days = held.days(view.today)
        says = marked("{name}: {days} days old, more than {limit}; {newer}")
        yield _(says, name=held.name, days=days, limit=OLD_AFTER, newer=newer)
    yield from view.problems


def _draw_conflicts(one: Comparison, console: Console, *, every: bool) -> None:
    sources = _(
        "the community list {listed} and the service tags {tags}",
        listed=dated(one.listed),
        tags=dated(one.tags),
    )
    if not one.conflicts:
        says = marked("{sources} agree on the region of all {compared:,} prefixes compared")
        print_marked(console, "ok", _(says, sources=sources, compared=one.compared))
        return
    newer = _("neither is known to be newer")
    if one.newer:
        text = marked("the {what} are newer") if one.newer.endswith("s") else marked("the {what} is newer")
        newer = _(text, what=_(one.newer))
    says = _(
        "{sources} disagree on the region of {prefixes:,} of {compared:,} prefixes; {newer}",
        sources=sources,
        prefixes=one.prefixes,
        compared=one.compared,
        newer=newer,
    )
    print_marked(console, "warn", says)
    shown = one.conflicts if every else one.conflicts[:FIRST_CONFLICTS]
    for conflict in shown:
        print_text(console, conflict_says(conflict, one), indent=HANG)
    if left := len(one.conflicts) - len(shown):
        print_text(
            console, _("and {left:,} more: arcferry data show --conflicts shows them", left=left), indent=HANG
        )


def conflict_says(conflict: Conflict, one: Comparison) -> str:
    """One conflict in a sentence, with both days."""
    addresses = ngettext("{count:,} address", "{count:,} addresses", conflict.addresses)
    if conflict.addresses > _COUNTABLE:
        addresses = _("part of them, such as {part}", part=conflict.part)
    return _(
        "{prefix}: in {listed_region} ({value}) on {listed}, in {tag_region} ({tag}, {part}) on {tags}; "
        "{addresses}",
        prefix=conflict.prefix,
        listed_region=_display(conflict.listed_region),
        value=conflict.value,
        listed=one.listed.taken or _("an unknown day"),
        tag_region=_display(conflict.tag_region),
        tag=conflict.tag,
        part=conflict.part,
        tags=one.tags.taken or _("an unknown day"),
        addresses=addresses,
    )


def _display(region: str) -> str:
    return next((known.display for known in catalog.regions() if known.name == region), region)


def imported(held: Sequence[Held], leads: frozenset[str]) -> Iterator[str]:
    """One line a document that was taken in."""
    for one in held:
        cloud = f", {one.cloud}" if one.cloud else ""
        counts = _("{entries:,} entries", entries=one.entries)
        if one.prefixes:
            counts += _(", {prefixes:,} prefixes", prefixes=one.prefixes)
        said = _(
            "{name}: {kind} of {day}{cloud}, {counts}, held as {id}",
            name=one.name,
            kind=_(one.kind.words),
            day=one.taken or _("an unknown day"),
            cloud=cloud,
            counts=counts,
            id=one.id,
        )
        yield said if one.sha256 in leads else said + _("; a newer one is held and leads")


def outcomes(found: Sequence[UpdateResult], leads: frozenset[str]) -> Iterator[str]:
    """One line a kind that was asked for."""
    for one in found:
        if one.held is not None:
            yield f"{padded(_(one.status), 10)}{next(iter(imported([one.held], leads)))}"
            yield f"{'':<10}{_('from {source}', source=one.held.source)}"
            yield from (f"{'':<10}{note}" for note in one.notes)
        elif one.error is not None:
            said = _("{name}: {says}", name=_(one.kind.words), says=translated(one.error.message))
            yield f"{padded(_('FAILED'), 10)}{said}"


def outcome_row(one: UpdateResult, today: date, leads: frozenset[str]) -> dict[str, Any]:
    """One of `update`'s results."""
    error = one.error
    return {
        "kind": one.kind.value,
        "status": one.status.value,
        "held": row(one.held, today, leads) if one.held else None,
        "notes": [*one.notes],
        "error": {"says": error.message, "hint": error.hint} if error else None,
    }
