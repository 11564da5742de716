"""Codes of the agent, its scripts, Windows Installer, Entra ID, Resource Manager, PowerShell; and words."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from arcferry.catalog.store import CatalogFile, Code, load
from arcferry.errors import UnknownNameError
from arcferry.language import ENGLISH, spoken
from arcferry.text import one_line

_TRANSLATED = Path(__file__).with_name("data")
_AZCM = re.compile(r"azcm[ -]?0*(\d{1,4})", re.IGNORECASE)
_MSI_ERROR = re.compile(r"msi[ -]error[ -]?(\d{4})", re.IGNORECASE)
_MSIEXEC = re.compile(r"(?:msi(?:exec)?[ -]?)?(\d{1,5})", re.IGNORECASE)
_ROWS = (
    ("azcm", "codes", ""),
    ("msiexec", "codes", "msiexec "),
    ("msiexec", "messages", "msi error "),
    ("azure_codes", "codes", ""),
    ("powershell", "codes", ""),
    ("words", "codes", ""),
)


def from_row(row: dict[str, Any], document: CatalogFile) -> Code:
    """The code that a row of a file of the catalogue tells of."""
    name = row["code"]
    return Code(
        **{
            "exit_code": None,
            "retry": False,
            "outcome": "success" if row.get("exit_code") == 0 else "failure",
            **row,
            "source": str(document.sources[row["source"]]),
            "beats": tuple(row.get("beats", ())),
            "yields": tuple(document.content.get("yields", {}).get(name, ())),
            "only_with": document.content.get("only-with", {}).get(name, ""),
        }
    )


@cache
def _codes() -> dict[str, Code]:
    return {
        f"{prefix}{row['code']}".lower(): from_row(row, load(file))
        for file, table, prefix in _ROWS
        for row in load(file).content[table]
    }


def _key(name: str) -> str:
    text = name.strip()
    if azcm := _AZCM.fullmatch(text):
        return f"azcm{int(azcm[1]):04}"
    if message := _MSI_ERROR.fullmatch(text):
        return f"msi error {message[1]}"
    if msiexec := _MSIEXEC.fullmatch(text):
        return f"msiexec {int(msiexec[1])}"
    return text.lower()


def codes() -> tuple[Code, ...]:
    """Every known code, the agent's first."""
    return tuple(_codes().values())


def known_code(name: str) -> Code | None:
    """The code that `code` gives; None where none is known by this name."""
    return _codes().get(_key(name))


def code(name: str) -> Code:
    """The code called `AZCM0026`, `msiexec 1603`, `1603`, `msi error 1920`, `AADSTS7000215`, in any case.

    A number alone is an exit code of Windows Installer; `msi error` is a message in its log.

    Raises:
        UnknownNameError: no such code is known; codes with the same number are offered.
    """
    if found := known_code(name):
        return found
    number = re.sub(r"\D", "", _key(name))
    same = [
        known
        for known in _codes()
        if number and (digits := re.sub(r"\D", "", known)) and digits.lstrip("0") == number.lstrip("0")
    ]
    raise UnknownNameError("code", one_line(name, limit=60), same or _codes())


def told(code: Code) -> Code:
    """The code with its meaning and its remedy in the language that is spoken.

    A translation is found by the English text that it was made from: what a newer catalogue says otherwise
    stays English until somebody translates that.
    """
    if spoken() == ENGLISH:
        return code
    texts = translations(spoken())
    return replace(
        code, meaning=texts.get(code.meaning, code.meaning), remedy=texts.get(code.remedy, code.remedy)
    )


@cache
def translations(language: str) -> Mapping[str, str]:
    """Every meaning and every remedy of a code in a language, by its English text."""
    files = sorted((_TRANSLATED / language).glob("*.toml"))
    return {
        english: said
        for path in files
        for english, said in tomllib.loads(path.read_text(encoding="utf-8")).items()
    }
