"""The evidence lines of a finding: who says what of its endpoints, and as of when."""

from collections.abc import Iterable
from datetime import datetime

from arcferry.diagnosis.causes.cause import Group, named
from arcferry.diagnosis.causes.filter_change import communities_after
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Evidence
from arcferry.diagnosis.wording import community_name, listed
from arcferry.evidence.case import at_midnight
from arcferry.evidence.document import NETWORK_ERROR, Attempt
from arcferry.probe.observation import DnsAnswer
from arcferry.routing.coverage import Coverage

_MOST_CHAINS = 6


def _what_was_seen(seen: Attempt) -> str:
    if seen.reachable:
        return "reached"
    if seen.failure and seen.failure.says:
        return seen.failure.says
    return "could not be downloaded from" if seen.install else "not reachable"


def sighted(facts: Iterable[Destination]) -> list[Evidence]:
    """One line for all endpoints of which one document says the same."""
    lines: dict[tuple[str, str, datetime | None], list[str]] = {}
    for one in facts:
        for seen in one.attempts:
            proxied = " (through a proxy)" if seen.proxied else ""
            key = (seen.origin, _what_was_seen(seen) + proxied, seen.taken)
            lines.setdefault(key, []).append(named(one))
    return [
        Evidence(origin, f"{listed(hosts)}: {says}", taken) for (origin, says, taken), hosts in lines.items()
    ]


def _answer(answer: DnsAnswer) -> Evidence:
    through = f" through {' -> '.join(answer.chain)}" if answer.chain else ""
    asked = f"resolver {answer.resolver} answers" if answer.resolver else "the answer is"
    gives = listed(answer.addresses) if answer.addresses else (answer.rcode or "no address")
    return Evidence(answer.origin, f"{answer.host}: {asked} {gives}{through}", answer.taken)


def answered(facts: Iterable[Destination]) -> list[Evidence]:
    """What the resolvers answered, with the chain."""
    return [_answer(answer) for one in facts for answer in one.answers][:_MOST_CHAINS]


def _by_tags(coverage: Coverage) -> Evidence | None:
    tags, found = coverage.tags, coverage
    if tags is None:
        return None
    asof = tags.taken.isoformat() if tags.taken else f"change {tags.change_number}"
    if found.service_tag and (coverage.by_name or coverage.is_in_an_unnamed_region):
        says = f"{found.address} is in {found.service_tag} alone, which names no region, as of tags of {asof}"
    elif not found.service_tag:
        says = f"{found.address} is in no service tag, as of tags of {asof}"
    else:
        where = f", region {found.region}" if found.region else ""
        says = f"{found.address} is in {found.service_tag}{where}, as of tags of {asof}"
    return Evidence(tags.name, says, at_midnight(tags.taken))


def _by_list(coverage: Coverage) -> Evidence | None:
    known, found = coverage.community_list, coverage
    if known is None:
        return None
    entries = known.containing(found.address)
    where = (
        listed([f"{entry.value} ({entry.name}, {entry.prefix})" for entry in entries])
        if entries
        else "no entry"
    )
    asof = known.taken.isoformat() if known.taken else "an unknown day"
    return Evidence(
        known.name, f"{found.address} is in {where}, as of the list of {asof}", at_midnight(known.taken)
    )


def _by_filter(coverage: Coverage) -> Evidence | None:
    if coverage.route_filter is None:
        return None
    allowing, found = coverage.route_filter, coverage
    holds = (
        listed(communities_after(coverage.route_filter, ()), most=40)
        if allowing.communities
        else "no community at all"
    )
    wanted = found.allowed_by or found.candidates
    if found.allowed_by:
        says = f"{allowing.name} allows {community_name(wanted[0])}, so the address is expected to be carried"
    elif wanted:
        says = f"{allowing.name} allows {holds}; {community_name(wanted[0])} is not among them"
    else:
        says = f"{allowing.name} allows {holds}"
    return Evidence(coverage.route_filter.origin, says, at_midnight(coverage.route_filter.taken))


def _by_name(coverage: Coverage) -> Evidence | None:
    if not coverage.by_name:
        return None
    found = coverage
    carried = community_name(found.community) if found.community else "which has no documented community"
    return Evidence("DNS answer", f"a name in the answer says region {found.region}, {carried}")


def _by_table(coverage: Coverage) -> Evidence | None:
    received = coverage.received
    return Evidence(received.table.name, received.says, received.table.taken) if received.table else None


def placed(facts: Iterable[Destination]) -> list[Evidence]:
    """Where the addresses lie, by tags, list, filter and routes received, and where these disagree."""
    found: list[Evidence] = []
    for one in facts:
        if one.coverage is None:
            continue
        lines = [read(one.coverage) for read in (_by_name, _by_tags, _by_list, _by_filter, _by_table)]
        found += [line for line in lines if line]
        found += [Evidence("sources disagree", says) for says in one.coverage.conflicts]
    return found


def coded(group: Group) -> list[Evidence]:
    """The agent's exit codes that go with these endpoints."""
    hosts = {one.host for one in group.facts}
    return [
        Evidence(code.origin, f"the agent ended with {code.code}: {code.says}".rstrip(": "), code.taken)
        for code in group.case.codes
        if hosts & set(code.hosts) or (code.code == NETWORK_ERROR and not code.hosts)
    ]


def evidence_of(group: Group, *, routed: bool) -> tuple[Evidence, ...]:
    """Every line of a finding, each once: what was seen and answered, where that lies, what else there is."""
    routed_lines = [*answered(group.facts), *placed(group.facts)] if routed else []
    lines = [*sighted(group.facts), *coded(group), *routed_lines, *group.match.evidence]
    return tuple(dict.fromkeys(lines))
