"""Whether a command reads or changes stands beside every command that arcferry prints."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arcferry.cli.app import app
from arcferry.diagnosis import pages, words
from arcferry.diagnosis.causes import CAUSES

_FILTER = Path(__file__).parents[1] / "cases/missing-community-seen-on-the-router"


@pytest.mark.parametrize("slug", CAUSES)
def test_every_entry_says_of_its_commands_whether_they_change_something(slug: str) -> None:
    whole = words.family(slug.partition("/")[0])
    given = [
        *whole[slug].get("commands", ()),
        *(one for shared in whole.get("commands", {}).values() for one in shared),
    ]
    assert [
        one for one in given if isinstance(one, dict) and one.get("does") not in ("reads", "changes")
    ] == []


@pytest.mark.parametrize("slug", CAUSES)
def test_a_page_marks_each_of_its_commands(slug: str) -> None:
    found = CliRunner().invoke(app, ["explain", slug])
    for one in pages.page(slug).example:
        assert f"  {one.tool}, {one.does}\n    {one.text.splitlines()[0]}\n" in found.stdout


def test_a_finding_marks_its_commands_as_text_and_as_json() -> None:
    files = [str(path) for path in sorted(_FILTER.iterdir()) if path.name != "expected.toml"]
    as_json = json.loads(CliRunner().invoke(app, ["explain", *files, "--output", "json"]).stdout)
    commands = [one for finding in as_json["findings"] for one in finding["remedy"]["commands"]]
    assert {("az", "reads"), ("az", "changes"), ("powershell", "changes")} <= {
        (one["tool"], one["does"]) for one in commands
    }
    text = CliRunner().invoke(app, ["explain", *files]).stdout
    for one in commands:
        assert f"    {one['tool']}, {one['does']}\n      {one['text'].splitlines()[0]}\n" in text
