"""What arcferry asks for it can read: each command that it prints has a reader for its output."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from arcferry.command_line import Does
from arcferry.diagnosis import judge, pages
from arcferry.diagnosis.words import how_to_get
from arcferry.evidence.case import Kind
from arcferry.evidence.reading import read_document
from arcferry.routing.filter_change import AsOf, changes, fetch, see

ROOT = Path(__file__).parents[3]
TABLE: dict[str, Any] = tomllib.loads((Path(__file__).parent / "commands.toml").read_text(encoding="utf-8"))
READS: dict[str, dict[str, Any]] = {one["shape"]: one for one in TABLE["reads"]}
UNREAD: dict[str, str] = {one["shape"]: one["why"] for one in TABLE["unread"]}
CHANGES: list[str] = TABLE["changes"]["shapes"]

_IN_PROSE = re.compile(
    r"(?<![\w/.-])(?:az (?:account|ad|group|lock|network|policy|provider|resource|rest|role) |"
    r"azcmagent (?:check|show|logs|version|config (?:list|get)|connect|disconnect)\b|"
    r"show (?:ip|bgp|route) \S|"
    r"arcferry (?:check|explain|evidence|routes|watch)\b|nslookup HOST|"
    r"(?:systemctl status|netsh winhttp|Get-Service|tracert|birdc) \S)[^\n`,;|>]{0,300}"
)
_LANGUAGES = ("bicep", "terraform", "request")


def _parts(command: str) -> Iterator[str]:
    """The commands of a line: those behind a semicolon or && too, without what only formats or keeps output.

    Of a script of several lines those of az, or its first line.
    """
    if len(lines := command.splitlines()) > 1:
        yield from [line for line in lines if line.startswith("az ")] or lines[:1]
        return
    within = re.compile(r"\"[^\"]*\"|'[^']*'|\{[^}]*\}")
    hidden = within.sub(lambda found: found[0].translate({59: 1, 124: 2, 38: 3, 62: 4}), command)
    for part in re.split(r";|&&", hidden):
        one = re.split(r"\||>|<", part)[0].translate({1: 59, 2: 124, 3: 38, 4: 62}).strip()
        yield one.removeprefix("sudo ").strip()


def _shape(command: str) -> str:
    """The longest shape that the command has; empty if it has none."""
    shapes = (*READS, *UNREAD, *CHANGES)
    fitting = (one for one in shapes if re.match(".*".join(map(re.escape, one.split("*"))), command))
    return max(fitting, key=len, default="")


def _is_change(command: str) -> bool:
    return any(_shape(part) in CHANGES for part in _parts(command))


@cache
def _printed() -> tuple[tuple[str, str, Does], ...]:
    """Every command with its mark: of each page, of what follows from each case, of the filter's change."""
    found = [(page.slug, one) for page in pages.pages() for one in page.example]
    for place in sorted(ROOT.glob("tests/cases/*/expected.toml")):
        paths = [path for path in sorted(place.parent.iterdir()) if path != place]
        documents = [one for path in paths for one in read_document(path.name, path.read_bytes())]
        found += [
            (place.parent.name, one) for each in judge(documents).findings for one in each.remedy.commands
        ]
    made = [
        one for new in (True, False)
        for one in (*changes("rf", "rg", "", (), ["12076:51013"], asof=AsOf(), new=new), see("rf", "rg"))
    ]  # fmt: skip
    lines = [(where, one.tool, one.text, one.does) for where, one in found]
    lines += [("change", one.tool, one.text, one.does) for one in made]
    lines.append(("change", "az", fetch("rf", "rg"), Does.READS))
    # A language is no command line.
    return tuple(
        dict.fromkeys((where, text, does) for where, tool, text, does in lines if tool not in _LANGUAGES)
    )


def _prose(texts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for where, text in texts:
        for found in _IN_PROSE.finditer(text):
            yield where, found[0].strip().rstrip(".:)")


@cache
def _said() -> tuple[tuple[str, str], ...]:
    """Every command in steps and letters, in what evidence is asked for by, and in documents."""
    texts = [(page.slug, text) for page in pages.pages() for text in (*page.fix, page.request)]
    texts += list(how_to_get().items())
    texts += [
        (path.name, path.read_text(encoding="utf-8"))
        for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))
    ]
    guide = ROOT / "src/arcferry/bundle/guide"
    texts += [(path.name, path.read_text(encoding="utf-8")) for path in guide.glob("*.toml")]
    texts += [
        (path.name, path.read_text(encoding="utf-8")) for path in ROOT.glob("src/arcferry/export/pages/*.md")
    ]
    return tuple(dict.fromkeys(_prose(texts)))


@pytest.mark.parametrize(("where", "command", "does"), _printed(), ids=lambda one: str(one)[:70])
def test_a_command_does_what_its_mark_says_and_is_known(where: str, command: str, does: Does) -> None:
    for part in _parts(command):
        assert _shape(part), f"{where}: no sample of the output, and no reason why: {part}"
    assert (does is Does.CHANGES) == _is_change(command), (where, command)


@pytest.mark.parametrize(("where", "command"), _said(), ids=lambda one: str(one)[:70])
def test_a_command_in_a_sentence_is_known_too(where: str, command: str) -> None:
    assert _shape(next(_parts(command))), f"{where}: no sample of the output, and no reason why: {command}"


def _kinds(text: str) -> list[Kind]:
    return [one.kind for one in read_document("pasted.txt", text.encode())]


def _behind_its_command(shape: str) -> str:
    """The sample as it stands in a terminal; as it is if it answers no command."""
    row = READS[shape]
    command = row.get("command", shape.replace("*", "x"))
    prompt = row.get("prompt", "PS C:\\Users\\op>" if re.match(r"[A-Z$\[]", shape) else "op@plant-db01:~$")
    return f"{prompt} {command}\n{row['sample']}\n{prompt}\n" if command else row["sample"]


@pytest.mark.parametrize("shape", READS)
def test_the_output_of_what_is_asked_for_is_read(shape: str) -> None:
    row = READS[shape]
    assert row["kind"] in _kinds(_behind_its_command(shape)), "behind its command"
    if "needs_prompt" not in row:
        assert row["kind"] in _kinds(row["sample"]), "by itself"


@pytest.mark.parametrize("shape", [one for one in READS if one != "# Asks this server"])
def test_a_sample_leaves_nothing_that_nobody_understood(shape: str) -> None:
    row = READS[shape]
    assert Kind.UNRECOGNISED not in _kinds(_behind_its_command(shape))
    if "needs_prompt" not in row:
        assert Kind.UNRECOGNISED not in _kinds(row["sample"])


def test_every_exception_has_a_reason() -> None:
    assert all(len(why.split()) > 4 for why in UNREAD.values())
    assert all(len(one["needs_prompt"].split()) > 4 for one in READS.values() if "needs_prompt" in one)


@pytest.mark.parametrize("kind", sorted({one["kind"] for one in READS.values()}))
def test_what_an_output_is_taken_for_is_a_kind(kind: str) -> None:
    assert kind in list(Kind)


def test_nothing_stands_in_the_table_that_is_printed_nowhere() -> None:
    used = {_shape(part) for _, command, _ in _printed() for part in _parts(command)}
    used |= {_shape(next(_parts(command))) for _, command in _said()}
    asked_by_others = {"Get-Service", "systemctl status", "w32tm /stripchart", "tracert", "show route"}
    assert {*READS, *UNREAD, *CHANGES} - used <= asked_by_others
