"""A preflight: JSON, JSON lines, JUnit, or a line a check with the way out beneath it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from arcferry.azure import AzureTarget, CheckStatus, Preflight, PreflightCheck
from arcferry.diagnosis.finding import NOTHING_JUDGED
from arcferry.fleet.run_folder import target_to_json
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.console import STYLES, print_line, print_sum
from arcferry.report.junit import JunitCase, JunitResult, xml

ROWS = "checks", "preflight-check"
_STYLES = {
    CheckStatus.OK: STYLES["ok"],
    CheckStatus.WARNING: STYLES["warn"],
    CheckStatus.UNKNOWN: STYLES["warn"],
    CheckStatus.HINDRANCE: STYLES["FAIL"],
}
_WIDTH = max(map(len, CheckStatus)) + 2
_OUTCOMES = {CheckStatus.HINDRANCE: JunitResult.FAILURE, CheckStatus.UNKNOWN: JunitResult.SKIPPED}
_WHERE = "unknown to this identity; by which command an owner can tell, says: arcferry azure preflight"


@dataclass(frozen=True, slots=True)
class Asked:
    """A preflight, and where in Azure it looked."""

    target: AzureTarget
    found: Preflight


def document(asked: Asked) -> dict[str, Any]:
    """All checks as one JSON document."""
    count = Counter(check.answer for check in asked.found.checks)
    return {
        "schema": SCHEMA,
        "kind": "preflight",
        "target": target_to_json(asked.target),
        "summary": {status.value: count[status] for status in CheckStatus},
        "checks": checks_document(asked.found.checks),
        **as_json.fields(NOTHING_JUDGED),
    }


def checks_document(checks: Iterable[PreflightCheck]) -> list[dict[str, str]]:
    """The preflight's lines."""
    return [picked(check, "name", "answer", "says", "hint") for check in checks]


def junit(asked: Asked) -> str:
    """A case a check; what is unknown was skipped, and a warning passes."""
    cases = [
        JunitCase(
            check.name,
            _OUTCOMES.get(check.answer, JunitResult.PASSED),
            "" if check.answer is CheckStatus.OK else check.says,
            check.answer.value,
            check.hint,
        )
        for check in asked.found.checks
    ]
    return xml({"azure preflight": cases})


def draw(asked: Asked, console: Console) -> None:
    """Every check with its way out, then the sum."""
    for check in asked.found.checks:
        _print(console, check)
        if check.hint:
            print_line(console, f"{'':<{_WIDTH}}{check.hint}")
    print_line(console)
    print_sum(console, "FAIL" if asked.found.hindrances else "ok", summary(asked.found))


def print_checks(console: Console, checks: Iterable[PreflightCheck]) -> None:
    """Every check in a line of its own, for what has more to tell than these."""
    told = list(checks)
    for check in told:
        _print(console, check)
    if any(check.answer is CheckStatus.UNKNOWN for check in told):
        print_line(console, f"{'':<{_WIDTH}}{_WHERE}")


def _print(console: Console, check: PreflightCheck) -> None:
    print_line(console, f"{check.answer.value:<{_WIDTH}}{check.name}: {check.says}", _STYLES[check.answer])


def summary(found: Preflight) -> str:
    """One line: whether servers can be connected, as far as this identity sees."""
    count = Counter(check.answer for check in found.checks)
    unknown = count[CheckStatus.UNKNOWN]
    beside = f"; {unknown} could not be seen by this identity" if unknown else ""
    if found.hindrances:
        many = len(found.hindrances)
        return f"not ready: {many} {'thing hinders' if many == 1 else 'things hinder'}{beside}"
    return f"nothing that was seen hinders{beside}"
