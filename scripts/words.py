"""Gather the words that stand in code and on the pages of steps, and compile their translations.

    python scripts/words.py             what is missing, left over, stale, fuzzy, or has other placeholders
    python scripts/words.py --update    put each new text into the .po, take the old ones out, compile the .mo
    python scripts/words.py --stamp NAME    this page of steps was compared with the English of now

The first line of a translated page holds the stamp of the English text that it was made from.
"""

import ast
import hashlib
import io
import re
import string
import sys
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from arcferry import azure, command_line
from arcferry.catalog import store
from arcferry.data import update as data_update
from arcferry.diagnosis import expectation, finding, since
from arcferry.fleet import events, following, outcome
from arcferry.fleet.errands import errand
from arcferry.leave import trace
from arcferry.routing import coverage, features
from arcferry.verify import DueKind, standing

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/arcferry"
PO = SOURCE / "locale/zh-TW/words.po"
MO = PO.with_suffix(".mo")
LANGUAGE = "zh_TW"
PAGES = SOURCE / "export/pages"
_KEPT = re.compile(r"(?s)```.*?```|\{\{\w+\}\}|`[^`\n]+`")
"""What a translation of a page has as the English has it: commands, values and names."""
DATA = SOURCE / "catalog/data"
_IN_DATA = {
    "alternatives": ("title", "stage", "internet", "says", "costs", "limits"),
    "announced": ("says",),
    "answers": ("asked_from", "text"),
    "endpoints": ("purpose",),
    "features": ("title", "says", "instead", "private", "undecided"),
    "peering": ("says",),
    "service_tags": ("reason",),
}
"""The sentences of the catalogue's files; what codes mean is translated beside them (`translations.py`)."""
_NAMES = {"Azure Private Link", "Entra ID", "SSH", "Windows Admin Center"}
"""Of data's texts those that are the same in every language."""
_FUNCTIONS = {"_", "marked", "headings", "ngettext"}

Text = str | tuple[str, str]


def gathered() -> dict[Text, list[str]]:
    """Every text with the files that it stands in: those functions' arguments, data, and the states shown."""
    found: dict[Text, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for text in _of(ast.parse(path.read_text(encoding="utf-8"))):
            if name not in found.setdefault(text, []):
                found[text].append(name)
    for name, keys in _IN_DATA.items():
        path = DATA / f"{name}.toml"
        held = dict.fromkeys(_of_data(tomllib.loads(path.read_text(encoding="utf-8")), keys))
        for text in held.keys() - _NAMES:
            found.setdefault(text, []).append(path.relative_to(ROOT).as_posix())
    for kind in _states():
        for one in kind:
            found.setdefault(one.value, []).append(f"src/{kind.__module__.replace('.', '/')}.py")
    return found


def not_literal() -> list[str]:
    """Where a text is no literal, and so would never be found in the catalogue: file and line."""
    return [
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS
        if any(isinstance(one, ast.JoinedStr | ast.BinOp) for one in node.args[:2])
    ]


def _of(tree: ast.Module) -> Iterator[Text]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
            texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if node.func.id == "ngettext":
                yield texts[0], texts[1]
            else:
                yield from filter(None, texts)


def _of_data(table: object, keys: tuple[str, ...]) -> Iterator[str]:
    for one in table if isinstance(table, list) else ():
        yield from _of_data(one, keys)
    for key, value in table.items() if isinstance(table, dict) else ():
        if isinstance(value, str) and key in keys:
            yield value
        yield from _of_data(value, keys)


def _states() -> tuple[type[StrEnum], ...]:
    """The kinds of states whose values are printed."""
    return (
        finding.Severity,
        finding.Confidence,
        finding.Owner,
        expectation.Met,
        since.Subject,
        command_line.Does,
        azure.CheckStatus,
        standing.State,
        standing.FaultKind,
        DueKind,
        following.RunState,
        outcome.StepState,
        outcome.HostOutcome,
        errand.ErrandOutcome,
        events.EventKind,
        trace.TraceKind,
        trace.TraceState,
        features.Standing,
        coverage.Verdict,
        data_update.Status,
        store.When,
    )


def translated() -> Catalog:
    """The translations as they are kept."""
    with PO.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def compiled(catalog: Catalog) -> bytes:
    """What the standard library's gettext reads."""
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def fields(text: str) -> set[str]:
    """The names in a text's braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def problems(texts: dict[Text, list[str]], catalog: Catalog) -> Iterator[str]:
    """Each text without a translation, each translation without a text, and what cannot be filled."""
    known = {message.id: message for message in catalog if message.id}
    for text in texts.keys() - known.keys():
        yield f"missing: {text}"
    for text, message in known.items():
        given = message.string if isinstance(message.string, str) else "".join(message.string)
        if text not in texts:
            yield f"left over: {text}"
        elif not given:
            yield f"not translated: {text}"
        elif message.fuzzy:
            yield f"fuzzy: {text}"
        elif fields(text if isinstance(text, str) else text[1]) != fields(given):
            yield f"other placeholders: {text}"


def page_problems(folder: Path = PAGES) -> Iterator[str]:
    """Each page of steps that is missing, stale, or has other commands or values than the English."""
    for english in sorted((*folder.glob("*.md"), folder / "words.toml")):
        path = folder / "zh-TW" / english.name
        if not path.exists():
            yield f"{english.name}: missing"
            continue
        text, given = english.read_text(encoding="utf-8"), path.read_text(encoding="utf-8")
        if stamp(text) not in given.partition("\n")[0]:
            yield f"{english.name}: of another English text"
        if set(_KEPT.findall(text)) != set(_KEPT.findall(given)):
            other = set(_KEPT.findall(text)) ^ set(_KEPT.findall(given))
            yield f"{english.name}: not alike: {sorted(other)}"
    for path in (folder / "zh-TW").iterdir():
        if not (folder / path.name).exists():
            yield f"{path.name}: left over"


def stamp(text: str) -> str:
    """Stands for an English page."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def write_stamp(name: str) -> None:
    """Mark a page as made from the English of now."""
    path = PAGES / "zh-TW" / name
    given = re.sub(r"\A(?:<!--|#) of \w+(?: -->)?\n", "", path.read_text(encoding="utf-8"))
    of = stamp((PAGES / name).read_text(encoding="utf-8"))
    head = f"<!-- of {of} -->" if path.suffix == ".md" else f"# of {of}"
    path.write_text(f"{head}\n{given}", encoding="utf-8")


def update() -> None:
    """Bring the .po to the texts of now, and compile it."""
    old = translated() if PO.exists() else Catalog(locale=LANGUAGE)
    new = Catalog(
        locale=LANGUAGE,
        header_comment="# The words of arcferry's terminal and pages, in Traditional Chinese for Taiwan.",
        project="arcferry",
        version="0",
        msgid_bugs_address="-",
        last_translator="-",
        language_team="-",
        charset="utf-8",
        creation_date=old.creation_date,
        revision_date=old.revision_date,
        fuzzy=False,
    )
    for text, names in sorted(gathered().items(), key=lambda one: (one[1][0], str(one[0]))):
        known = old.get(text if isinstance(text, str) else text[0])
        new.add(text, known.string if known else None, locations=[(name, 0) for name in names])
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, new, width=110, omit_header=False, include_lineno=False)
    MO.write_bytes(compiled(translated()))


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    for name in sys.argv[2:]:
        write_stamp(name)
    found = [*sorted(problems(gathered(), translated()), key=str), *page_problems()]
    print("\n".join(found) or "every text is there, and translated")
