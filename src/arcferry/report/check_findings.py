"""What follows from a check, in short: each finding, whose it is, and what would sharpen it."""

from collections.abc import Iterator
from typing import Any

from arcferry.diagnosis import Diagnosis, Severity
from arcferry.diagnosis.finding import Finding
from arcferry.diagnosis.words import how_to_get
from arcferry.probe.https import CheckResult
from arcferry.report import check, findings_document
from arcferry.text import one_line

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_NEXT = {
    "route-filter": "which names may leave the filter, and which community is missing",
    "service-tags": "the region of each address",
    "community-list": "the community of each address, also in regions that no document lists",
    "received-routes": "whether a route is really there",
}

_HOW = "arcferry data import FILE once, or --with FILE each time"


def plain(diagnosis: Diagnosis, result: CheckResult) -> Iterator[str]:
    """The findings as lines for a pipe, preceded by an empty line; nothing where there is nothing to say."""
    for _, line in styled(diagnosis, result):
        yield line


def json_lines(diagnosis: Diagnosis, result: CheckResult) -> Iterator[dict[str, Any]]:
    """One line an endpoint, then one a finding, then one that sums up."""
    *endpoints, summary = check.json_lines(result)
    *found, _ = findings_document.json_lines(diagnosis)
    yield from endpoints
    yield from found
    yield summary | {"findings": len(diagnosis.findings), "would_sharpen": list(diagnosis.lacks)}


def fields(diagnosis: Diagnosis) -> dict[str, Any]:
    """What the findings document adds to the check's own, and the kinds of evidence that would sharpen it."""
    return {
        "inputs": findings_document.inputs(diagnosis),
        "would_sharpen": list(diagnosis.lacks),
        **findings_document.fields(diagnosis),
    }


def styled(diagnosis: Diagnosis, result: CheckResult) -> Iterator[tuple[str, str]]:
    """Each line with the style that a terminal gives it."""
    for finding in diagnosis.findings:
        yield "", ""
        yield from _finding(finding)
    wanted = [kind for kind in diagnosis.lacks if kind in _NEXT]
    if wanted and not diagnosis.findings:
        yield "", ""
        yield "dim", f"With {' and '.join(wanted)} at hand, this also tells {_NEXT[wanted[0]]}: {_HOW}"
    elif wanted:
        yield "", ""
        yield "dim", "Data at hand does not tell:"
        for kind in wanted:
            yield "dim", f"  {_NEXT[kind]}. {kind}: {how_to_get()[kind]}"
        yield "dim", f"  Then: {_HOW}."
    if diagnosis.findings:
        yield "", ""
        yield "dim", f"Evidence, commands and the request to send: {_explain(result)}"


def _finding(finding: Finding) -> Iterator[tuple[str, str]]:
    yield _STYLES[finding.severity], f"{finding.severity.value.upper():<7}  {one_line(finding.title)}"
    yield "dim", f"         {finding.cause}, {finding.owner.value} team, {finding.confidence.value}"
    if finding.remedy.summary:
        yield "", f"         {one_line(finding.remedy.summary)}"


def _explain(result: CheckResult) -> str:
    return (
        f"arcferry check --location {result.region.name} --cloud {result.cloud.name} --output json "
        "> check.json; arcferry explain check.json"
    )
