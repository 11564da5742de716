"""Installations of the agent that fail: refused downloads, and what the installers say."""

from dataclasses import replace

from arcferry import catalog
from arcferry.diagnosis.causes.coded import coded, leftover
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Owner, Severity
from arcferry.diagnosis.rule import Match, case_cause, cause
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage

_STATUS = "http-"
_OWNERS = {"auth": Owner.IDENTITY, "arm": Owner.AZURE, "network": Owner.NETWORK}


@cause("install/download-refused", Owner.SERVER)
def download_refused(destination: Destination, _: Case) -> Match | None:
    """An HTTP error in answer to the download."""
    if destination.stage is not Stage.HTTP or not destination.kind.startswith(_STATUS):
        return None
    status = destination.kind.removeprefix(_STATUS)
    return Match(signature=(destination.kind,), values={"status": status})


@case_cause("install/agent-code", Owner.SERVER)
def agent_code(case: Case) -> tuple[Match, ...]:
    """Each code that means no cause of its own, with the owner that the code's own phase tells."""
    return tuple(_of_code(match, match.signature[0]) for match in leftover(case))


def _of_code(match: Match, name: str) -> Match:
    code = catalog.code(name) if catalog.is_code(name) else None
    phase = code.phase if code else "auth" if name.startswith("AADSTS") else ""
    return replace(
        match,
        owner=_OWNERS.get(phase, Owner.SERVER),
        values={
            "code": name,
            "known": code is not None,
            "retry": code is not None and code.retry,
            "means": code.meaning.rstrip(".") if code else "",
            "remedy": code.remedy if code else "",
        },
    )


FAMILY = (
    download_refused,
    coded("install/another-in-progress", Owner.SERVER),
    coded("install/restart-needed", Owner.SERVER, Severity.INFO),
    coded("install/disk-full", Owner.SERVER),
    coded("install/package-unusable", Owner.SERVER),
    coded("install/not-allowed", Owner.SERVER),
    coded("install/service-not-started", Owner.SERVER),
    coded("install/failed", Owner.SERVER),
    coded("install/unsupported-system", Owner.SERVER),
    coded("install/on-azure-vm", Owner.SERVER),
    agent_code,
)
