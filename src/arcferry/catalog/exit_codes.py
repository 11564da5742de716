"""Exit codes of the agent, of its installation scripts and of Windows Installer."""

import re
from functools import cache

from arcferry.catalog.store import load
from arcferry.catalog.types import Code
from arcferry.errors import UnknownNameError

_AZCM = re.compile(r"azcm[ -]?0*(\d{1,4})", re.IGNORECASE)
_MSIEXEC = re.compile(r"(?:msi(?:exec)?[ -]?)?(\d{1,5})", re.IGNORECASE)


@cache
def _codes() -> dict[str, Code]:
    found = {}
    for file, prefix in (("azcm", ""), ("msiexec", "msiexec ")):
        document = load(file)
        columns = document.content["columns"]
        for row in document.content["codes"]:
            fields = dict(zip(columns, row, strict=True))
            code = Code(**{**fields, "source": str(document.sources[fields["source"]])})
            found[f"{prefix}{code.code}".lower()] = code
    return found


def _key(name: str) -> str:
    text = name.strip()
    if azcm := _AZCM.fullmatch(text):
        return f"azcm{int(azcm[1]):04}"
    if msiexec := _MSIEXEC.fullmatch(text):
        return f"msiexec {int(msiexec[1])}"
    return text.lower()


def codes() -> tuple[Code, ...]:
    """Every known code, the agent's first."""
    return tuple(_codes().values())


def is_code(text: str) -> bool:
    """Whether `text` names a known code."""
    return _key(text) in _codes()


def code(name: str) -> Code:
    """The code called `AZCM0026`, `azcm26`, `msiexec 1603` or `1603`, in any letter case.

    A number alone is Windows Installer's.

    Raises:
        UnknownNameError: no such code is known; codes with the same number are offered.
    """
    key = _key(name)
    if found := _codes().get(key):
        return found
    number = re.sub(r"\D", "", key)
    same = [known for known in _codes() if number and int(re.sub(r"\D", "", known)) == int(number)]
    raise UnknownNameError("code", name, same or _codes())
