"""Causes that a code tells: of the agent, an installer, Entra ID or Resource Manager, and which code wins.

A run often shows several codes for one failure: AuthorizationFailed inside AZCM0042, msiexec's 1618 behind
AZCM0149. The catalogue says which code yields to which; the most telling one is the cause, and the others are
evidence for it.
"""

import re
from collections.abc import Iterable
from functools import partial

from arcferry import catalog
from arcferry.catalog import Carrier, Code
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Evidence, Owner, Severity
from arcferry.diagnosis.rule import Cause, Line, Match, case_cause, cause, line
from arcferry.evidence.case import NETWORK_ERROR, Case, CodeSeen
from arcferry.probe.observation import Stage

_CARRIERS = {
    "endpoint:entra": Carrier.ENTRA,
    "endpoint:arm": Carrier.ARM,
    "endpoint:regional": Carrier.REGIONAL,
}
_FAILURE = "failure"
_WORDS = "words"
_GENERAL_FAMILIES = ("agent", "install-script", "msiexec", "msi-error", "powershell")
_GENERAL = (
    "",
    "agent/local-error",
    "install/failed",
    "install/package-unusable",
    "install/service-not-started",
)
"""Causes that say no more than where something failed; words beside them say what."""
_OWNERS = {"auth": Owner.IDENTITY, "arm": Owner.AZURE, "network": Owner.NETWORK}


def cause_of(seen: CodeSeen) -> str:
    """The slug that a code means, with the words beside it; empty if it does not tell."""
    code = catalog.known_code(seen.code)
    return code.cause if code and re.search(code.only_with, seen.says) else ""


def _families(case: Case, *, besides: CodeSeen) -> set[str]:
    """The families of the causes that other codes tell, those codes left out that yield themselves."""
    own = cause_of(besides)
    found = set()
    for seen in case.codes:
        code, cause = catalog.known_code(seen.code), cause_of(seen)
        if code and cause and code.outcome == _FAILURE and cause != own and (not code.yields or not own):
            found.add(cause.partition("/")[0])
    return found


def _unreached(case: Case) -> set[str]:
    """What was not reached, in the words of `yields`."""
    failed = [seen for seen in case.attempts if not seen.reachable]
    found = {"download"} if any(seen.install for seen in failed) else set()
    found |= {"endpoint"} if failed else set()
    for seen in failed:
        endpoint = catalog.endpoint_named(seen.host) if seen.host else None
        found |= {word for word, carrier in _CARRIERS.items() if endpoint and endpoint.carrier is carrier}
    return found


def _explained(seen: CodeSeen, case: Case) -> set[str]:
    """What explains a code better than it does itself; empty if nothing does."""
    code = catalog.known_code(seen.code)
    if code is None:
        return set()
    by_words = {cause_of(other).partition("/")[0] for other in words_told(case) if _beats(other, seen, code)}
    return (set(code.yields) & (_families(case, besides=seen) | _unreached(case))) | by_words


def words_told(case: Case) -> tuple[CodeSeen, ...]:
    """The printed words of the case that mean a cause."""
    known = ((seen, catalog.known_code(seen.code)) for seen in case.codes)
    return tuple(seen for seen, code in known if code and code.family == _WORDS and code.cause)


def _beats(words: CodeSeen, seen: CodeSeen, code: Code) -> bool:
    """Whether printed words say more than a code of the same document: it is general, or they explain it."""
    known = catalog.known_code(words.code)
    if known is None or words.origin != seen.origin or seen.code in known.beats:
        return known is not None and words.origin == seen.origin
    return code.family in _GENERAL_FAMILIES and code.cause in _GENERAL


def named_by_words(slug: str, destination: Destination, case: Case) -> Match | None:
    """A match if printed words that mean this cause name the endpoint."""
    seen = [one for one in words_told(case) if cause_of(one) == slug and destination.host in one.hosts]
    if not seen or not destination.failed:
        return None
    lines = (*map(_ended, seen), *(line for one in seen[:1] for line in _meaning(one)))
    return Match(signature=(seen[0].code,), evidence=lines)


def _ended(seen: CodeSeen) -> Line | Evidence:
    """The agent's own code is what it ended with; another stands in what was handed in."""
    code = catalog.known_code(seen.code)
    if code is None or code.family in ("agent", "install-script"):
        return line(seen.origin, "ended", seen.taken, said=seen.with_words)
    return Evidence(seen.origin, seen.with_words, seen.taken)


def _around(seen: CodeSeen, told: Iterable[CodeSeen]) -> Line | Evidence:
    """The line of a code that yields; its words are left out where they are those of the telling one."""
    if any(seen.says and seen.says in one.says for one in told):
        return line(seen.origin, "ended_around", seen.taken, code=seen.code)
    return _ended(seen)


def _meaning(seen: CodeSeen) -> tuple[Line, ...]:
    code = catalog.known_code(seen.code)
    if code is None:
        return ()
    return (line("", "code_means", source=code.source, code=seen.code, meaning=catalog.told(code).meaning),)


def code_matches(slug: str, case: Case) -> tuple[Match, ...]:
    """One match for all codes that tell this cause, with the codes that it explains.

    Codes that something else explains are left out; those that yield to a cause of this family are the same
    failure in less telling words.
    """
    seen_so = [seen for seen in case.codes if cause_of(seen) == slug and not _explained(seen, case)]
    told = {(seen.code, seen.origin): seen for seen in seen_so}.values()
    if not told:
        return ()
    by_code = {seen.code: seen for seen in told}
    meanings = [line for seen in by_code.values() for line in _meaning(seen)]
    family = slug.partition("/")[0]
    around = [_around(seen, told) for seen in case.codes if family in _explained(seen, case)]
    return (Match(signature=tuple(by_code), evidence=(*map(_ended, told), *meanings, *around)),)


def coded(slug: str, owner: Owner, severity: Severity = Severity.ERROR) -> Cause:
    """A cause that codes of the catalogue alone tell."""
    return Cause(slug, owner, severity, of_case=partial(code_matches, slug))


@cause("install/download-refused", Owner.SERVER)
def download_refused(destination: Destination, _: Case) -> Match | None:
    """An HTTP error in answer to the download."""
    if destination.stage is not Stage.HTTP or not destination.kind.startswith("http-"):
        return None
    status = destination.kind.removeprefix("http-")
    return Match(signature=(destination.kind,), values={"status": status})


@case_cause("install/agent-code", Owner.SERVER)
def agent_code(case: Case) -> Iterable[Match]:
    """Each code that means no cause of its own and that nothing explains, with its phase's owner."""
    found = {}
    for seen in reversed(case.codes):
        code = catalog.known_code(seen.code)
        is_failure = code is None or code.outcome == _FAILURE
        if seen.code == NETWORK_ERROR or cause_of(seen) or not is_failure or _explained(seen, case):
            continue
        is_entra = seen.code.startswith("AADSTS")
        phase = code.phase if code else "auth" if is_entra else ""
        told = catalog.told(code) if code else None
        found[seen.code] = Match(
            signature=(seen.code,),
            evidence=(_ended(seen), *_meaning(seen)),
            severity=Severity.WARNING if code and code.family == "powershell" else None,
            owner=_OWNERS.get(phase, Owner.SERVER),
            values={
                "code": seen.code,
                "known": code is not None,
                "listed": "yes" if code else "entra" if is_entra else "no",
                "number": seen.code.removeprefix("AADSTS"),
                "retry": code is not None and code.retry,
                "means": told.meaning.rstrip(".。") if told else "",
                "remedy": told.remedy if told else "",
            },
        )
    return found.values()


@cause("agent/faulty-release", Owner.SERVER)
def faulty_release(destination: Destination, case: Case) -> Match | None:
    """Words and a version for which a fault of the agent itself is known."""
    return named_by_words("agent/faulty-release", destination, case)


CODED = (
    coded("agent/not-elevated", Owner.SERVER),
    coded("agent/already-connected", Owner.SERVER, Severity.WARNING),
    coded("agent/local-error", Owner.SERVER),
    coded("agent/bad-argument", Owner.SERVER),
    coded("agent/program-not-started", Owner.SERVER),
    coded("agent/no-host-name", Owner.SERVER),
    coded("agent/folder-not-accessible", Owner.SERVER),
    coded("agent/not-installed", Owner.SERVER),
    coded("install/repository-key", Owner.SERVER),
    coded("install/package-not-found", Owner.SERVER),
    coded("install/extension-service", Owner.SERVER),
    coded("signin/secret-not-decrypted", Owner.SERVER),
    coded("clock/not-synchronized", Owner.SERVER, Severity.WARNING),
    coded("arm/machine-not-created", Owner.AZURE),
    coded("install/another-in-progress", Owner.SERVER),
    coded("install/restart-needed", Owner.SERVER, Severity.INFO),
    coded("install/disk-full", Owner.SERVER),
    coded("install/package-unusable", Owner.SERVER),
    coded("install/not-allowed", Owner.SERVER),
    coded("install/service-not-started", Owner.SERVER),
    coded("install/failed", Owner.SERVER),
    coded("install/unsupported-system", Owner.SERVER),
    coded("install/on-azure-vm", Owner.SERVER),
    coded("signin/secret-invalid", Owner.IDENTITY),
    coded("signin/secret-expired", Owner.IDENTITY),
    coded("signin/wrong-tenant", Owner.IDENTITY),
    coded("signin/application-unknown", Owner.IDENTITY),
    coded("signin/conditional-access", Owner.IDENTITY),
    coded("signin/tenant-restricted", Owner.NETWORK),
    coded("signin/certificate-not-found", Owner.IDENTITY),
    coded("signin/token-rejected", Owner.IDENTITY),
    coded("signin/timed-out", Owner.SERVER),
    coded("arm/not-authorized", Owner.AZURE),
    coded("arm/provider-not-registered", Owner.AZURE),
    coded("arm/name-taken", Owner.AZURE),
    coded("arm/name-reserved", Owner.SERVER),
    coded("arm/region-not-available", Owner.AZURE),
    coded("arm/policy-forbids", Owner.AZURE),
    coded("arm/locked", Owner.AZURE),
    coded("arm/limit-reached", Owner.AZURE),
    coded("arm/group-missing", Owner.AZURE),
    coded("arm/subscription-unusable", Owner.AZURE),
    coded("arm/throttled", Owner.SERVER),
    coded("arm/unavailable", Owner.AZURE),
)
"""Causes that codes alone tell."""
