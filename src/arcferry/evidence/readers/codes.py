"""Codes in text: the agent's, Entra ID's and Resource Manager's, with the words beside them."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache

from arcferry import catalog
from arcferry.evidence.case import CodeSeen, Document, Kind
from arcferry.evidence.readers import scripts, values

_AZCM = re.compile(r"(?<![A-Za-z0-9])AZCM(\d{4})(?!\d)")
_EXITED = re.compile(
    r"(?<!installing )\bazcm?agent\b(?!\.)[^\n]{0,200}?"
    r"\bexit(?:ed with)? ?(?:code|status)\W{0,5}(?:is |was )?(\d{1,3})\b",
    re.IGNORECASE,
)
_ENTRA = re.compile(r"(?<![A-Za-z0-9])AADSTS(\d{5,7})(?!\d)")
_ARM_PLACE = re.compile(
    r"(?:\bcode\b\\*[\"']?\s{0,3}[:=]\s{0,3}\\*[\"']?|\(|\bERROR CODE: )"
    r"([A-Z][A-Za-z]{4,60}(?:_[A-Za-z]{1,30})?)\b",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"\b([A-Z][a-z]+(?:[A-Z][a-z]+){1,8}|Directory_QuotaExceeded)\b")
_LONG_WORDS = 900
_LONG_ERROR = 20_000
_MOST_CODES = 8
"""A text with more of the agent's codes than this is a list of codes, not what one run printed."""


@cache
def _arm_names() -> frozenset[str]:
    return frozenset(known.code for known in catalog.codes() if known.family == "arm")


def agent_codes(text: str) -> list[str]:
    """The agent's and its scripts' codes, each once, in order; none from a text that is a list of codes."""
    printed = [f"AZCM{number}" for number in _AZCM.findall(text) if int(number)]
    # Who runs azcmagent, as Azure Local does, may print the number alone with which it ended.
    ended = [f"AZCM{int(number):04}" for number in _EXITED.findall(text) if int(number)]
    found = list(dict.fromkeys([*printed, *(code for code in ended if catalog.known_code(code))]))
    return found if len(found) <= _MOST_CODES else []


def ended(line: str) -> str:
    """The agent's code whose number alone stands in the line; empty without one."""
    found = _EXITED.search(line)
    return f"AZCM{int(found[1]):04}" if found else ""


def is_scripts(code: str) -> bool:
    """Whether this is a code of the installation scripts, which look like the agent's."""
    found = catalog.known_code(code)
    return found is not None and found.family == "install-script"


def service_codes(text: str) -> list[str]:
    """What Entra ID and Resource Manager answered, each once: their codes are the same in every language."""
    entra = [f"AADSTS{number}" for number in _ENTRA.findall(text)]
    placed = dict.fromkeys(_ARM_PLACE.findall(text))
    # Single words such as Conflict are prose, unless they stand where a code stands.
    names = (*placed, *(name for name in _CAMEL.findall(text) if any(map(str.isupper, name[1:]))))
    arm = [name for name in names if name in _arm_names()]
    return list(dict.fromkeys([*entra, *arm]))[:_MOST_CODES]


def words(code: str, lines: Sequence[str], last_error: str = "") -> str:
    """What is said beside the code: its own line from the code on, else the error that ends the run."""
    line = next((line for line in lines if code in line or ended(line) == code), "")
    if last_error and code.startswith("AZCM"):
        return values.short(last_error, _LONG_WORDS)
    behind = line.partition(code)[2].lstrip(": ")
    is_short = code.startswith("AZCM") or len(line) < _LONG_WORDS // 3
    return (values.short(behind, _LONG_WORDS) if is_short else "") or values.short(line, _LONG_WORDS)


def seen(
    codes: Iterable[str],
    lines: Sequence[str],
    name: str,
    *,
    last_error: str = "",
    taken: datetime | None = None,
) -> tuple[CodeSeen, ...]:
    """The codes with the words beside them."""
    return tuple(CodeSeen(code, words(code, lines, last_error), name, (), taken) for code in codes)


def read(name: str, text: str) -> Document | None:
    """An error of Entra ID or Resource Manager, as `az` and PowerShell print it; None if there is none."""
    text = scripts.without(text)
    found = service_codes(text)
    codes = seen(found, values.lines(text, 4000), name)
    return Document(name, Kind.AZURE_ERROR, codes=codes) if found else None


def read_json(name: str, value: object) -> Document | None:
    """The codes in an error document of an API, however deep they lie; None if it is none, or has none."""
    keys = values.lowered(value)
    inner = values.mapping(value).get("error")
    is_error = "error_description" in keys or {"code", "message"} <= set(keys)
    if isinstance(inner, Mapping):
        is_error = bool({"code", "message"} & set(values.lowered(inner)))
    if not is_error:
        return None
    return read(name, values.unescaped(json.dumps(value, ensure_ascii=False)[:_LONG_ERROR]))
