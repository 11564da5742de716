"""The page of every cause: its words, filled in with the family's sample values, to be read offline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from arcferry.diagnosis.causes import CAUSES
from arcferry.diagnosis.causes.coded import of_code
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Owner, Severity
from arcferry.diagnosis.rule import Match, Value
from arcferry.diagnosis.values import Values
from arcferry.diagnosis.words import Piece, entry, family
from arcferry.diagnosis.written import remedy
from arcferry.errors import UnknownNameError
from arcferry.evidence.case import Case
from arcferry.routing.coverage import Coverage, Verdict

_EXPLAINED_ABOVE = "{meaning}"


@dataclass(frozen=True, slots=True)
class Page:
    """What a cause is about.

    Attributes:
        meaning: what is wrong and why it looks as it does.
        tells: what arcferry concludes it from.
        symptom: a sample of what somebody sees, such as lines of the agent, a check, a router or a log.
        fix: what to do, in order; every step that a finding may have.
        example: commands such as a remedy gives, with invented names.
        request: what somebody might send to the owner, with invented names; empty if the owner is the
            reader's own team.
        to: who gets it, if that is not the owner.
    """

    slug: str
    title: str
    severity: Severity
    owner: Owner
    meaning: str
    tells: str
    symptom: str
    fix: tuple[str, ...]
    example: tuple[Command, ...]
    request: str
    to: str


def page(slug: str) -> Page:
    """The page of the cause with this slug, in any letter case.

    Raises:
        UnknownNameError: there is no such cause.
    """
    cause = CAUSES.get(slug.strip().lower())
    if cause is None:
        raise UnknownNameError("cause", slug, CAUSES)
    words, of_all = entry(cause.slug), family(cause.slug.partition("/")[0])
    whole = replace(words, steps=_every(words.steps), commands=_every(words.commands))
    sample = {**family("common")["sample"], **of_all["sample"], **of_all[cause.slug].get("sample", {})}
    seen = tuple(f"- {' '.join(line.split())}" for line in words.symptom.splitlines())
    given: dict[str, Value] = {"seen": seen}
    if "code" in sample:
        given |= of_code(sample["code"])
    given |= {name: tuple(value) if isinstance(value, list) else value for name, value in sample.items()}
    advice = remedy(Values(whole, _match(given), Case(()), given))
    return Page(
        slug=cause.slug,
        title=words.title,
        severity=cause.severity,
        owner=cause.owner,
        meaning=words.meaning,
        tells=words.tells,
        symptom=words.symptom,
        fix=tuple(filter(None, (advice.summary, *advice.steps))),
        example=advice.commands,
        request=advice.request,
        to=advice.to,
    )


def pages() -> tuple[Page, ...]:
    """Every cause's page."""
    return tuple(page(slug) for slug in CAUSES)


def _every(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Every piece, whatever it depends on, but for what the page says already."""
    return tuple(replace(piece, when="") for piece in pieces if piece.text != _EXPLAINED_ABOVE)


def _match(sample: Mapping[str, Any]) -> Match:
    """A match of the sample's endpoint."""
    host, address = sample.get("host", ""), sample.get("address", "")
    tag, region, community = (sample.get(name, "") for name in ("service_tag", "region", "community"))
    coverage = Coverage(host, address, tag, region, community, (), (), Verdict.UNKNOWN, ())
    return Match(destinations=(Destination(host, None, (), (), (coverage,)),))
