"""What a command of az says of itself, that it reads or changes, against az's own verbs."""

import pytest
from tests.commands.az_lines import Line, calls
from tests.commands.texts import CASES

from arcferry.command_line import Does
from arcferry.diagnosis import judge
from arcferry.diagnosis.finding import Command
from arcferry.diagnosis.pages import pages
from arcferry.evidence.reading import read_document


def commands() -> dict[tuple[str, Does], list[Line]]:
    found: list[Command] = [one for page in pages() for one in page.example]
    for folder in sorted(path.parent for path in CASES.glob("*/expected.toml")):
        paths = [path for path in sorted(folder.iterdir()) if path.name != "expected.toml"]
        documents = [one for path in paths for one in read_document(path.name, path.read_bytes())]
        found += [one for finding in judge(documents).findings for one in finding.remedy.commands]
    return {(one.text, one.does): list(calls("x", one.text)) for one in found if one.tool == "az"}


@pytest.mark.parametrize(("command", "lines"), commands().items(), ids=lambda one: str(one)[:60])
def test_a_command_says_truly_whether_it_changes(command: tuple[str, Does], lines: list[Line]) -> None:
    text, does = command
    assert any(line.changes for line in lines if line.path) is (does is Does.CHANGES), text
