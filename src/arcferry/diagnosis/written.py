"""A finding in words: the entry of its cause with its named values, and who says what of its endpoints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from arcferry.command_line import line
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Evidence, Finding, Remedy, Severity
from arcferry.diagnosis.names import affected, community_name, day, listed, named, said_of
from arcferry.diagnosis.rule import Cause, Match
from arcferry.diagnosis.values import Values
from arcferry.diagnosis.words import Piece, entry, family, field_alone, fields, filled
from arcferry.evidence.case import NETWORK_ERROR, Case
from arcferry.language import translated
from arcferry.probe.observation import Attempt, DnsAnswer
from arcferry.routing.azure_json import ServiceTags
from arcferry.routing.coverage import Coverage
from arcferry.routing.route_filter import RouteFilter
from arcferry.times import at_midnight

_MOST_CHAINS = 6


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
        steps=tuple(
            dict.fromkeys(
                step for piece in words.steps if values.has(piece.when) for step in _texts(piece.text, values)
            )
        ),
        commands=tuple(
            one for piece in words.commands if values.has(piece.when) for one in _commands(piece, values)
        ),
        request="\n".join(
            text
            for template in words.request.text.splitlines()
            if values.has(words.request.when)
            for text in _texts(template, values)
        ),
        to=words.to,
    )


def _texts(template: str, values: Values) -> tuple[str, ...]:
    """A step, or a line of a letter; one value alone gives as many as that has, none if it is empty."""
    name = field_alone(template)
    return values.lines(name) if name else (values.fill(template),)


def _commands(piece: Piece, values: Values) -> Iterable[Command]:
    if not piece.tool:
        found = values[field_alone(piece.text)]
        return [one for one in found if isinstance(one, Command)] if isinstance(found, tuple) else ()
    if not piece.each:
        return (_command(piece, values),)
    several = values[piece.each]
    texts = several if isinstance(several, tuple) else (several,)
    each = (replace(values, more={**values.more, piece.each: str(text)}) for text in texts)
    return [_command(piece, one) for one in each]


def _command(piece: Piece, values: Values) -> Command:
    words = {name: values.word(name) for name in fields(piece.text)}
    return Command(piece.tool, line(piece.text, **words), piece.does)


def evidence_of(
    destinations: Iterable[Destination], case: Case, *, routed: bool, halts: bool = False
) -> tuple[Evidence, ...]:
    """Every line, each once: what was seen, which codes go with it, what was answered and where that lies.

    Args:
        destinations: the endpoints of the finding.
        case: everything that was handed in.
        routed: whether DNS answers, tags, lists, filter and routes belong to it.
        halts: whether the finding is that nothing comes or comes back, whatever the filter allows.
    """
    found = tuple(destinations)
    lines = [*_attempted(found), *_coded(found, case)]
    if routed:
        lines += [_answered(answer) for one in found for answer in one.answers][:_MOST_CHAINS]
        lines += [line for one in found for line in _covered(one.coverage, halts=halts)]
    return tuple(dict.fromkeys(lines))


def says(key: str, **values: str) -> str:
    """The words of a line that any cause may have."""
    words: Mapping[str, str] = family("common")["evidence"]
    return filled(words[key], values.__getitem__)


def _attempted(destinations: Iterable[Destination]) -> list[Evidence]:
    """One line for all endpoints of which one document says the same."""
    lines: dict[tuple[str, str, datetime | None], list[str]] = {}
    for one in destinations:
        for seen in one.attempts:
            key = (seen.origin, _what_was_seen(seen), seen.taken)
            lines.setdefault(key, []).append(named(one))
    return [
        Evidence(origin, said_of(listed(hosts), seen), taken)
        for (origin, seen, taken), hosts in lines.items()
    ]


def _what_was_seen(seen: Attempt) -> str:
    if seen.reachable:
        text = says("reached")
    elif seen.failure and seen.failure.says:
        text = translated(seen.failure.says)
    else:
        text = says("not_downloaded" if seen.install else "not_reached")
    return text + (says("proxied") if seen.proxied else "")


def _coded(destinations: Iterable[Destination], case: Case) -> list[Evidence]:
    """The agent's exit codes that go with these endpoints."""
    hosts = {one.host for one in destinations}
    return [
        Evidence(code.origin, says("ended", said=code.with_words), code.taken)
        for code in case.codes
        if hosts & set(code.hosts) or (code.code == NETWORK_ERROR and not code.hosts)
    ]


def _answered(answer: DnsAnswer) -> Evidence:
    gives = listed(answer.addresses) if answer.addresses else (answer.rcode or says("no_address"))
    asked = says("resolver_answers", resolver=answer.resolver) if answer.resolver else says("answer_is")
    through = says("through", chain=" -> ".join(answer.chain)) if answer.chain else ""
    return Evidence(answer.origin, said_of(answer.host, f"{asked} {gives}{through}"), answer.taken)


def _covered(found: Coverage, *, halts: bool) -> Iterable[Evidence]:
    """Where an address lies, by name, tags, list, filter and routes received, and where these disagree."""
    if found.by_name:
        key = "name_and_community" if found.community else "name_without_community"
        text = says(key, region=found.region, community=community_name(found.community))
        yield Evidence(says("dns_answer"), text)
    if found.tags:
        yield Evidence(found.tags.name, _by_tags(found, found.tags), at_midnight(found.tags.taken))
    if found.community_list:
        known = found.community_list
        entries = [f"{one.value} ({one.name}, {one.prefix})" for one in known.containing(found.address)]
        where = listed(entries) if entries else says("no_entry")
        text = says("in_list", address=found.address, entries=where, day=day(known.taken))
        yield Evidence(known.name, text, at_midnight(known.taken))
    if found.route_filter:
        text = _by_filter(found, found.route_filter, halts=halts)
        yield Evidence(found.route_filter.origin, text, at_midnight(found.route_filter.taken))
    if found.received.table:
        yield Evidence(found.received.table.name, found.received.says, found.received.table.taken)
    for conflict in found.conflicts:
        yield Evidence(says("disagree"), conflict)


def _by_tags(found: Coverage, tags: ServiceTags) -> str:
    asof = tags.taken.isoformat() if tags.taken else says("change", number=str(tags.change_number))
    if found.service_tag and (found.by_name or found.is_in_an_unnamed_region):
        key = "in_tag_alone"
    elif not found.service_tag:
        key = "in_no_tag"
    else:
        key = "in_tag_and_region" if found.region else "in_tag"
    return says(key, address=found.address, tag=found.service_tag, region=found.region, day=asof)


def _by_filter(found: Coverage, allowing: RouteFilter, *, halts: bool) -> str:
    holds = listed(allowing.allowed, most=40) if allowing.communities else says("no_community")
    if found.allowed_by:
        community = community_name(found.allowed_by[0])
        if halts:
            return says("allows", filter=allowing.name, communities=community)
        return says("allows_it", filter=allowing.name, community=community)
    if found.candidates:
        wanted = community_name(found.candidates[0])
        return says("allows_others", filter=allowing.name, communities=holds, community=wanted)
    return says("allows", filter=allowing.name, communities=holds)
