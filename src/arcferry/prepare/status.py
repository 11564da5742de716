"""What of the letters is proved by now, by the documents that check, preflight and audit wrote."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from arcferry.prepare.documents import Check, Endpoint, Seen
from arcferry.text import one_line

_MOST_NAMED = 3
_KNOWN = ("there", "missing")


class Answer(StrEnum):
    """Whether what a letter asks for is there."""

    PROVED = "proved"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a letter asks for.

    Attributes:
        letter: the slug of the letter.
        slug: of the item; the words of each language say what it is.
        because: what the answer rests on, or what would decide.
        proof: the name of the command that proves it, as the letters have it.
    """

    letter: str
    slug: str
    answer: Answer
    because: str
    proof: str


@dataclass(frozen=True, slots=True)
class Status:
    """Every item, in the order of the letters."""

    items: tuple[Item, ...]

    @property
    def wrong(self) -> bool:
        """Whether something that a letter asks for is seen to be missing."""
        return any(item.answer is Answer.MISSING for item in self.items)


_Found = tuple[Answer, str]
_Rule = tuple[str, str, str, Callable[[Seen], _Found]]


def status(seen: Seen) -> Status:
    """Each item with its answer."""
    return Status(tuple(Item(letter, slug, *rule(seen), proof) for letter, slug, proof, rule in _RULES))


def _path(seen: Seen) -> _Found:
    if seen.check is None:
        return _not_handed_in("check.json")
    failed = [one for one in seen.check.required if not one.reachable]
    if failed:
        titles = seen.audit.titles if seen.audit else ()
        return Answer.MISSING, _named("not reached:", failed, titles or seen.check.titles)
    return Answer.PROVED, f"all {len(seen.check.required)} reached {seen.check.when}"


def _routes(seen: Seen) -> _Found:
    if seen.audit is None:
        return _not_handed_in("audit.json")
    rows = [row for row in seen.audit.endpoints if row.required]
    unknown = [row.host for row in rows if row.path not in _KNOWN]
    if missing := seen.audit.cut_off:
        return Answer.MISSING, one_line("; ".join((f"no path to {_listed(missing)}", *seen.audit.titles[:1])))
    if unknown or not rows:
        return Answer.UNKNOWN, f"not known for {_listed(unknown)}" if unknown else "the audit has no rows"
    return Answer.PROVED, f"a path to all {len(rows)}"


def _names(seen: Seen) -> _Found:
    if seen.check is None:
        return _not_handed_in("check.json")
    if failed := [one for one in seen.check.required if one.failed_in == "dns"]:
        return Answer.MISSING, _named("no answer for", failed)
    if by_proxy := [one for one in seen.check.required if one.dns is None]:
        return Answer.UNKNOWN, _named("no resolver was asked for", by_proxy)
    return Answer.PROVED, f"all {len(seen.check.required)} {seen.check.when}"


def _stage(*stages: str) -> Callable[[Seen], _Found]:
    """Whether no required name failed in these stages; what failed before, or has no path, was not tested."""

    def rule(seen: Seen) -> _Found:
        if seen.check is None:
            return _not_handed_in("check.json")
        cut_off = seen.audit.cut_off if seen.audit else ()
        failed = [one for one in seen.check.required if not one.reachable]
        if of := [one for one in failed if one.failed_in in stages and one.host not in cut_off]:
            return Answer.MISSING, _named(f"{of[0].failed_in} failed for", of)
        if failed:
            why = "no path" if all(one.host in cut_off for one in failed) else "it failed before"
            return Answer.UNKNOWN, f"{_named('not tested for', failed)}: {why}"
        return Answer.PROVED, f"all {len(seen.check.required)} {seen.check.when}"

    return rule


def _tls(seen: Seen) -> _Found:
    if seen.check is None:
        return _not_handed_in("check.json")
    opened = [finding.title for finding in seen.check.findings if finding.cause.startswith("tls/")]
    return (Answer.MISSING, one_line(opened[0], limit=200)) if opened else _stage("tls")(seen)


def _preflight(pattern: str, *, rest: str = "") -> Callable[[Seen], _Found]:
    """The checks of a family: whose names match, and none of what matches `rest`."""

    def rule(seen: Seen) -> _Found:
        if seen.preflight is None:
            return _not_handed_in("preflight.json")
        mine = [
            one
            for one in seen.preflight.checks
            if re.search(pattern, one.name) and not (rest and re.search(rest, one.name))
        ]
        for answer, those in ((Answer.MISSING, _wrong(mine)), (Answer.UNKNOWN, _open(mine))):
            if told := list(those):
                return answer, one_line("; ".join(told), limit=300)
        if not mine:
            return Answer.UNKNOWN, "the preflight did not look"
        return Answer.PROVED, one_line("; ".join(one.says for one in mine), limit=300)

    return rule


def _wrong(checks: Iterable[Check]) -> Iterator[str]:
    return (one.says for one in checks if one.answer not in {"ok", "warning", "unknown"})


def _open(checks: Iterable[Check]) -> Iterator[str]:
    return (one.says for one in checks if one.answer == "unknown")


def _elsewhere(says: str) -> Callable[[Seen], _Found]:
    """What none of the three documents can tell."""
    return lambda _: (Answer.UNKNOWN, says)


def _not_handed_in(name: str) -> _Found:
    return Answer.UNKNOWN, f"no {name} was handed in"


def _named(what: str, endpoints: Sequence[Endpoint], titles: Sequence[str] = ()) -> str:
    told = f"{what} {_listed([one.host or 'the regional host' for one in endpoints])}"
    return one_line("; ".join((told, *titles[:1])), limit=300)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


_FAMILIES = _SIGN_IN, _CREDENTIAL, _GROUP, _PROVIDER, _RIGHT = (
    "sign-in|token",
    "credential|secret|certificate",
    "subscription|group",
    "provider",
    "right|permission",
)
_RULES: tuple[_Rule, ...] = (
    ("network", "path", "check", _path),
    ("network", "routes", "audit", _routes),
    ("firewall-and-dns", "names", "resolver", _names),
    ("firewall-and-dns", "ports", "check", _stage("tcp", "proxy")),
    ("firewall-and-dns", "tls", "check", _tls),
    ("identity", "sign-in", "preflight", _preflight(_SIGN_IN)),
    ("identity", "credential", "preflight", _preflight(_CREDENTIAL)),
    ("identity", "group", "preflight", _preflight(_GROUP)),
    ("identity", "providers", "preflight", _preflight(_PROVIDER)),
    ("identity", "rights", "preflight", _preflight(_RIGHT)),
    ("identity", "place", "preflight", _preflight("", rest="|".join(_FAMILIES))),
    ("file-share-and-group-policy", "results", "collect", _elsewhere("the results on the share tell")),
    ("security", "seal", "verify", _elsewhere("verifying the bundle tells")),
    ("security", "assigned", "who", _elsewhere("a person has to look")),
)
