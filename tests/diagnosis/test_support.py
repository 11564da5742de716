"""What a support request tells beside the findings: what is ruled out, documents with days, one question."""

import re
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.diagnosis import judge
from arcferry.diagnosis.support import Support, support
from arcferry.evidence.reading import read_document
from arcferry.report import support_case

CASES = Path(__file__).parents[1] / "cases"
FIELD = sorted(path.parent.name for path in CASES.glob("*/expected.toml"))


def told(name: str, cloud: str = "AzureCloud") -> Support:
    files = [path for path in sorted((CASES / name).iterdir()) if path.name != "expected.toml"]
    documents = [one for path in files for one in read_document(path.name, path.read_bytes())]
    return support(judge(documents), catalog.cloud(cloud))


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("timeout-outside-filter", "Name resolution: agentserviceapi.guestconfiguration.azure.com"),
        ("route-there-no-answer", "A missing route to "),
        ("inspected", "up to TCP: a connection to "),
        ("nat-prefix-waits", "The route filter, for "),
        ("timeout-outside-filter", "The clock: "),
    ],
)
def test_what_is_shown_to_be_in_order_is_ruled_out_and_by_what(case: str, says: str) -> None:
    (found, *_) = [one for one in told(case).ruled_out if says in one.says]
    assert found.by in {path.name for path in (CASES / case).iterdir()}


@pytest.mark.parametrize(
    ("case", "never"),
    [
        ("timeout-outside-filter", "The route filter"),
        ("route-not-sent", "A missing route"),
        ("peering-disabled", "The circuit"),
        ("nat-prefix-waits", "The advertised public prefixes"),
        ("sessions-down", "The BGP sessions"),
        ("clock-alone", "The clock"),
        ("inspected", "Inspection of TLS"),
        ("name-not-found", "Name resolution"),
        ("himds-stopped", "The agent's services"),
    ],
)
def test_what_a_finding_blames_is_not_ruled_out(case: str, never: str) -> None:
    assert [one for one in told(case).ruled_out if one.says.startswith(never)] == []


@pytest.mark.parametrize(
    ("case", "asks"),
    [
        ("timeout-outside-filter", "In which regions may it answer for machines of eastasia"),
        ("nat-prefix-waits", "by when will Microsoft's side let them in?"),
        ("timeout-with-route", "Is Azure Arc supported over ExpressRoute with Microsoft peering alone"),
        ("peering-disabled", "In which state is Microsoft's side of the circuit"),
        ("role-missing", "for our own azure team to change: "),
        ("azure-has-a-fault", "Does anything on Azure's side, at the times above, lead to this: "),
        ("check-as-json", "Does anything on Azure's side, at the times above, lead to this: "),
        ("ansible-block-of-yaml", "do without aka.ms, which Microsoft peering does not carry?"),
    ],
)
def test_one_question_fits_the_gravest_finding(case: str, asks: str) -> None:
    assert asks in told(case).question


def test_every_document_has_its_day_and_what_speaks_against_is_not_left_out() -> None:
    found = told("timeout-outside-filter")
    assert found.speak_for
    assert found.speak_against
    for one in (*found.speak_for, *found.speak_against):
        assert re.search(r"\.md, \d{4}-\d\d-\d\d$", one.source), one


def test_of_a_server_alone_no_document_of_the_path_is_told() -> None:
    found = told("himds-stopped")
    assert (found.speak_against, found.notes) == ((), ())


def test_the_government_cloud_is_told_first_that_this_path_cannot_suffice() -> None:
    assert told("timeout-outside-filter", "AzureUSGovernment").notes[0].startswith("This path alone cannot")


def test_a_case_without_a_finding_asks_nothing() -> None:
    found = told("installed")
    assert found.question == ""
    assert "None: nothing was found." in support_case.draw(found)


@pytest.mark.parametrize("part", range(4))
def test_no_line_has_a_blank_that_was_not_filled(part: int) -> None:
    for name in FIELD[part::4]:
        found = told(name)
        for text in (found.question, *(one.says for one in found.ruled_out)):
            assert not re.search(r"\{\w+\}|\(\)| {2}", text), (name, text)
