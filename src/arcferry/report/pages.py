"""The offline pages of causes and codes, as JSON or as text."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from arcferry import catalog
from arcferry.catalog import Code
from arcferry.diagnosis.finding import addressed, team
from arcferry.diagnosis.pages import Page
from arcferry.evidence.case import NETWORK_ERROR
from arcferry.language import _
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.console import print_letter, print_line, print_lines, print_text
from arcferry.report.findings import draw_commands


def code_document(code: Code) -> dict[str, Any]:
    """One code with all that the catalogue knows of it."""
    facts = ("code", "exit_code", "family", "phase", "outcome", "meaning", "remedy", "retry", "source")
    return {"kind": "code", **picked(code, *facts)}


def page_document(page: Page) -> dict[str, Any]:
    """One cause's page."""
    facts = ("title", "severity", "owner", "meaning", "tells", "symptom", "fix", "request", "to")
    example = list(map(asdict, page.example))
    return {"kind": "cause", "cause": page.slug, **picked(page, *facts), "example": example}


def document(subjects: Sequence[Code | Page]) -> dict[str, Any]:
    """Every page that was asked for."""
    pages = [code_document(one) if isinstance(one, Code) else page_document(one) for one in subjects]
    return {"schema": SCHEMA, "kind": "pages", "pages": pages}


def _paragraph(console: Console, title: str, *lines: str) -> None:
    print_line(console)
    print_line(console, title, "bold")
    for line in lines:
        print_text(console, line, indent=2)


def _retry(code: Code) -> str:
    if code.code == NETWORK_ERROR:
        return _(
            "It may, and proves nothing: that depends on the cause, which the code does not tell. "
            "A steered name may answer elsewhere the next time, and back again later."
        )
    if code.outcome != "failure":
        return _("Not needed.") if code.outcome == "success" else _("Not needed; restart the server.")
    if code.retry:
        return _("Yes: the same command may succeed later.")
    return _("No: something must change first.")


def draw_code(code: Code, console: Console) -> None:
    """What a code means, the way out, whether a retry helps, and who says so."""
    ends = _("exit code {code}", code=code.exit_code) if code.exit_code is not None else ""
    told = [part for part in dict.fromkeys((ends, code.family, code.phase)) if part]
    print_text(console, f"{code.title}  ({', '.join(told)})", "bold")
    said = catalog.told(code)
    _paragraph(console, _("Meaning"), said.meaning)
    _paragraph(
        console,
        _("What to do"),
        said.remedy or _("Nothing is documented beyond the meaning; see the installer's log."),
    )
    _paragraph(console, _("Does a retry help?"), _retry(code))
    _paragraph(console, _("Source"), code.source)


def draw_page(page: Page, console: Console) -> None:
    """A cause's page."""
    print_line(console, page.slug, "bold")
    print_text(console, page.title)
    whose = _("{severity}; the {team} can change it", severity=_(page.severity), team=team(page.owner))
    print_text(console, whose, "dim")
    _paragraph(console, _("What it means"), page.meaning)
    if page.symptom:
        print_line(console)
        print_line(console, _("What it looks like"), "bold")
        print_lines(console, page.symptom, indent=2)
    _paragraph(console, _("What it is concluded from"), page.tells)
    _paragraph(console, _("What to do"), *(f"{number}. {step}" for number, step in enumerate(page.fix, 1)))
    print_line(console)
    print_line(console, _("For example"), "bold")
    draw_commands(page.example, 2, console)
    if page.request:
        print_line(console)
        title = _("to send to {to}, for example", to=addressed(page.to, page.owner))
        print_letter(console, title, page.request, indent=2)


def draw(subjects: Sequence[Code | Page], console: Console) -> None:
    """Every page that was asked for, one after the other."""
    for place, one in enumerate(subjects):
        if place:
            print_line(console)
        if isinstance(one, Code):
            draw_code(one, console)
        else:
            draw_page(one, console)
