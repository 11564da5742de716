"""What of the letters is proved, as JSON or as a list that is ticked off."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console

from arcferry.language import _, translated
from arcferry.prepare import Answer, Facts, Item, Prepared, Status, Words
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.console import HANG, print_line, print_text
from arcferry.report.junit import JunitCase, JunitResult, xml

ROWS = "items", "prepared-item"
_MARKS = {Answer.PROVED: "[x]", Answer.MISSING: "[ ]", Answer.UNKNOWN: "[?]"}
_STYLES = {Answer.PROVED: "green", Answer.MISSING: "bold red", Answer.UNKNOWN: "dim"}
_RESULTS = {
    Answer.PROVED: JunitResult.PASSED,
    Answer.MISSING: JunitResult.FAILURE,
    Answer.UNKNOWN: JunitResult.SKIPPED,
}


@dataclass(frozen=True, slots=True)
class StatusView:
    """A folder's status, with the words and commands of one language."""

    folder: Path
    prepared: Prepared
    status: Status
    words: Words
    facts: Facts

    def title(self, letter: str) -> str:
        """Of a letter, without what follows its team."""
        return next(one.title for one in self.words.letters if one.slug == letter)

    def says(self, item: Item) -> str:
        """What is to be proved."""
        return self.words.items[item.slug]

    def command(self, item: Item) -> str:
        """What proves it."""
        return self.facts.runs[item.proof].lines[0].text


def document(view: StatusView) -> dict[str, Any]:
    """The status as one JSON document."""
    prepared = picked(view.prepared, "made", "cloud", "location")
    return {
        "schema": SCHEMA,
        "kind": "prepare-status",
        "folder": str(view.folder),
        **prepared,
        "summary": {
            answer.value: sum(item.answer is answer for item in view.status.items) for answer in Answer
        },
        "items": [
            {
                **picked(item, "letter", "slug", "answer", "because"),
                "says": view.says(item),
                "command": view.command(item),
            }
            for item in view.status.items
        ],
    }


def junit(view: StatusView) -> str:
    """A case an item."""
    cases = (
        JunitCase(f"{item.letter} {item.slug}", _RESULTS[item.answer], item.because, item.answer.value)
        for item in view.status.items
    )
    return xml({"prepare": list(cases)})


def draw(view: StatusView, console: Console) -> None:
    """Each letter with its items."""
    for letter, items in groupby(view.status.items, key=lambda item: item.letter):
        print_line(console, view.title(letter), "bold")
        for item in items:
            mark = f"  {_MARKS[item.answer]} "
            print_text(console, view.says(item), _STYLES[item.answer], indent=HANG, first=mark)
            print_text(console, translated(item.because), indent=HANG)
            if item.answer is not Answer.PROVED:
                print_line(console, f"{'':<{HANG}}{view.command(item)}")
        print_line(console)
    print_line(console, summary(view))


def summary(view: StatusView) -> str:
    """The counts in one line."""
    counts = document(view)["summary"]
    return _("{proved} proved, {missing} not, {unknown} unknown", **counts)
