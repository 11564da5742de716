"""A preflight of one place or several: JSON, JSON lines, JUnit, or a line a check with its way out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from arcferry.azure import AzureTarget, CheckStatus, Preflight, PreflightCheck
from arcferry.diagnosis.finding import NOTHING_JUDGED
from arcferry.fleet.in_azure import Part, parts_of, place_text
from arcferry.fleet.run_folder import target_to_json
from arcferry.language import _, marked, ngettext, translated
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import padded
from arcferry.report.console import STYLES, print_line, print_sum, print_text
from arcferry.report.junit import JunitCase, JunitResult, xml

ROWS = "checks", "preflight-check"
_STYLES = {
    CheckStatus.OK: STYLES["ok"],
    CheckStatus.WARNING: STYLES["warn"],
    CheckStatus.UNKNOWN: STYLES["warn"],
    CheckStatus.HINDRANCE: STYLES["FAIL"],
}
WIDTH = max(map(len, CheckStatus)) + 2
_OUTCOMES = {CheckStatus.HINDRANCE: JunitResult.FAILURE, CheckStatus.UNKNOWN: JunitResult.SKIPPED}
_WHERE = marked(
    "unknown to this identity; by which command an owner can tell, says: arcferry azure preflight"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The preflight of each place.

    Attributes:
        servers: how many go to each; empty where no inventory was given.
    """

    found: Mapping[AzureTarget, Preflight]
    servers: Mapping[AzureTarget, int]

    @property
    def parts(self) -> list[Part]:
        """Every check once, by what it is about."""
        return parts_of(self.found)

    @property
    def whole(self) -> Preflight:
        """Every check once."""
        return Preflight(tuple(check for part in self.parts for check in part.checks), {})

    def called(self, part: Part) -> str:
        """What a part is about, where there is only one place that too."""
        return place_text(part.targets[0], self.found) if len(self.found) == 1 else part.of


def document(asked: Asked) -> dict[str, Any]:
    """All checks as one JSON document: each once, and how every place came out."""
    return {
        "schema": SCHEMA,
        "kind": "preflight",
        "summary": _counts(asked.whole),
        "targets": [_target(asked, target) for target in asked.found],
        "checks": [
            {"place": asked.called(part), **row}
            for part in asked.parts
            for row in checks_document(part.checks)
        ],
        **as_json.fields(NOTHING_JUDGED),
    }


def _target(asked: Asked, target: AzureTarget) -> dict[str, Any]:
    found = asked.found[target]
    return {
        "place": place_text(target, asked.found),
        **target_to_json(target),
        "servers": asked.servers.get(target),
        "ready": not found.hindrances,
        "summary": _counts(found),
    }


def _counts(found: Preflight) -> dict[str, int]:
    count = Counter(check.answer for check in found.checks)
    return {status.value: count[status] for status in CheckStatus}


def checks_document(checks: Iterable[PreflightCheck]) -> list[dict[str, str]]:
    """The preflight's lines."""
    return [picked(check, "name", "answer", "says", "hint", "owner") for check in checks]


def junit(asked: Asked) -> str:
    """A suite a place, and one of what places share; what is unknown was skipped, and a warning passes."""
    suites = {}
    for part in asked.parts:
        of = f": {part.of}" if part.of else ""
        suites[f"azure preflight{of}"] = list(map(_case, part.checks))
    return xml(suites)


def _case(check: PreflightCheck) -> JunitCase:
    says = "" if check.answer is CheckStatus.OK else check.says
    outcome = _OUTCOMES.get(check.answer, JunitResult.PASSED)
    return JunitCase(check.name, outcome, says, check.answer.value, check.hint)


def draw(asked: Asked, console: Console) -> None:
    """A block for what places share and one a place, every check with its way out, then the sum."""
    told = set[str]()
    for part in asked.parts:
        if heading := _heading(asked, part):
            print_line(console, heading, "bold")
        for check in part.checks:
            _print(console, check)
            _print_way(console, check, told)
        print_line(console)
    print_sum(console, "FAIL" if asked.whole.hindrances else "ok", summary(asked))


def _heading(asked: Asked, part: Part) -> str:
    called = asked.called(part)
    many = sum(asked.servers.get(target, 0) for target in part.targets)
    if not called or not asked.servers:
        return called
    places = _(" in {places} places", places=len(part.targets)) if len(part.targets) > 1 else ""
    servers = ngettext("{count} server", "{count} servers", many)
    return _("{name}: {says}", name=called, says=f"{servers}{places}")


def print_checks(console: Console, checks: Iterable[PreflightCheck]) -> None:
    """Every check by itself, for what has more to tell than these."""
    told = list(checks)
    for check in told:
        _print(console, check)
    if any(check.answer is CheckStatus.UNKNOWN for check in told):
        print_text(console, _(_WHERE), indent=WIDTH)


def _print(console: Console, check: PreflightCheck) -> None:
    word = padded(_(check.answer.value), WIDTH)
    print_text(
        console,
        _("{name}: {says}", name=_(check.name), says=translated(check.says)),
        _STYLES[check.answer],
        indent=WIDTH,
        first=word,
    )


def _print_way(console: Console, check: PreflightCheck, told: set[str]) -> None:
    """The way out, and its command in a line of its own, unbroken, so that it can be copied."""
    if check.answer is CheckStatus.UNKNOWN and check.command in told:
        print_text(console, _("The same command as above tells this too."), indent=WIDTH)
        return
    told.add(check.command)
    if check.way:
        print_text(console, translated(check.way), indent=WIDTH)
    if check.command:
        print_line(console, f"{'':<{WIDTH}}{check.command}")


def summary(asked: Asked) -> str:
    """One line: whether servers can be connected, as far as this identity sees."""
    whole, many = asked.whole, len(asked.found)
    unknown = _counts(whole)[CheckStatus.UNKNOWN]
    beside = _("; {unknown} could not be seen by this identity", unknown=unknown) if unknown else ""
    if not whole.hindrances:
        says = _("nothing that was seen hinders")
        if many > 1:
            says = _("nothing that was seen hinders in any of {places} places", places=many)
        return says + beside
    things = len(whole.hindrances)
    says = ngettext("{count} thing hinders", "{count} things hinder", things)
    if many > 1:
        closed = [target for target, found in asked.found.items() if found.hindrances]
        servers = sum(asked.servers.get(target, 0) for target in closed)
        every = sum(asked.servers.values())
        of = _(" with {servers} of {every} servers", servers=servers, every=every) if asked.servers else ""
        says = _("{closed} of {places} places{of}: {says}", closed=len(closed), places=many, of=of, says=says)
    return _("not ready: {says}", says=says) + beside
