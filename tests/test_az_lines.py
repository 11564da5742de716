"""Every line of `az` that arcferry prints, against what azure-cli itself takes."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from arcferry.diagnosis import judge
from arcferry.evidence.reading import read_document
from arcferry.routing.filter_change import AsOf, changes, fetch, see

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
TABLE = tomllib.loads((ROOT / "tests" / "az-2.91.0.toml").read_text(encoding="utf-8"))
PROSE = ("az", "for", "and", "has", "PowerShell", "itself", "alone", "does", "not", "takes", "login")
_LINE = re.compile(r"(?<![\w/.-])az ((?:[a-z][a-z-]*)(?: [^\n]*)?)")
_TOKEN = re.compile(r'"[^"]*"|\'[^\']*\'|[^\s"\']+(?:"[^"]*")?')
_ENDS = (">", ";", "|", "&&", "`")


@dataclass(frozen=True)
class Line:
    """One call of `az` and where it stands."""

    where: str
    text: str

    @property
    def tokens(self) -> list[str]:
        return _TOKEN.findall(self.text)

    @property
    def path(self) -> str:
        """The longest command that the table has; empty where it has none."""
        words = self.tokens
        found = [" ".join(words[:count]) for count in range(1, 6)]
        return next((path for path in reversed(found) if path in TABLE["commands"]), "")

    @property
    def options(self) -> list[str]:
        return [token.partition("=")[0] for token in self.tokens if re.match(r"--?[a-zA-Z]", token)]


def calls(where: str, text: str) -> Iterator[Line]:
    """Every call in a text, without what follows it on its line."""
    for found in _LINE.finditer(text):
        kept: list[str] = []
        for token in _TOKEN.findall(re.split(r"[`\u2026]", found[1])[0]):
            if token in _ENDS or token.startswith((">", "(")):
                kept.append(token)
                break
            kept.append(token)
            if token.endswith((",", ";", ".", ")", ":")) and not token.startswith("--"):
                kept[-1] = token.rstrip(",;.):")
                break
        if kept[0] not in PROSE or (len(kept) > 1 and kept[1].startswith("-")):
            yield Line(where, " ".join(kept))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _strings(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in _strings(item))


def _of_python(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented)
            and node.body and isinstance(node.body[0], ast.Expr)}  # fmt: skip
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | inner:
            yield node.value


@cache
def _written() -> tuple[Line, ...]:
    found: list[Line] = []
    for path in sorted([*ROOT.glob("src/arcferry/**/*"), *ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]):
        where = str(path.relative_to(ROOT))
        # What redaction looks for is what others write.
        if not path.is_file() or "redaction" in path.parts or where == "CHANGELOG.md":
            continue
        if path.suffix == ".py":
            texts = list(_of_python(path))
        elif path.suffix == ".toml":
            texts = list(_strings(tomllib.loads(path.read_text(encoding="utf-8"))))
        elif path.suffix in (".md", ".sh", ".ps1", ".yml", ".txt", ".html"):
            texts = [path.read_text(encoding="utf-8")]
        else:
            continue
        found += [line for text in texts for line in calls(where, text)]
    return tuple(dict.fromkeys(found))


@cache
def _printed() -> tuple[Line, ...]:
    """The commands, steps and letters of every case, and the change of a route filter in every situation."""
    found: list[Line] = []
    for folder in sorted(path.parent for path in CASES.glob("*/expected.toml")):
        paths = [path for path in sorted(folder.iterdir()) if path.name != "expected.toml"]
        documents = [one for path in paths for one in read_document(path.name, path.read_bytes())]
        for finding in judge(documents).findings:
            remedy = finding.remedy
            texts = [*(command.text for command in remedy.commands), *remedy.steps, remedy.request]
            found += [line for text in texts for line in calls(folder.name, text)]
    for new in (True, False):
        for rule in ("", "arc"):
            made = changes(
                "rf", "rg(1)", rule, (), ["12076:51010"], asof=AsOf(), location="East Asia", new=new
            )
            found += [line for one in made for line in calls(one.tool, one.text)]
    found += [*calls("fetch", fetch("rf", "rg(1)")), *calls("see", see("rf", "rg(1)").text)]
    return tuple(dict.fromkeys(found))


def _id(line: Line) -> str:
    return f"{line.where}-{line.text[:60]}"


@pytest.mark.parametrize("line", [*_written(), *_printed()], ids=_id)
def test_az_takes_the_line(line: Line) -> None:
    assert line.tokens[0] not in TABLE["extensions"], line
    assert line.path, f"{line} is no command that the table has"
    known: Any = TABLE["commands"][line.path]
    for option in line.options:
        assert option in known, f"{option} is no option of az {line.path}: {line}"
        assert option != TABLE["never"].get(line.path), line
    one, other = TABLE["together"].get(line.path, ("", ""))
    assert (one in line.options) == (other in line.options), line


@pytest.mark.parametrize("line", [*_written(), *_printed()], ids=_id)
def test_the_line_reads_the_same_in_every_shell(line: Line) -> None:
    outside = re.sub(r'"[^"]*"', "", line.text)
    assert "'" not in outside, line
    assert not set(line.text) & set("$\\%`^"), line
    for quoted in re.findall(r'"[^"]*"', line.text):
        assert not set(quoted) & set("&|<>") or " " in quoted, line
    if ">" in outside:
        assert re.search(r"--output (?:json|tsv) *>", line.text), line


def test_a_line_that_az_refuses_is_found() -> None:
    (line,) = calls(
        "x", "az network route-filter rule update -g RG --filter-name F --communities 12076:51010"
    )
    assert line.path == "network route-filter rule update"
    assert "--communities" not in TABLE["commands"][line.path]
    (machine,) = calls("x", "az connectedmachine list --resource-group rg")
    assert machine.tokens[0] in TABLE["extensions"]


def test_there_are_lines_to_look_at() -> None:
    paths = {line.path for line in (*_written(), *_printed())}
    assert len(paths) > 25
    assert {"network route-filter rule update", "network route-filter rule delete"} <= paths
