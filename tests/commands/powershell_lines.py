"""Commands of PowerShell in texts, by its grammar, and what Microsoft's references say that each takes."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import tree_sitter_powershell
from tests.commands.texts import ROOT, Text, printed, written
from tree_sitter import Language, Node, Parser

from arcferry.report.firewall_forms import Content, write

TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").with_stem("powershell").read_text())
CMDLET = re.compile(
    r"\b(?:Add|Clear|Connect|Convert|ConvertFrom|ConvertTo|Copy|Disable|Enable|Export|Find|ForEach|Format|Get|"
    r"Import|Install|Invoke|Move|New|Out|Read|Register|Remove|Rename|Resolve|Restart|Select|Set|Sort|Start|Stop|"
    r"Tee|Test|Unblock|Uninstall|Update|Wait|Where|Write)-[A-Z][A-Za-z]+\b"
)
_ALIASES = {"ft": "Format-Table", "fl": "Format-List", "iwr": "Invoke-WebRequest"}
_FENCE = re.compile(r"```powershell\n(.*?)```", re.DOTALL)
_PROMPT = re.compile(r"^PS [^>\n]*> (.+)$", re.MULTILINE)
_IN_BRACES = re.compile(r"\{\{?[a-z_]+\}\}?")
_PARSER = Parser(Language(tree_sitter_powershell.language()))


@dataclass(frozen=True)
class Call:
    """One command: a cmdlet with its parameters in order, each with its value or an empty text."""

    where: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    bare: int
    text: str


@dataclass(frozen=True)
class Parameter:
    """A parameter: its name in lower case, whether it takes a value, is needed, may stand unnamed."""

    name: str
    takes: bool
    needed: bool
    placed: bool
    values: tuple[str, ...]


@cache
def takes(cmdlet: str) -> tuple[Parameter, ...]:
    """What the table says of a cmdlet; empty if it has none of this name."""
    rows = {name.lower(): row for group in _groups() for name, row in group["cmdlets"].items()}
    row = rows.get(_ALIASES.get(cmdlet, cmdlet).lower())
    return tuple(map(_parameter, f"{row[0]} {TABLE['common']}".split())) if row else ()


def _groups() -> Iterator[dict[str, Any]]:
    return (one for one in TABLE.values() if isinstance(one, dict))


def _parameter(word: str) -> Parameter:
    name, equals, rest = word.partition("=")
    values = tuple(filter(None, rest.lstrip("!").lower().split("|")))
    return Parameter(name.lstrip("@").lower(), bool(equals), "!" in rest, name.startswith("@"), values)


def calls(where: str, text: str) -> Iterator[Call]:
    """Every command in a text of PowerShell, those in blocks and parentheses too."""
    found = [_PARSER.parse(_IN_BRACES.sub("X", text).encode()).root_node]
    while found:
        node = found.pop()
        found += node.children
        name = node.child_by_field_name("command_name") if node.type == "command" else None
        if name is not None and name.text:
            yield _call(where, node, name.text.decode())


def _call(where: str, node: Node, name: str) -> Call:
    parameters: list[tuple[str, str]] = []
    bare = 0
    elements = node.child_by_field_name("command_elements")
    for element in elements.named_children if elements else ():
        said = (element.text or b"").decode()
        if element.type == "command_parameter":
            parameters.append((said.lstrip("-").rstrip(":").lower(), ""))
        elif element.type in ("command_argument_sep", "redirection"):
            continue
        elif parameters and not parameters[-1][1] and _takes_value(name, parameters[-1][0]):
            parameters[-1] = (parameters[-1][0], said)
        else:
            bare += 1
    return Call(where, name, tuple(parameters), bare, (node.text or b"").decode())


def _takes_value(cmdlet: str, parameter: str) -> bool:
    return any(one.takes for one in takes(cmdlet) if one.name == parameter)


def problem(call: Call) -> str:
    """Why PowerShell does not take the call; empty if it does."""
    known = {one.name: one for one in takes(call.name)}
    if not known:
        return f"{call.name} is not in the table"
    for name, value in call.parameters:
        if name not in known:
            return f"{call.name} has no parameter -{name}"
        if known[name].takes and not value:
            return f"-{name} lacks its value"
        said = value.strip("'\"").lower()
        if known[name].values and said not in ("x", *known[name].values) and not said.startswith("$"):
            return f"-{name} takes {known[name].values}, not {value}"
    given = {name for name, _ in call.parameters}
    placed = [one for one in known.values() if one.placed and one.name not in given]
    if call.bare > len(placed):
        return f"{call.bare} values without a parameter, places for {len(placed)}"
    needed = (
        {one.name for one in known.values() if one.needed} - given - {one.name for one in placed[: call.bare]}
    )
    # By their names: a value in its place may be any of those that have one.
    return f"needs {sorted(needed)}" if len(needed) > call.bare else ""


def powershell_texts() -> Iterator[Text]:
    """Every text that is PowerShell's: commands of causes, blocks, lines at its prompt, the guide's."""
    for path in sorted(ROOT.glob("src/arcferry/diagnosis/words/*/*.toml")):
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        yield from (Text(path.name, one) for one in _of_tool(found))
    yield from (one for one in printed() if one.tool == "powershell")
    yield Text(
        "firewall", write("windows", Content(("as of a day",), {"Tag": [ip_network("203.0.113.0/24")]}))
    )
    for one in (*written(), *printed()):
        if not one.where.endswith((".py", ".ps1", ".sh")):
            yield from (
                Text(one.where, part) for part in (*_FENCE.findall(one.text), *_PROMPT.findall(one.text))
            )
    guide = tomllib.loads((ROOT / "src/arcferry/bundle/guide/commands.toml").read_text(encoding="utf-8"))
    yield from (Text("guide", one) for one in _of_windows(guide))


def _of_tool(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("powershell"), str):
            yield value["powershell"]
        value = list(value.values())
    if isinstance(value, list):
        yield from (text for one in value for text in _of_tool(one))


def _of_windows(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "windows":
                yield from [one] if isinstance(one, str) else [text for text in one if isinstance(text, str)]
            else:
                yield from _of_windows(one)


def every(texts: Iterable[Text]) -> tuple[Call, ...]:
    """Every call of a cmdlet in the texts, each once."""
    found = (call for text in texts for call in calls(text.where, text.text))
    return tuple(dict.fromkeys(one for one in found if CMDLET.fullmatch(one.name) or one.name in _ALIASES))
