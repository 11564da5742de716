"""What mkdocs cannot take from `docs/` as it lies: the reference, made from the code, and pages of the root.

A hook of mkdocs; see mkdocs.yml. A link that leaves `docs/` leads to what the site does not have: README and
its like become pages of the site, and any other becomes its text.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from arcferry import catalog
from arcferry.catalog.exit_codes import codes
from arcferry.catalog.store import load
from arcferry.cli.app import app
from arcferry.diagnosis.pages import Page, pages
from arcferry.report.as_json import SCHEMA
from json_documents import Fields, documents

ROOT = Path(__file__).parents[1]
OF_ROOT = {
    "README.md": "index.md",
    "README.zh-TW.md": "zh-TW.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages that lie outside `docs/`, and what the site calls them."""

_OF_EVERY_COMMAND = {"verbose", "config", "help"}
_OF_JSON = f"""\
What `--output json` prints is one object. Its `schema` is {SCHEMA}: arcferry refuses a document of
another. Pass over fields that you do not know. An instant is a text as `2026-11-29T08:00:00Z`, a day
one as `2026-11-29`; what is unknown is null or an empty text. Texts are English in every language.
`--output jsonl` has a line for each row and each finding, then one for the rest. Below, the fields of
an object, or of each object of a list, stand beneath it; `NAME` stands for names that are data, and `…`
for further fields."""
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<to>[^)#\s]+)(?P<part>#[^)]*)?\)")
_EXIT = re.compile(r"Exit codes? .*", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every decision into the menu, so that a new one needs no line in mkdocs.yml."""
    decisions = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    of_decisions = ["decisions/index.md", *(f"decisions/{name}" for name in decisions)]
    config.nav = [*(config.nav or ()), {"Decisions": of_decisions}]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are made, or lie elsewhere."""
    for source, name in OF_ROOT.items():
        files.append(
            File.generated(config, name, content=_moved((ROOT / source).read_text(encoding="utf-8"), ROOT))
        )
    for name, lines in _REFERENCE.items():
        files.append(File.generated(config, f"reference/{name}.md", content="\n".join(lines())))
    files.append(File.generated(config, "decisions/index.md", content="\n".join(_decisions())))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:  # noqa: ANN401  # mkdocs's own
    """The page with every link leading to a page of the site, or nowhere."""
    path = page.file.abs_src_path
    return _moved(markdown, Path(path).parent) if path else markdown


def _moved(markdown: str, folder: Path) -> str:
    """Markdown of a file in this folder, whose links fit the site. Code is left as it is.

    Raises:
        ValueError: a link leads to no file.
    """
    parts = re.split(r"(^```.*?^```$|`[^`\n]+`(?!\]))", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        part if number % 2 else _LINK.sub(lambda match: _link(match, folder), part)
        for number, part in enumerate(parts)
    )


def _link(match: re.Match[str], folder: Path) -> str:
    to, text, part = match["to"], match["text"], match["part"] or ""
    if ":" in to:
        return match[0]
    target = (folder / to).resolve()
    if not target.exists():
        raise ValueError(f"{folder}: no {to}")
    if target == ROOT / "docs/decisions":
        to = "decisions/index.md"
    elif target.is_relative_to(ROOT / "docs"):
        to = _from(folder, target.relative_to(ROOT / "docs"))
    elif (name := target.relative_to(ROOT).as_posix()) in OF_ROOT:
        to = _from(folder, Path(OF_ROOT[name]))
    else:
        return text
    return f"{match['image']}[{text}]({to}{part})"


def _from(folder: Path, target: Path) -> str:
    """A page of the site as a file in this folder names it."""
    deep = len(folder.relative_to(ROOT / "docs").parts) if folder.is_relative_to(ROOT / "docs") else 0
    return "../" * deep + target.as_posix()


def _decisions() -> Iterator[str]:
    yield from ("# Decisions", "", "Why things are as they are.", "")
    for path in sorted((ROOT / "docs/decisions").glob("*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        yield f"- [{title}]({path.name})"


def _commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401  # typer's own
    """Every command that can be run, with the words that run it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield words, command
        return
    for name in below:
        yield from _commands(below[name], *words, name)


def commands() -> Iterator[str]:
    """Every command with its help, its arguments and its options by panel."""
    yield from (
        "# Commands",
        "",
        "As `--help` has them, without what [every command](../site-file.md) takes.",
        "",
    )
    for words, command in _all_commands():
        yield from (f"## arcferry {' '.join(words)}", "", _prose(command.help), "")
        yield from _parameters(command)


def _all_commands() -> list[tuple[tuple[str, ...], Any]]:
    return [(words, one) for words, one in _commands(typer.main.get_command(app)) if not one.hidden]


def _parameters(command: Any) -> Iterator[str]:  # noqa: ANN401  # typer's own
    shown = [
        one
        for one in command.params
        if not getattr(one, "hidden", False) and one.name not in _OF_EVERY_COMMAND
    ]
    if not shown:
        return
    yield from ("| option or argument | what for |", "|---|---|")
    for one in shown:
        is_option = one.param_type_name == "option"
        names = sorted(one.opts + one.secondary_opts, key=len, reverse=True) if is_option else []
        shape = " ".join((*names, one.metavar or ("" if is_option else one.name.upper()))).strip()
        yield f"| `{shape}` | {_cell(getattr(one, 'help', None) or '')} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _prose(text: str | None) -> str:
    """A docstring's paragraphs; what looks like a tag is text."""
    return (text or "").replace("\f", "").replace("<", "&lt;").strip()


def exit_codes() -> Iterator[str]:
    """What each command ends with, as its help says."""
    yield from ("# Exit codes", "")
    yield "0 all is well, 1 something was found or a host failed, 2 an option or a file is wrong, 3 blocked"
    yield "before anything was begun, 4 signing in failed, 130 after Ctrl-C or SIGTERM. Of each command:"
    yield from ("", "| command | ends with |", "|---|---|")
    for words, command in _all_commands():
        if said := _EXIT.search(_prose(command.help)):
            yield f"| `arcferry {' '.join(words)}` | {_cell(said[0])} |"


def causes() -> Iterator[str]:
    """Every cause that a finding may name, by its family."""
    yield from ("# Causes", "", "What `arcferry explain CAUSE` prints, with invented names.", "")
    for page in pages():
        yield from (f"## {page.slug}", "", f"**{page.title}**", "", page.meaning, "")
        yield from (f"Severity: {page.severity.value}. Owner: {page.to or page.owner.value} team.", "")
        yield from _block("Told from", page.tells)
        yield from _block("As it is seen", _fence(page.symptom))
        yield from _fix(page)
        yield from _block("The letter", _fence(page.request))


def _fix(page: Page) -> Iterator[str]:
    if page.fix:
        yield from ("What to do:", "", *(f"{number}. {step}" for number, step in enumerate(page.fix, 1)), "")
    if page.example:
        lines = [f"{one.text}  # {one.does.value}" for one in page.example]
        yield from (_fence("\n".join(lines)), "")


def _block(title: str, text: str) -> Iterable[str]:
    return (f"{title}:", "", text, "") if text else ()


def _fence(text: str) -> str:
    return f"```text\n{text}\n```" if text else ""


def endpoints() -> Iterator[str]:
    """Every endpoint of the catalogue, a table a cloud."""
    yield from (
        "# Endpoints",
        "",
        "The catalogue that `arcferry check` and `routes plan` ask, with its sources.",
        "",
    )
    document = load("endpoints")
    for cloud in catalog.clouds():
        yield from (f"## {cloud.name}", "", "| endpoint | what for | when | source |", "|---|---|---|---|")
        for row in document.content[cloud.name]:
            source, purpose = document.sources[row["source"]], _cell(row["purpose"])
            when = "always" if row.get("required") else row["when"]
            yield f"| `{row['host']}` | {purpose} | {when} | {_cell(source.text)}, {source.taken} |"
        yield ""


def code_list() -> Iterator[str]:
    """Every code that explain knows."""
    yield from ("# Codes of agents and installers", "", "As `arcferry explain CODE` tells them.", "")
    yield from ("| code | meaning | way out | source |", "|---|---|---|---|")
    for one in codes():
        yield f"| `{one.code}` | {_cell(one.meaning)} | {_cell(one.remedy)} | {_cell(one.source)} |"


def json_documents() -> Iterator[str]:
    """Every kind of JSON document with its fields, and what all of them keep."""
    yield from ("# JSON documents", "")
    yield _OF_JSON
    finding = next(one for one in documents() if one.kind == "findings").fields.of["findings"]
    yield from ("", "## findings of a document", "", "Wherever a document has `findings`, each has:", "")
    yield _fence("\n".join(_fields(finding, 0)))
    yield from (
        "",
        "`evidence` is what was judged by: `arcferry explain` and `report` read it, nobody else should.",
        "",
    )
    for one in documents():
        yield from (f"## {one.kind}", "", f"{one.about}.", "") if one.about else (f"## {one.kind}", "")
        yield from (_fence("\n".join(_fields(one.fields, 0))), "")


def _fields(fields: Fields, deep: int) -> Iterator[str]:
    for name, inner in fields.of.items():
        shared = deep == 0 and name in ("findings", "evidence")
        yield f"{'  ' * deep}{name}: {inner.type}"
        yield from () if shared else _fields(inner, deep + 1)
    if deep and fields.open and fields.of and "NAME" not in fields.of:
        yield f"{'  ' * deep}…"


_REFERENCE = {
    "json": json_documents,
    "commands": commands,
    "causes": causes,
    "endpoints": endpoints,
    "exit-codes": exit_codes,
    "codes": code_list,
}
