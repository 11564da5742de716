"""Sheets of firewall rules: a table, one JSON document, or CSV that a spreadsheet opens safely."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.console import Console

from arcferry import catalog
from arcferry.catalog import Cloud, Region
from arcferry.language import ENGLISH, _, headings, marked, speaking
from arcferry.report import firewall_forms
from arcferry.report.columns import paragraph
from arcferry.report.console import print_line, print_table
from arcferry.routing.firewall import NameRule, NameSheet, PrefixRule, PrefixSheet
from arcferry.text import cell, one_line

SCHEMA = 1
Output = Literal["table", "json", "csv"]
_NAMES = headings("HOST", "PORT", "PROTOCOL", "DIRECTION", "WHEN", "REQUIRED", "OVER PEERING", "REASON")
_PREFIXES = headings("PREFIX", "PORT", "PROTOCOL", "DIRECTION", "TAG", "REGION", "WHEN", "AS OF", "REASON")
# What makes a spreadsheet take a cell for a formula.
_TCP, _OUT, _HTTPS = "TCP", marked("outbound"), 443


@dataclass(frozen=True, slots=True)
class SheetView:
    """A sheet of rules, with what it was asked for."""

    sheet: NameSheet | PrefixSheet
    cloud: Cloud
    region: Region
    features: tuple[str, ...]

    @property
    def first(self) -> str:
        """The line that a sheet begins with: what it holds, as of when, and what it lacks."""
        if isinstance(self.sheet, NameSheet):
            day = catalog.endpoints_source().taken
            held = _("{count} names as of {day}", count=len(self.sheet.rules), day=day)
            mind = _("names are steered, so resolve them where the servers do, again and again")
        else:
            held = _prefixes(self.sheet)
            mind = _("names are steered among these, and the prefixes change weekly")
        return _(
            "Azure Arc in {region} ({cloud}): {held}; it {lacks}; {mind}",
            region=self.region.display,
            cloud=self.cloud.name,
            held=held,
            lacks=catalog.says_left_out(self.cloud, self.features),
            mind=mind,
        )

    @property
    def unheld(self) -> str:
        """The names that no service tag of a sheet by prefix holds; empty where there are none."""
        rows = catalog.requirements(self.cloud, self.region, self.features)
        names = [one.host for one in rows if one.place_is_unknown or one.at_the_edge]
        listed = ", ".join(dict.fromkeys(names))
        text = marked("NOT HELD, because no service tag is documented for them: {names}")
        return _(text, names=listed) if listed else ""

    @property
    def says(self) -> tuple[str, ...]:
        """What Microsoft says of the chosen features, such as that nothing may inspect them."""
        chosen = (one for one in catalog.known_features() if one.name in self.features)
        return tuple(one.told for one in chosen)


def text(shown: SheetView, form: str, output: Output) -> str:
    """The sheet in a form of `routes firewall`, or as CSV or JSON: for programs, so in English."""
    if form in firewall_forms.FORMS:
        with speaking(ENGLISH):
            return firewall_forms.write(form, _content(shown, form))
    return as_csv(_rows(shown.sheet)) if output == "csv" else json.dumps(document(shown), indent=2) + "\n"


def draw(shown: SheetView, console: Console) -> None:
    """The sheet as a table, what it holds and lacks before it."""
    told = (shown.first, "" if isinstance(shown.sheet, NameSheet) else shown.unheld, *shown.says)
    for head in filter(None, told):
        for line in paragraph(one_line(head, limit=4000), console.width, first="# ", rest="# "):
            print_line(console, line)
    titles, *rows = _rows(shown.sheet)
    print_table(console, titles, ((tuple(one_line(_(cell)) for cell in row), "") for row in rows))


def _rows(sheet: NameSheet | PrefixSheet) -> Iterator[tuple[str, ...]]:
    return name_rows(sheet.rules) if isinstance(sheet, NameSheet) else prefix_rows(sheet)


def notes(shown: SheetView, form: str, output: Output) -> Iterator[str]:
    """What the sheet itself has no place for."""
    sheet = shown.sheet
    if isinstance(sheet, NameSheet):
        if output == "csv" or form == "edl":
            yield from (shown.first, *shown.says)
        if form == "edl":
            yield from _about_names(sheet, form)
        return
    yield _prefixes(sheet)
    if output == "csv":
        yield shown.first
    if output == "csv" or form == "edl":
        yield from (shown.unheld, *shown.says)
    if sheet.since:
        yield _since(sheet)


def _prefixes(sheet: PrefixSheet) -> str:
    return _("{count} prefixes of {sources}", count=len(sheet.rules), sources=", ".join(sheet.sources))


def _since(sheet: PrefixSheet) -> str:
    return _(
        "since {sources}: {added} added, {removed} removed",
        sources=", ".join(sheet.since),
        added=len(sheet.added),
        removed=len(sheet.removed),
    )


def _content(shown: SheetView, form: str) -> firewall_forms.Content:
    """What a firewall's own form holds; the first of its comments is the first line."""
    sheet = shown.sheet
    if isinstance(sheet, NameSheet):
        held = firewall_forms.listable(form, sheet.rules)[0]
        return firewall_forms.Content((shown.first, *_about_names(sheet, form), *shown.says), {}, held)
    rest = (shown.unheld, *shown.says)
    changes = [_since(sheet)] if sheet.since else []
    if form != "edl":  # whose comment is one line
        changes += [f"added: {rule.prefix} {rule.tag}" for rule in sheet.added]
        changes += [f"removed: {rule.prefix} {rule.tag}" for rule in sheet.removed]
    return firewall_forms.Content(
        (shown.first, f"TCP {_HTTPS}, outbound", *(rest if form != "edl" else ()), *changes),
        firewall_forms.by_tag(sheet.rules),
        gone=firewall_forms.by_tag(sheet.removed),
    )


def _about_names(sheet: NameSheet, form: str) -> Iterator[str]:
    left = firewall_forms.listable(form, sheet.rules)[1]
    plain = [rule.host for rule in sheet.rules if rule.port != _HTTPS]
    edge = [rule.host for rule in sheet.rules if not rule.over_peering and rule.port == _HTTPS]
    yield _("TCP {port}, outbound; on TCP 80: {names}", port=_HTTPS, names=", ".join(plain))
    yield _("not over Microsoft peering, only before a proxy or the internet: {names}", names=", ".join(edge))
    if left:
        text = marked("NOT HELD HERE, which has no such patterns; allow them elsewhere: {names}")
        yield _(text, names=", ".join(left))


def document(shown: SheetView) -> dict[str, Any]:
    """The rules as one JSON document."""
    sheet = shown.sheet
    head = {
        "schema": SCHEMA,
        "kind": f"firewall-{'names' if isinstance(sheet, NameSheet) else 'prefixes'}",
        "cloud": shown.cloud.name,
        "location": shown.region.name,
        "features": list(shown.features),
        "lacks": list(catalog.left_out(shown.cloud, shown.features)),
        "notes": list(shown.says),
    }
    if isinstance(sheet, NameSheet):
        return head | {"rules": [_row(rule) | {"pattern": "*" in rule.host} for rule in sheet.rules]}
    changes = {
        "since": list(sheet.since),
        "added": list(map(_prefix_row, sheet.added)),
        "removed": list(map(_prefix_row, sheet.removed)),
    }
    return {
        **head,
        "rules": list(map(_prefix_row, sheet.rules)),
        "lacking": list(sheet.lacking),
        "unheld": shown.unheld or None,
        "sources": list(sheet.sources),
        **(changes if sheet.since else {}),
    }


def _prefix_row(rule: PrefixRule) -> dict[str, Any]:
    taken = rule.taken.isoformat() if rule.taken else None
    return _row(rule) | {"region": rule.region or None, "taken": taken}


def _row(rule: NameRule | PrefixRule) -> dict[str, Any]:
    return {**asdict(rule), "protocol": _TCP, "direction": _OUT}


def name_rows(rules: Sequence[NameRule]) -> Iterator[tuple[str, ...]]:
    """The headings, then one row a name."""
    yield _NAMES
    for rule in rules:
        required, carried = (headings("no", "yes")[good] for good in (rule.required, rule.over_peering))
        yield rule.host, str(rule.port), _TCP, _OUT, rule.when, required, carried, rule.reason


def prefix_rows(sheet: PrefixSheet) -> Iterator[tuple[str, ...]]:
    """The headings, then one row a prefix; beside an older file one row a change, which it begins with."""
    changed = [(marked("added"), rule) for rule in sheet.added] + [
        (marked("removed"), rule) for rule in sheet.removed
    ]
    yield (marked("CHANGE"), *_PREFIXES) if sheet.since else _PREFIXES
    for change, rule in changed if sheet.since else (("", rule) for rule in sheet.rules):
        taken = rule.taken.isoformat() if rule.taken else marked("unknown")
        where = (rule.tag, rule.region, rule.when, taken, rule.reason)
        yield (*filter(None, (change,)), rule.prefix, str(rule.port), _TCP, _OUT, *where)


def as_csv(rows: Iterator[tuple[str, ...]]) -> str:
    """Comma-separated values, headings in lower case; a cell that would be a formula gets an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading.lower().replace(" ", "_") for heading in next(rows))
    for row in rows:
        writer.writerow(cell(one_line(one)) for one in row)
    return text.getvalue()
