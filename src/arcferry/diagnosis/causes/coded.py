"""Causes that a code tells: of the agent, an installer, Entra ID or Resource Manager, and which code wins.

A run often shows several codes for one failure: AuthorizationFailed inside AZCM0042, msiexec's 1618 behind
AZCM0149. The catalogue says which code yields to which; the most telling one is the cause, and the others are
evidence for it.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from arcferry import catalog
from arcferry.catalog import Carrier, Code
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.finding import Command, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case
from arcferry.evidence.document import NETWORK_ERROR, CodeSeen

Concerns = Callable[[Case], Sequence[Match]]
_CARRIERS = {
    "endpoint:entra": Carrier.ENTRA,
    "endpoint:arm": Carrier.ARM,
    "endpoint:regional": Carrier.REGIONAL,
}
_FAILURE = "failure"
_MOST_ASKED = 6


def known(seen: CodeSeen) -> Code | None:
    """The catalogue's entry of a code that was seen; None where it has none."""
    return catalog.code(seen.code) if catalog.is_code(seen.code) else None


def cause_of(seen: CodeSeen) -> str:
    """The slug that a code means, with the words beside it; empty where it does not tell."""
    code = known(seen)
    if code is None:
        return ""
    means_it = not code.only_with or re.search(code.only_with, seen.says) is not None
    return code.cause if means_it else ""


def _families(case: Case, *, besides: CodeSeen) -> set[str]:
    """The families of the causes that other codes tell, those codes left out that yield themselves."""
    own = cause_of(besides)
    found = set()
    for seen in case.codes:
        code, cause = known(seen), cause_of(seen)
        if code and cause and code.outcome == _FAILURE and cause != own and (not code.yields or not own):
            found.add(cause.partition("/")[0])
    return found


def _unreached(case: Case) -> set[str]:
    """What was not reached, in the words of `yields`."""
    failed = [seen for seen in case.attempts if not seen.reachable]
    found = {"download"} if any(seen.install for seen in failed) else set()
    for seen in failed:
        endpoint = catalog.endpoint_named(seen.host) if seen.host else None
        found |= {word for word, carrier in _CARRIERS.items() if endpoint and endpoint.carrier is carrier}
    return found


def _explained(seen: CodeSeen, case: Case) -> set[str]:
    """What explains a code better than it does itself; empty where nothing does."""
    code = known(seen)
    if code is None or not code.yields:
        return set()
    return set(code.yields) & (_families(case, besides=seen) | _unreached(case))


def _line(seen: CodeSeen) -> Evidence:
    code = known(seen)
    said = f"{seen.code}: {seen.says}".rstrip(": ")
    by_agent = code is None or code.family in ("agent", "install-script")
    return Evidence(seen.origin, f"the agent ended with {said}" if by_agent else said, seen.taken)


def _around(seen: CodeSeen, told: Iterable[CodeSeen]) -> Evidence:
    """The line of a code that yields; its words are left out where they are those of the telling one."""
    is_same = any(seen.says and seen.says in one.says for one in told)
    return (
        Evidence(seen.origin, f"the agent ended with {seen.code}, around it", seen.taken)
        if is_same
        else _line(seen)
    )


def _meaning(seen: CodeSeen) -> list[Evidence]:
    code = known(seen)
    return [Evidence(f"catalogue ({code.source})", f"{seen.code}: {code.meaning}")] if code else []


def _wrapped(family: str, case: Case) -> list[CodeSeen]:
    """The codes that yield to a cause of this family: the same failure, in less telling words."""
    return [seen for seen in case.codes if family in _explained(seen, case)]


def codes_of(slug: str, case: Case) -> list[CodeSeen]:
    """The codes that tell this cause, each once, those left out that something else explains."""
    told = [seen for seen in case.codes if cause_of(seen) == slug and not _explained(seen, case)]
    return list({(seen.code, seen.origin): seen for seen in told}.values())


def code_matches(slug: str, case: Case) -> tuple[Match, ...]:
    """One match for all codes that tell this cause, with the codes that it explains."""
    told = codes_of(slug, case)
    if not told:
        return ()
    wrapped = _wrapped(slug.partition("/")[0], case)
    lines = [_line(seen) for seen in told]
    for seen in {one.code: one for one in told}.values():
        lines += _meaning(seen)
    names = tuple(dict.fromkeys(seen.code for seen in told))
    return (Match(signature=names, evidence=(*lines, *(_around(seen, told) for seen in wrapped))),)


def leftover(case: Case) -> tuple[Match, ...]:
    """A match for every code that means no cause of its own, and that nothing explains."""
    found = {}
    for seen in reversed(case.codes):
        code = known(seen)
        is_failure = code is None or code.outcome == _FAILURE
        if seen.code == NETWORK_ERROR or cause_of(seen) or not is_failure or _explained(seen, case):
            continue
        severity = Severity.WARNING if code and code.family == "powershell" else None
        found[seen.code] = Match(
            signature=(seen.code,), evidence=(_line(seen), *_meaning(seen)), severity=severity
        )
    return tuple(found.values())


def said(group: Group) -> str:
    """What the codes of a finding said, to look names up in."""
    return "\n".join(line.says for line in group.match.evidence)


def advice(group: Group) -> tuple[str, ...]:
    """The catalogue's way out for each code of the finding."""
    codes = [catalog.code(name) for name in group.match.signature if catalog.is_code(name)]
    return tuple(dict.fromkeys(code.remedy for code in codes))


def asking(subject: str, group: Group, lines: Iterable[str]) -> str:
    """A request with what was seen beneath it."""
    seen = [
        f"- {line.origin}: {line.says}" for line in group.match.evidence if "catalogue" not in line.origin
    ]
    return letter(subject, [*lines, "", "What was seen:", *seen[:_MOST_ASKED]])


def coded(
    slug: str,
    title: str,
    owner: Owner,
    summary: str,
    *,
    steps: tuple[str, ...] = (),
    commands: Callable[[Group], tuple[Command, ...]] = lambda _: (),
    subject: str = "",
    ask: Callable[[Group], Sequence[str]] = lambda _: (),
    severity: Severity = Severity.ERROR,
    concerns: Concerns | None = None,
) -> Cause:
    """A cause that codes of the catalogue tell.

    `ask` gives the lines of the request; without a `subject` there is none, because its owner is the reader.
    `concerns` is for what more than codes tells; codes alone tell it otherwise.
    """

    def headline(group: Group) -> str:
        return f"{title} ({listed(group.match.signature)})" if group.match.signature else title

    def remedy(group: Group) -> Remedy:
        return Remedy(
            summary,
            tuple(dict.fromkeys((*advice(group), *steps))),
            commands(group),
            asking(subject, group, ask(group)) if subject else "",
        )

    def from_codes(case: Case) -> Sequence[Match]:
        return code_matches(slug, case)

    return Cause(
        slug=slug,
        title=title,
        severity=severity,
        owner=owner,
        headline=headline,
        concerns=concerns or from_codes,
        remedy=remedy,
    )
