"""JUnit's XML, the form in which CI systems read results: a case for each thing that was judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree as ET  # written here, never read

from arcferry.diagnosis import Diagnosis, Severity
from arcferry.probe.https import CheckResult
from arcferry.report.columns import UNDISCOVERED
from arcferry.text import clean, one_line

# XML 1.0 has no way to write these two, not even escaped (section 2.2, Char); `clean` takes the others.
_NO_CHARACTER = str.maketrans("", "", "\ufffe\uffff")


class JunitResult(StrEnum):
    """An element of JUnit's; PASSED has none."""

    PASSED = ""
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class JunitCase:
    """One test.

    Attributes:
        says: why it did not pass, in a line.
        kind: a stable word for the reason, such as a cause's slug.
        details: what else there is to read.
    """

    name: str
    outcome: JunitResult = JunitResult.PASSED
    says: str = ""
    kind: str = ""
    details: str = ""
    seconds: float = 0.0


def xml(suites: Mapping[str, Sequence[JunitCase]], diagnosis: Diagnosis | None = None) -> str:
    """The document, with a suite of the findings where there is a diagnosis.

    What hosts and files say is escaped, bounded, and without control characters.
    """
    if diagnosis:
        suites = {**suites, "findings": _cases(diagnosis)}
    every = [case for cases in suites.values() for case in cases]
    root = ET.Element("testsuites", {"name": "arcferry", **_counts(every)})
    for name, cases in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": _line(name), **_counts(cases)})
        for case in cases:
            named = {"name": _line(case.name), "classname": f"arcferry.{_line(name)}"}
            element = ET.SubElement(suite, "testcase", {**named, "time": f"{case.seconds:.3f}"})
            details = clean(case.details).translate(_NO_CHARACTER)
            if case.outcome is not JunitResult.PASSED:
                why = {"message": _line(case.says), "type": _line(case.kind)}
                if case.outcome is JunitResult.SKIPPED:
                    del why["type"]  # which readers know of the other two alone
                ET.SubElement(element, case.outcome.value, why).text = details or None
            elif details:
                ET.SubElement(element, "system-out").text = details
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(cases: Sequence[JunitCase]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    counted = {"failures": JunitResult.FAILURE, "errors": JunitResult.ERROR, "skipped": JunitResult.SKIPPED}
    counts = {name: str(outcomes.count(outcome)) for name, outcome in counted.items()}
    return {"tests": str(len(cases)), **counts, "time": f"{sum(case.seconds for case in cases):.3f}"}


def _line(text: str) -> str:
    return one_line(text, limit=900).translate(_NO_CHARACTER)


def check(result: CheckResult, diagnosis: Diagnosis) -> str:
    """A case an endpoint; what is not required fails nothing. Then the findings."""
    cases = []
    for seen in result.observations:
        failure, outcome = seen.failure, JunitResult.PASSED
        if failure:
            outcome = JunitResult.FAILURE if seen.endpoint.required else JunitResult.SKIPPED
        says, kind = (failure.says, f"{failure.stage} {failure.kind}") if failure else ("", "")
        name = seen.endpoint.url if seen.endpoint.host else UNDISCOVERED
        cases.append(JunitCase(name, outcome, says, kind, seconds=seen.elapsed))
    return xml({f"check {result.region.name}": cases}, diagnosis)


def findings(diagnosis: Diagnosis) -> str:
    """A case a finding: an error fails, the rest passes and is told."""
    return xml({"findings": _cases(diagnosis) or [JunitCase("nothing points to a fault")]})


def _cases(diagnosis: Diagnosis) -> list[JunitCase]:
    return [
        JunitCase(
            " ".join(filter(None, (one.cause, *(affected.host for affected in one.endpoints[:1])))),
            JunitResult.FAILURE if one.severity is Severity.ERROR else JunitResult.PASSED,
            one.title,
            one.cause,
            "\n".join(
                (
                    f"{one.severity}, {one.confidence}, {one.owner} team: {one.title}",
                    *(f"{line.origin}: {line.says}" for line in one.evidence),
                    one.remedy.summary,
                    *one.remedy.steps,
                )
            ),
        )
        for one in diagnosis.findings
    ]
