"""The letters: whole in every language, for every kind of place, with commands that the tools take."""

import re
from datetime import date

import pytest
import typer
from tests.commands.az_lines import Line, calls, check

from arcferry import catalog
from arcferry.catalog import Endpoint
from arcferry.cli.app import COMMANDS, app
from arcferry.prepare import LANGUAGES, Facts, Site, facts_of, read_site, words
from arcferry.prepare.compose import as_markdown, as_text, composed, first_page
from arcferry.prepare.words import SECTIONS, Block
from arcferry.text import fill

TODAY = date(2026, 11, 29)
GUID = "a66c9f65-b9e8-42c7-8f93-9d69638e80fd"
SLUGS = ["network", "firewall-and-dns", "identity", "file-share-and-group-policy", "security"]


def site(location: str = "eastasia", cloud: str = "AzureCloud") -> Site:
    chosen = catalog.cloud(cloud)
    return read_site(
        chosen, catalog.region(location, chosen), subscription=GUID, group="rg-arc", circuit="er-hk"
    )


def facts(location: str = "eastasia", cloud: str = "AzureCloud") -> Facts:
    return facts_of(site(location, cloud), TODAY)


def whole(about: Facts, language: str = "en") -> str:
    """Everything that is written in a language, as Markdown."""
    said = words(language)
    texts = [as_markdown(one.title, composed(one, said, about), said.labels) for one in said.letters]
    page = as_markdown(fill(said.title, about.values), first_page(said, about, [("a", "b")]), said.labels)
    return "\n".join((*texts, page))


def skeleton(blocks: tuple[Block, ...]) -> list[tuple[str, tuple[str, str], list[str], bool]]:
    """What every language has to have in common."""
    return [
        (one.when, one.place, sorted(set(re.findall(r"\{\{\w+\}\}|`[^`]+`", one.text))), one.text[:2] == "- ")
        for one in blocks
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same(language: str) -> None:
    said, english = words(language), words("en")
    assert [one.slug for one in said.letters] == SLUGS
    for own, other in zip(said.letters, english.letters, strict=True):
        assert tuple(own.sections) == SECTIONS
        for name in SECTIONS:
            assert skeleton(own.sections[name]) == skeleton(other.sections[name]), (own.slug, name)
    assert skeleton(said.first) == skeleton(english.first)
    for mine, others in (
        (said.labels, english.labels),
        (said.headings, english.headings),
        (said.items, english.items),
        (said.captions, english.captions),
    ):
        assert mine.keys() == others.keys()
        assert all(mine.values())
    assert {name: len(row) for name, row in said.tables.items()} == {
        name: len(row) for name, row in english.tables.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("location", "cloud"),
    [
        ("eastasia", "AzureCloud"),
        ("taiwannorth", "AzureCloud"),
        ("usgovvirginia", "AzureUSGovernment"),
        ("chinaeast2", "AzureChinaCloud"),
    ],
)
def test_nothing_is_left_open_at_any_place(location: str, cloud: str, language: str) -> None:
    about = facts(location, cloud)
    text = whole(about, language)
    assert "{{" not in text
    assert "@table" not in text
    assert "@run" not in text
    assert location in text
    said = words(language)
    for letter in said.letters:
        assert as_text(letter.title, composed(letter, said, about), said)


def test_the_names_are_the_catalogue_s() -> None:
    chosen = catalog.cloud("AzureCloud")
    required: tuple[Endpoint, ...] = catalog.endpoints(chosen, catalog.region("eastasia", chosen))
    listed = {row[0] for row in facts().tables["endpoints"]}
    assert {one.host for one in required if one.host} <= listed


def test_the_communities_are_documented_ones_and_what_is_not_known_is_said() -> None:
    documented = {one.value for one in catalog.communities()}
    assert {row[0] for row in facts().tables["communities"]} <= documented
    assert facts().tables["without"] == ()
    assert "arcferry does not guess" not in whole(facts())
    assert [row[0] for row in facts("taiwannorth").tables["without"]] == ["taiwannorth"]
    assert "arcferry does not guess" in whole(facts("taiwannorth"))


def test_every_letter_ends_with_what_it_rests_on_and_its_day() -> None:
    about = facts()
    assert any(re.search(r"endpoints: .*\d{4}-\d\d-\d\d", one) for one in about.sources)
    assert any(re.search(r"communities: .*\d{4}-\d\d-\d\d", one) for one in about.sources)
    assert any("rights" in one for one in about.sources)


def test_a_star_in_a_name_is_a_star() -> None:
    assert r"| \*.his.arc.azure.com |" in whole(facts())


LINES = [line.text for box in facts().runs.values() for line in box.lines]


@pytest.mark.parametrize("text", [one for one in LINES if one.startswith("az ")])
def test_az_takes_every_line(text: str) -> None:
    (line,) = calls("letters", text)
    assert isinstance(line, Line)
    check(line)


@pytest.mark.parametrize("text", [one for one in LINES if not one.startswith("az ")])
def test_arcferry_takes_every_line(text: str) -> None:
    tool, *rest = text.partition(" > ")[0].split(" ")
    assert tool == "arcferry"
    if rest[0] not in COMMANDS:
        pytest.skip(f"no {rest[0]} here")
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    known = {name for one in command.params for name in one.opts}
    assert {word for word in rest if word.startswith("--")} <= known
