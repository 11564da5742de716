"""Every text of arcferry in which a command may stand: what it prints, its sources and its documents."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from arcferry.diagnosis import judge
from arcferry.diagnosis.pages import pages
from arcferry.evidence.reading import read_document
from arcferry.routing.circuit import Circuit
from arcferry.routing.filter_change import AsOf, changes, fetch, see

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
_MARKUP = (".md", ".yml", ".txt", ".html")
_SCRIPTS = (".sh", ".ps1")
# What redaction looks for is what others write; a change log tells of the past.
_OF_OTHERS = ("redaction", "CHANGELOG.md")


@dataclass(frozen=True)
class Text:
    """A text and where it stands; `tool` is whose command line it is, if it is nothing else."""

    where: str
    text: str
    tool: str = ""


def strings(value: object) -> Iterator[str]:
    """Every text in a TOML document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in strings(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in strings(item))


def _of_python(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented)
            and node.body and isinstance(node.body[0], ast.Expr)}  # fmt: skip
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{x}" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | inner:
            yield node.value


@cache
def written() -> tuple[Text, ...]:
    """What stands in the sources and documents; values are still in braces."""
    found: list[Text] = []
    for path in sorted([*ROOT.glob("src/arcferry/**/*"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")]):
        where = str(path.relative_to(ROOT))
        if not path.is_file() or set(path.relative_to(ROOT).parts) & set(_OF_OTHERS):
            continue
        if path.suffix == ".py":
            texts = list(_of_python(path.read_text(encoding="utf-8")))
        elif path.suffix == ".toml":
            texts = list(strings(tomllib.loads(path.read_text(encoding="utf-8"))))
        elif path.suffix in _MARKUP + _SCRIPTS:
            texts = [path.read_text(encoding="utf-8")]
        else:
            continue
        found += [Text(where, text) for text in texts]
    return tuple(found)


@cache
def paged() -> tuple[Text, ...]:
    """Each cause's page."""
    return tuple(
        Text(page.slug, one)
        for page in pages()
        for one in (*(one.text for one in page.example), *page.fix, page.request, page.symptom)
    )


@cache
def printed() -> tuple[Text, ...]:
    """What comes out: each cause's page, the findings of every case, the change of a filter."""
    found = list(paged())
    for folder in sorted(path.parent for path in CASES.glob("*/expected.toml")):
        paths = [path for path in sorted(folder.iterdir()) if path.name != "expected.toml"]
        documents = [one for path in paths for one in read_document(path.name, path.read_bytes())]
        for finding in judge(documents).findings:
            remedy = finding.remedy
            found += [Text(folder.name, one.text, one.tool) for one in remedy.commands]
            found += [Text(folder.name, one) for one in (*remedy.steps, remedy.request)]
    return (*found, *filter_texts())


@cache
def filter_texts() -> tuple[Text, ...]:
    """The change of a route filter: its rule known, its rule not known, and a filter that has to be made."""
    found = [Text("fetch", fetch("rf", "rg(1)"), "az"), Text("see", see("rf", "rg(1)").text, "az")]
    here = "/subscriptions/22222222-3333-4444-5555-666666666666/resourceGroups/rg-edge"
    circuit = Circuit(
        "er-hk",
        resource_group="rg-edge",
        resource_id=f"{here}/providers/Microsoft.Network/expressRouteCircuits/er-hk",
        location="eastasia",
    )
    for new, rule in ((True, ""), (False, ""), (False, "arc")):
        made = changes(
            "rf", "rg(1)", rule, (), ["12076:51010", "12076:51011"],
            asof=AsOf(), location="East Asia", circuit=circuit, new=new,
        )  # fmt: skip
        found += [Text("filter_change", one.text, one.tool) for one in made if one.text]
    return tuple(found)
