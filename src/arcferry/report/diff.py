"""What changed between two times: JSON, JSON lines, or a table."""

from typing import Any

from rich.console import Console

from arcferry.diagnosis.names import day
from arcferry.diagnosis.since import Comparison
from arcferry.language import _, ngettext, together, translated
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.console import print_line, print_sum, print_text
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.text import one_line

ROWS = "changes", "change"


def document(found: Comparison) -> dict[str, Any]:
    """The whole comparison as one JSON document."""
    return {
        "schema": SCHEMA,
        "kind": "diff",
        **picked(found, "before", "after"),
        "compared": [one.value for one in found.compared],
        "changes": [
            {**picked(one, "subject", "name", "before", "after"), "says": one.says} for one in found.changes
        ],
    }


def junit(found: Comparison) -> str:
    """A case a thing that both tell of; each that changed fails."""
    cases = []
    for subject in found.compared:
        says = [one.says for one in found.changes if one.subject is subject]
        outcome = JunitResult.FAILURE if says else JunitResult.PASSED
        cases.append(JunitCase(subject.value, outcome, "; ".join(says)))
    return xml({"diff": cases})


def draw(found: Comparison, console: Console) -> None:
    """A line a change, then how many there are and of what nothing changed."""
    for one in found.changes:
        print_text(console, one_line(translated(one.says), limit=900))
    if found.changes:
        print_line(console)
    changed = {one.subject for one in found.changes}
    same = [one.value for one in found.compared if one not in changed]
    count = _("nothing changed")
    if found.changes:
        count = ngettext("{count} change", "{count} changes", len(found.changes))
    as_before = _("; as before: {same}", same=together(map(_, same))) if same else ""
    between = ""
    if found.before and found.after:
        between = _(" between {before} and {after}", before=day(found.before), after=day(found.after))
    print_sum(console, "warn" if found.changes else "ok", f"{count}{between}{as_before}")
