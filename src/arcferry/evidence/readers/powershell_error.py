"""Errors of PowerShell 5.1 and 7 that are no failed downloads: their ids are the same in every language."""

import re

from arcferry import catalog
from arcferry.evidence.case import CodeSeen, Document, Kind
from arcferry.evidence.readers import scripts, values

_CATEGORY = re.compile(
    r"^\s*(?:\+ )?CategoryInfo\s*: ?[A-Za-z]{0,40}: ?\(.{0,300}?\) ?\[[^\]]{0,100}\][,\uff0c]? "
    r"?([A-Za-z.]{0,80})"
)
_ID = re.compile(r"^\s*(?:\+ )?FullyQualifiedErrorId\s*: ?([^\s,]{1,120})")
_WEB = re.compile(r"WebCmdlet|WebException|HttpResponseException|HttpRequestException|BitsTransfer")
_SCRIPT_ERROR = re.compile(r"^(?:\S{1,200}: )?(?:.{0,200}\.ps1).{0,400}(?:Execution_Policies|=135170)")
_NEAR = 8


def _codes_of(line: str, error_id: str) -> list[str]:
    names = [error_id]
    if category := _CATEGORY.search(line):
        names.append(category[1].rpartition(".")[2])
    return [name for name in names if (known := catalog.known_code(name)) and known.family == "powershell"]


def _says(lines: list[str], place: int) -> str:
    """The message: the first line of the error's record, which stands above its position and its ids."""
    above = lines[max(0, place - _NEAR) : place]
    starts = [at for at, line in enumerate(above) if not line.strip() or "FullyQualifiedErrorId" in line]
    record = above[starts[-1] + 1 :] if starts else above
    return values.short(record[0] if record else lines[place], 300)


def read(name: str, text: str) -> Document | None:
    """The errors that the catalogue knows; None if `text` has none, or none but failed downloads."""
    lines = values.lines(scripts.without(text))
    found: dict[str, CodeSeen] = {}
    others: dict[str, None] = {}
    for place, line in enumerate(lines):
        record = lines[max(0, place - 2) : place + 1]
        error = _ID.match(line)
        if error is None:
            if _SCRIPT_ERROR.search(line):
                code = "PSSecurityException"
                found.setdefault(code, CodeSeen(code, values.short(line), name))
        elif not any(map(_WEB.search, record)):
            said = [code for near in record for code in _codes_of(near, error[1])]
            if not said:
                others[error[1]] = None
            for code in said:
                found.setdefault(code, CodeSeen(code, _says(lines, place), name))
    if found:
        return Document(name, Kind.POWERSHELL_ERROR, codes=tuple(found.values()))
    notes = (
        f"PowerShell's error {one} says nothing about Azure Arc that is known" for one in list(others)[:5]
    )
    return Document(name, Kind.POWERSHELL_ERROR, notes=tuple(notes)) if others else None
