"""What was found on the way to Azure, as JUnit's cases."""

from collections.abc import Iterable

from arcferry.diagnosis import Diagnosis, Severity
from arcferry.diagnosis.audit import Audit, Path
from arcferry.diagnosis.finding import Finding
from arcferry.probe.https import CheckResult
from arcferry.report.columns import UNDISCOVERED
from arcferry.report.junit import JunitCase, JunitResult, xml


def check(result: CheckResult, diagnosis: Diagnosis) -> str:
    """A case an endpoint; what is not required fails nothing. Then the findings."""
    cases = []
    for seen in result.observations:
        failure, outcome = seen.failure, JunitResult.PASSED
        if failure:
            outcome = JunitResult.FAILURE if seen.endpoint.required else JunitResult.SKIPPED
        says, kind = (failure.says, f"{failure.stage.value} {failure.kind}") if failure else ("", "")
        name = seen.endpoint.url if seen.endpoint.host else UNDISCOVERED
        cases.append(JunitCase(name, outcome, says, kind, seconds=seen.elapsed))
    return xml({f"check {result.region.name}": cases, "findings": finding_cases(diagnosis.findings)})


def findings(diagnosis: Diagnosis) -> str:
    """A case a finding: an error fails, the rest passes and is told."""
    found = finding_cases(diagnosis.findings) or [JunitCase("nothing points to a fault")]
    return xml({"findings": found})


def audit(result: Audit) -> str:
    """A case an endpoint: the path to it is there, missing, or not known. Then the findings."""
    outcomes = {
        Path.THERE: JunitResult.PASSED,
        Path.MISSING: JunitResult.FAILURE,
        Path.UNKNOWN: JunitResult.SKIPPED,
    }
    cases = []
    for row in result.rows:
        outcome = outcomes[row.path]
        if not row.required and outcome is JunitResult.FAILURE:
            outcome = JunitResult.SKIPPED
        says = "; ".join(filter(None, (row.expected.says, row.observed.says)))
        name = " ".join(filter(None, (row.host or UNDISCOVERED, *row.addresses[:1])))
        cases.append(JunitCase(name, outcome, says, f"path {row.path.value}", "\n".join(row.differences)))
    return xml({"routes audit": cases, "findings": finding_cases(result.diagnosis.findings)})


def finding_cases(found: Iterable[Finding]) -> list[JunitCase]:
    """A case a finding."""
    return [
        JunitCase(
            " ".join(filter(None, (one.cause, *(affected.host for affected in one.endpoints[:1])))),
            JunitResult.FAILURE if one.severity is Severity.ERROR else JunitResult.PASSED,
            one.title,
            one.cause,
            "\n".join(
                (
                    f"{one.severity.value}, {one.confidence.value}, {one.owner.value} team: {one.title}",
                    *(f"{line.origin}: {line.says}" for line in one.evidence),
                    one.remedy.summary,
                    *one.remedy.steps,
                )
            ),
        )
        for one in found
    ]
