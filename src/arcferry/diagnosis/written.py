"""A finding in words: the entry of its cause, filled in with its named values."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from arcferry.command_line import line
from arcferry.diagnosis.finding import Command, Evidence, Finding, Remedy, Severity
from arcferry.diagnosis.rule import Cause, Match
from arcferry.diagnosis.values import Values, affected
from arcferry.diagnosis.words import Piece, entry, field_alone, fields
from arcferry.evidence.case import Case


def written(
    cause: Cause, match: Match, case: Case, severity: Severity, evidence: Sequence[Evidence] = ()
) -> Finding:
    """The finding of one match.

    Args:
        cause: whose words they are.
        match: with every endpoint that it is about.
        case: everything that was handed in.
        severity: the gravest among the endpoints.
        evidence: what is said of the endpoints, before what the cause has to add.
    """
    if cause.values:
        match = replace(match, values={**match.values, **cause.values(match, case)})
    values = Values(entry(cause.slug), match, case)
    return Finding(
        cause=cause.slug,
        title=values.fill(values.entry.headline),
        severity=severity,
        confidence=match.confidence,
        owner=match.owner or cause.owner,
        endpoints=tuple(affected(one) for one in match.destinations),
        evidence=tuple(dict.fromkeys((*evidence, *values.evidence))),
        remedy=remedy(values),
        would_decide=match.would_decide,
    )


def remedy(values: Values) -> Remedy:
    """What to change, by the entry's words."""
    words = values.entry
    return Remedy(
        summary=values.fill(words.summary),
        steps=tuple(dict.fromkeys(step for piece in words.steps for step in _steps(piece, values))),
        commands=tuple(one for piece in words.commands for one in _commands(piece, values)),
        request="\n".join(_letter(words.request.text.splitlines(), values))
        if values.has(words.request.when)
        else "",
    )


def _steps(piece: Piece, values: Values) -> Iterable[str]:
    if not values.has(piece.when):
        return ()
    name = field_alone(piece.text)
    return values.lines(name) if name else (values.fill(piece.text),)


def _commands(piece: Piece, values: Values) -> Iterable[Command]:
    if not values.has(piece.when):
        return ()
    if not piece.tool:
        found = values[field_alone(piece.text)]
        return [one for one in found if isinstance(one, Command)] if isinstance(found, tuple) else ()
    if not piece.each:
        return (_command(piece, values),)
    several = values[piece.each]
    texts = several if isinstance(several, tuple) else (several,)
    return [_command(piece, _with(values, piece.each, str(text))) for text in texts]


def _with(values: Values, name: str, text: str) -> Values:
    return Values(values.entry, values.match, values.case, {**values.more, name: text}, values.language)


def _command(piece: Piece, values: Values) -> Command:
    return Command(piece.tool, line(piece.text, **{name: values.word(name) for name in fields(piece.text)}))


def _letter(template: Iterable[str], values: Values) -> Iterator[str]:
    """Line by line; a line that is one value alone gives as many lines as that has, none if it is empty."""
    for text in template:
        name = field_alone(text)
        if name:
            yield from values.lines(name)
        else:
            yield values.fill(text)
