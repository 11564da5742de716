"""Downloads that are refused, and runs of the agent or its installer that end with a code."""

from arcferry import catalog
from arcferry.catalog import Code
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.document import NETWORK_ERROR, CodeSeen
from arcferry.diagnosis.facts import Facts
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Finding, Owner, Remedy, Severity
from arcferry.diagnosis.material import Material
from arcferry.diagnosis.wording import letter
from arcferry.errors import UnknownNameError
from arcferry.probe.observation import Stage

_OWNERS = {"auth": Owner.IDENTITY, "arm": Owner.AZURE, "network": Owner.NETWORK}


def _download_refused(facts: Facts, _: Material) -> Match | None:
    failure = facts.failure
    if failure is None or failure.stage is not Stage.HTTP or not failure.kind.startswith("http-"):
        return None
    return Match(signature=(failure.kind,))


def _status(group: Group) -> str:
    failure = group.first.failure
    return failure.kind.removeprefix("http-") if failure else "an error"


DOWNLOAD_REFUSED = Cause(
    slug="install/download-refused",
    title="The download's server, or something in its place, answers with an error",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_download_refused,
    headline=lambda group: f"{group.subject} answers the download with HTTP {_status(group)}",
    remedy=lambda group: Remedy(
        summary="Install from the bundle; the download is not needed.",
        steps=(
            "403 and 5xx often come from a proxy or a block page, 404 from an address that has moved.",
            "arcferry bundle build fetches and verifies the packages on a connected machine.",
        ),
        commands=(Command("sh", f"curl -sSIL https://{group.hosts[0]}/"),),
    ),
)


def _no_endpoint(_: Facts, __: Material) -> Match | None:
    """Codes belong to a run, not to an endpoint; see `code_findings`."""
    return None


AGENT_CODE = Cause(
    slug="install/agent-code",
    title="The agent or its installer ended with a code",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_no_endpoint,
    headline=lambda group: f"The agent gave up on {group.subject}",
)


def _known(name: str) -> Code | None:
    try:
        return catalog.code(name)
    except UnknownNameError:
        return None


def _of_code(seen: CodeSeen) -> Finding | None:
    known = _known(seen.code)
    if known and known.outcome != "failure":
        return None
    meaning = known.meaning if known else "a code that the catalogue does not know"
    evidence = [
        Evidence(seen.origin, f"the agent ended with {seen.code}: {seen.says}".rstrip(": "), seen.taken)
    ]
    if known:
        evidence.append(Evidence(f"catalogue ({known.source})", f"{seen.code}: {meaning}"))
    remedy = known.remedy if known else "Look the code up in Microsoft's list for the agent's version."
    again = (
        "The same command may succeed later."
        if known and known.retry
        else "The same command will fail again."
    )
    return Finding(
        cause=AGENT_CODE.slug,
        title=f"{seen.code}: {meaning}".rstrip("."),
        severity=Severity.ERROR,
        confidence=Confidence.OBSERVED,
        owner=_OWNERS.get(known.phase if known else "", Owner.SERVER),
        endpoints=(),
        evidence=tuple(evidence),
        remedy=Remedy(
            summary=remedy,
            steps=(again,) if known else (),
            commands=(Command("arcferry", f"arcferry explain {seen.code}"),),
            request=letter(
                f"Azure Arc: azcmagent ends with {seen.code}",
                [
                    f"{meaning}",
                    f"The agent says: {seen.says or 'nothing further'}",
                    f"Documented way out: {remedy}",
                ],
            ),
        ),
    )


def code_findings(material: Material) -> list[Finding]:
    """A finding for every code that no endpoint explains, each code once."""
    codes = {code.code: code for code in reversed(material.codes) if code.code != NETWORK_ERROR}
    return [finding for code in codes.values() if (finding := _of_code(code))]


FAMILY = (DOWNLOAD_REFUSED, AGENT_CODE)
