"""What is wrong with the agent on the server itself, by its codes and by what it says of itself."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from arcferry import catalog, command_line
from arcferry.diagnosis.causes.cause import Group, Match
from arcferry.diagnosis.causes.coded import code_matches, coded, said
from arcferry.diagnosis.finding import Command, Evidence, Owner, Severity, command
from arcferry.evidence.case import Case
from arcferry.evidence.document import AgentState
from arcferry.times import to_text

_HIMDS = {"himds", "himdsd"}
_OPTIONAL_SERVICES = {"arcproxy", "arcproxyd", "extensionservice", "extd", "gcarcservice", "gcad"}
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,4})")
_OLDEST_SUPPORTED = (1, 55)
"""Releases of the last twelve months are supported (Azure Arc release notes, 2026-08). 1.67 is of August
2026 and there is one a month, so that this is an inference."""


def _was_connected(state: AgentState) -> bool:
    """Whether the agent has belonged to a machine in Azure; one that never has shows blank names."""
    named = {key for key, item in state.properties if item and item.lower() not in ("n/a", "-")}
    return bool(named & {"resource name", "resource id", "resourcename", "resourceid"})


def _blocked_path(case: Case) -> bool:
    """Whether an endpoint that the work needs was not reached: the endpoint's finding says why, then."""
    return any(
        not seen.reachable and seen.required is not False and not seen.install for seen in case.attempts
    )


def _evidence(state: AgentState, *says: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(state.origin, one, state.taken) for one in says if one)


def _heartbeat(state: AgentState) -> str:
    return f"its last heartbeat was at {to_text(state.last_heartbeat)}" if state.last_heartbeat else ""


def _stopped(state: AgentState) -> list[str]:
    return [
        name
        for name, how in state.services
        if name in _HIMDS | _OPTIONAL_SERVICES and how in ("stopped", "missing", "failed")
    ]


def _expired(case: Case) -> Iterator[Match]:
    for state in case.agents:
        if state.status == "Expired":
            yield Match(evidence=_evidence(state, "the agent says: Expired", _heartbeat(state)))


def _has_himds_stopped(state: AgentState) -> bool:
    return bool(_HIMDS & set(_stopped(state)))


def _disconnected(case: Case) -> Iterator[Match]:
    explained = _blocked_path(case) or any(code.code for code in case.codes)
    for state in case.agents:
        if (
            state.status == "Disconnected"
            and _was_connected(state)
            and not _has_himds_stopped(state)
            and not explained
        ):
            yield Match(
                evidence=_evidence(state, "the agent says: Disconnected", _heartbeat(state), state.error)
            )


def _service_stopped(case: Case) -> Sequence[Match]:
    found = list(code_matches("agent/service-stopped", case))
    for state in case.agents:
        stopped = _stopped(state)
        if _has_himds_stopped(state) or (stopped and state.status == "Connected"):
            says = f"stopped: {', '.join(stopped)}"
            severity = None if _has_himds_stopped(state) else Severity.WARNING
            found.append(Match(signature=tuple(stopped), evidence=_evidence(state, says), severity=severity))
    return found[:1] if found and found[0].severity is None else found


def _too_old(case: Case) -> Sequence[Match]:
    found = list(code_matches("agent/too-old", case))
    for state in case.agents:
        version = _VERSION.match(state.version)
        if version and (int(version[1]), int(version[2])) < _OLDEST_SUPPORTED:
            oldest = ".".join(map(str, _OLDEST_SUPPORTED))
            says = (
                f"agent {state.version}; releases of the last twelve months are supported, which is "
                f"about {oldest}"
            )
            found.append(
                Match(signature=(state.version,), evidence=_evidence(state, says), severity=Severity.WARNING)
            )
    return found


def _restart(_: Group) -> tuple[Command, ...]:
    return (
        Command("powershell", "Restart-Service himds -PassThru"),
        Command("sh", "sudo systemctl restart himdsd && systemctl status himdsd --no-pager"),
    )


def _logs(_: Group) -> tuple[Command, ...]:
    return (Command("azcmagent", "azcmagent logs --full"),)


def _near_regions(group: Group) -> tuple[Command, ...]:
    """The known region that comes nearest to a word of the message."""
    names = [region.name for region in catalog.regions()]
    words = re.findall(r"[a-z0-9]{4,30}", said(group).lower().replace(" ", ""))[:50]
    words += re.findall(r"[a-z0-9]{4,30}", said(group).lower())[:200]
    near = next(
        (found[0] for word in words if (found := get_close_matches(word, names, n=1, cutoff=0.85))), "REGION"
    )
    return (
        Command(
            "az",
            (
                "az provider show --namespace Microsoft.HybridCompute --query "
                "\"resourceTypes[?resourceType=='machines'].locations\" --output json"
            ),
        ),
        command("azcmagent", "azcmagent check --location {near}", near=command_line.location(near, "REGION")),
    )


FAMILY = (
    coded(
        "agent/not-elevated",
        "The command ran without administrator rights",
        Owner.SERVER,
        "Run the same command as administrator, or as root.",
        steps=(
            "A scheduled task or a deployment tool has to run it as SYSTEM, or with the highest privileges.",
        ),
        commands=lambda _: (
            Command("powershell", "Start-Process powershell -Verb RunAs"),
            Command("sh", "sudo azcmagent connect --config connect.json"),
        ),
    ),
    coded(
        "agent/already-connected",
        "The server is connected already",
        Owner.SERVER,
        "Compare what it is connected to with what was wanted; disconnect only where they differ.",
        severity=Severity.WARNING,
        commands=lambda _: (
            Command("azcmagent", "azcmagent show"),
            Command("azcmagent", "azcmagent disconnect --force-local-only"),
        ),
    ),
    coded(
        "agent/expired",
        "The agent's identity has expired",
        Owner.SERVER,
        "Disconnect the agent and connect it again with an onboarding credential.",
        steps=(
            (
                "No heartbeat reached Azure for so long that the identity certificate ran out; it is "
                "renewed only "
                "while the server is connected."
            ),
            (
                "azcmagent disconnect removes the machine from Azure with its extensions' records; "
                "--force-local-only leaves it, and it has to be deleted in Azure before the same name is "
                "connected again."
            ),
            (
                "Find out why there was no heartbeat first, or it expires again: arcferry check "
                "--location REGION."
            ),
        ),
        commands=lambda _: (
            Command("azcmagent", "azcmagent disconnect --force-local-only"),
            Command("azcmagent", "azcmagent connect --config connect.json"),
        ),
        concerns=lambda case: tuple(_expired(case)),
    ),
    coded(
        "agent/disconnected",
        "The agent was connected and has no contact with Azure now",
        Owner.SERVER,
        "Check the path first, then the agent's services.",
        steps=(
            (
                "Nothing that was handed in shows an endpoint that fails: run the check on the server "
                "and hand it in."
            ),
            "Disconnected turns into Expired after about 45 days; then only connecting anew helps.",
        ),
        commands=lambda group: (
            Command("arcferry", "arcferry check --location REGION --output json > check.json"),
            *_restart(group),
        ),
        concerns=lambda case: tuple(_disconnected(case)),
    ),
    coded(
        "agent/service-stopped",
        "A service of the agent is not running",
        Owner.SERVER,
        "Start the service, and find out what stopped it.",
        steps=(
            "himds is the agent itself: without it there is no heartbeat and no identity.",
            (
                "Where it stops again: himds.log names the reason. A policy that takes the right to "
                "log on as a "
                "service from NT SERVICE\\himds is a frequent one."
            ),
        ),
        commands=_restart,
        concerns=_service_stopped,
    ),
    coded(
        "agent/too-old",
        "The agent is too old",
        Owner.SERVER,
        "Install a current agent from the bundle; it keeps the connection.",
        commands=lambda _: (
            Command("arcferry", "arcferry bundle build --help"),
            Command("azcmagent", "azcmagent version"),
        ),
        concerns=_too_old,
    ),
    coded(
        "agent/local-error",
        "The agent failed on the server itself",
        Owner.SERVER,
        "Read the agent's log, restart its service, and try again.",
        steps=("Where it stays: collect the logs and open a case with Microsoft support.",),
        commands=lambda group: (*_restart(group), *_logs(group)),
        subject="Azure Arc: the agent fails on the server itself",
        ask=lambda _: (
            (
                "azcmagent ends with an error that is not one of network, sign-in or rights. The output of "
                "azcmagent logs --full is attached."
            ),
        ),
    ),
    coded(
        "agent/bad-argument",
        "An argument or a setting of the command is wrong",
        Owner.SERVER,
        "Correct the argument that the message names.",
        commands=lambda _: (
            Command("azcmagent", "azcmagent connect --help"),
            Command("azcmagent", "azcmagent config list"),
        ),
    ),
    coded(
        "agent/region-not-valid",
        "Azure Arc has no such location",
        Owner.SERVER,
        "Correct the spelling of --location, or choose a region that Azure Arc serves.",
        commands=_near_regions,
    ),
)
