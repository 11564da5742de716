"""What of a text needs a newer PowerShell than servers have, or means another thing there: newer.toml."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER, ENGINEER = (3, 0), (5, 1)
_QUOTED = re.compile(r"'(?:[^'\n]|'')*'|\"(?:[^\"`\n]|`.|\"\")*\"")
_COMMENT = re.compile(r"<#.*?#>|(?<![\w`$&])#(?!requires)[^\n]*", re.DOTALL)
_HELD = tomllib.loads((Path(__file__).parent / "newer.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Rule:
    """One thing that is newer.

    Attributes:
        typed: whether it counts too for what people type, and not in scripts alone.
        quoted: whether it is looked for in quoted texts too.
    """

    since: tuple[int, ...]
    why: str
    source: str
    pattern: re.Pattern[str]
    samples: tuple[str, ...]
    also: tuple[str, ...]
    typed: bool
    quoted: bool


def _rule(held: dict[str, Any]) -> Rule:
    return Rule(
        tuple(map(int, held["since"].split("."))),
        held["why"],
        _HELD["sources"][held["source"]],
        re.compile(held["pattern"], re.IGNORECASE | re.MULTILINE),
        tuple(held["samples"]),
        tuple(held.get("also", ())),
        held.get("typed", True),
        held.get("quoted", False),
    )


RULES = tuple(map(_rule, _HELD["rules"]))


def newer(text: str, than: tuple[int, ...] = SERVER, *, typed: bool = False) -> list[str]:
    """Everything in a script, or in what is typed, that is newer than this PowerShell."""
    code = _COMMENT.sub("", text)
    # A text that is put together keeps its marks, so that a pattern still sees one argument.
    plain = _QUOTED.sub(lambda found: found[0][0] * 2, code)
    return [
        f"PowerShell {'.'.join(map(str, rule.since))}: {found[0].strip()}: {rule.why}"
        for rule in RULES
        if rule.since > than and (rule.typed or not typed)
        for found in rule.pattern.finditer(code if rule.quoted else plain)
    ]
