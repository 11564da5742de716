"""The first sentence of a page: what is wrong and who can change it, or that all is well."""

from collections.abc import Sequence

from arcferry.language import translated
from arcferry.report.page.documents import Written
from arcferry.report.page.page import RANK, Answer, Cause, Level, Standing
from arcferry.report.page.words import Words


def answer(documents: Sequence[Written], causes: Sequence[Cause], words: Words) -> Answer:
    """The gravest cause; without one, how the worst document stands.

    Never an all-clear over a failure: a cause that is an error, or a document that tells of a host or an
    endpoint that is not as it should be, decides how the whole stands. What servers reach that tried since is
    told as of its day, and is no failure any more where they are those that it was told of.
    """
    errors = [one for one in causes if one.level == "FAIL"]
    lost = any(one.endpoints and not one.again for one in errors)
    standings = tuple(_standing(one, words, lost=lost) for one in documents)
    worst = min(standings, key=lambda one: RANK[one.level])
    if errors:
        first = errors[0]
        act = words("answer.act", team=words.of("owners", first.owner), summary=first.summary)
        mended = all(map(_mended, errors)) and not _fails_otherwise(documents, standings)
        return Answer(
            level="warn" if mended else "FAIL",
            says=_sentence(words.was(first), words),
            more=_further(causes, words),
            act=words.reached_again(first.again) if first.again else act if first.owner else "",
            standings=standings,
        )
    level: Level = (
        "warn" if worst.level == "ok" and any(one.level == "warn" for one in causes) else worst.level
    )
    says = worst.says if level != "ok" else words("answer.all_good", says=worst.says)
    act = words("answer.act_filter") if any(one.changes for one in documents) else ""
    return Answer(level, _sentence(says, words), "", act, standings)


def _mended(cause: Cause) -> bool:
    """Whether the servers that it was told of reach again what it cut off; others may stand elsewhere."""
    return bool(cause.again and cause.hosts.count)


def _fails_otherwise(documents: Sequence[Written], standings: Sequence[Standing]) -> bool:
    """Whether a document stands badly that tells of no error, and so of something else."""
    return any(
        standing.level == "FAIL" and not any(one.severity == "error" for one in document.findings)
        for document, standing in zip(documents, standings, strict=True)
    )


def _further(causes: Sequence[Cause], words: Words) -> str:
    more = len(causes) - 1
    return words("answer.more_one") if more == 1 else words("answer.more", count=more) if more else ""


def _sentence(text: str, words: Words) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.。')}{words('labels.full_stop')}"


def _standing(document: Written, words: Words, *, lost: bool) -> Standing:
    """How a document stands; beside names that are `lost`, with what a machine's Connected does not tell."""
    level, says = _STANDINGS[document.kind](document, words)
    if lost and level == "ok" and document.kind == "verification":
        says = words("answer.heartbeats", says=says)
    return Standing(level, words.of("kinds", document.kind), says, document.day)


def _check(document: Written, words: Words) -> tuple[Level, str]:
    required = [one for one in document.endpoints if one.required]
    reached = sum(one.reachable for one in required)
    says = words("answer.check", reached=reached, all=len(required), who=words("labels.here"))
    return _all(reached, len(required)), says


def _findings(document: Written, words: Words) -> tuple[Level, str]:
    severities = [one.severity for one in document.findings]
    errors, warnings = severities.count("error"), severities.count("warning")
    key = f"findings_{document.outcome or 'findings'}"
    level: Level = "FAIL" if errors else "warn" if warnings else "ok"
    if document.outcome in ("nothing-tried", "not-understood"):
        level = "unknown"
    if key in words.table["answer"]:
        return level, words(f"answer.{key}")
    notes = len(severities) - errors - warnings
    counts = (("errors", errors), ("warnings", warnings), ("notes", notes))
    told = [
        words(f"answer.{word}_one" if count == 1 else f"answer.{word}", count=count)
        for word, count in counts
        if count
    ]
    return level, words("labels.comma").join(told) or words("answer.none")


def _audit(document: Written, words: Words) -> tuple[Level, str]:
    paths = [one.path for one in document.endpoints if one.required]
    there, missing = paths.count("there"), paths.count("missing")
    unknown = len(paths) - there - missing
    says = words("answer.audit", there=there, all=len(paths), missing=missing, unknown=unknown)
    return "FAIL" if missing else "unknown" if unknown or not paths else "ok", says


def _plan(document: Written, words: Words) -> tuple[Level, str]:
    values = {"all": len(document.communities), "location": document.location}
    lacking = [one for one in document.communities if one.in_filter is False]
    if lacking:
        names = ", ".join(f"{one.value} ({one.name})" if one.name else one.value for one in lacking)
        return "FAIL", words("answer.plan_lacks", count=len(lacking), names=names, **values)
    if any(one.in_filter is None for one in document.communities):
        return "unknown", words("answer.plan_alone", **values)
    return "ok", words("answer.plan_good", **values)


def _run(document: Written, words: Words) -> tuple[Level, str]:
    good = sum(one.outcome == "connected" for one in document.hosts)
    says = words("answer.run", good=good, all=len(document.hosts), run=document.run)
    return _all(
        good, len(document.hosts)
    ), f"{says}; {translated(document.refusal)}" if document.refusal else says


def _runs(document: Written, words: Words) -> tuple[Level, str]:
    if not document.runs:
        return "unknown", words("answer.no_runs")
    newest = document.runs[0]
    good = sum(one.state == "connected" for one in newest.hosts)
    state = words.of("states", newest.state)
    says = words("answer.runs", good=good, all=newest.hosts_total, run=newest.run, state=state)
    level = _all(good, newest.hosts_total)
    return "warn" if level == "FAIL" and newest.state == "running" else level, says


def _collected(document: Written, words: Words) -> tuple[Level, str]:
    good, missing = sum(one.outcome == "connected" for one in document.hosts), len(document.missing)
    key = "answer.collected_missing" if missing else "answer.collected"
    says = words(key, good=good, all=len(document.hosts), missing=missing)
    return "FAIL" if missing else _all(good, len(document.hosts)), says


def _verification(document: Written, words: Words) -> tuple[Level, str]:
    rows = [one for one in document.machines if not one.extra]
    good = sum(bool(one.good) for one in rows)
    says = words("answer.verification", good=good, all=len(rows))
    if not document.whole:
        return "FAIL" if good < len(rows) else "unknown", words("answer.not_whole", says=says)
    return _all(good, len(rows)), says


def _watch(document: Written, words: Words) -> tuple[Level, str]:
    newest = {one.host: one for one in document.reach}
    reached = sum(bool(one.reached) for one in newest.values())
    day = words.day(document.last)
    return _all(reached, len(newest)), words("answer.watch", reached=reached, all=len(newest), day=day)


def _all(good: int, count: int) -> Level:
    return "unknown" if not count else "ok" if good >= count else "FAIL"


_STANDINGS = {
    "check": _check,
    "findings": _findings,
    "audit": _audit,
    "route-plan": _plan,
    "run": _run,
    "runs": _runs,
    "collected": _collected,
    "verification": _verification,
    "watch-history": _watch,
}
