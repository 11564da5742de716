"""Logs of Windows Installer (`installationlog.txt`, `msiexec /l*v`), in any language.

The engine's own lines are English everywhere; the messages are localised, their numbers and places are not.
"""

import re

from arcferry import catalog
from arcferry.evidence.case import CodeSeen, Document, Kind
from arcferry.evidence.readers import values

_ENGINE = re.compile(
    r"^MSI \([scan]\) \([0-9A-F!]{2}[:!][0-9A-F]{2}\)|^=== "
    r".{1,80}?\d\d?:\d\d:\d\d.{0,200}===|MainEngineThread is returning \d+|^MSI \([sc]\)|"
    r"^WixQuietExec(?:64)?: "
)
_ENDED = re.compile(r"MainEngineThread is returning (\d{1,5})")
_OF_AN_ACTION = re.compile(r"^CustomAction (\w{1,80}) returned actual error code (\d{1,5})")
_STATUS = re.compile(
    r"(?:AzureConnectedMachineAgent|Azure Connected Machine Agent).{0,400}?[:\uff1a]\s?(\d{1,5})[.。]?\s*$"
)
# A record's raw fields, such as `1: Azure Connected Machine Agent 2: {…} 3: 1`: none of them is a status.
_RECORD = re.compile(r"(?:^|[\])]: ?)\s*1: ")
_MESSAGE = re.compile(r"(?:^|-- |\): )(?!Note|Info)[^\W\d_]{2,20} ?(\d{4})[.。:\uff1a] ?(\S[^\n]{0,400})")
_ACTION = re.compile(
    r"\b\d\d?:\d\d:\d\d: ?([A-Za-z_][A-Za-z0-9_.]{1,100})[.。] ?[^\d\n]{1,60}?(\d)[.。]?\s*$"
)
_FAILED_ACTION = "3"
# How ConfigMgr (AppEnforce.log, execmgr.log), Intune and others that run msiexec say how it ended.
_RAN = re.compile(r"msiexec|AzureConnectedMachineAgent|Azure Connected Machine Agent", re.IGNORECASE)
_RAN_ENDED = re.compile(
    r"(?:terminated|exited|ended|finished|completed|returned|failed) with "
    r"(?:an? )?exit ?code:? (?:is )?(\d{1,5})\b|"
    r"\b(?:lp)?exit ?code:? (?:is |of )?(\d{1,5})\b",
    re.IGNORECASE,
)
_LEAST = 2
_MOST_MESSAGES = 20
_IGNORED_WORDS = ("DEBUG:", "Note:", "Info ")


def _ending(lines: list[str]) -> tuple[str, str]:
    """The number that the last installation in the log ended with, and its line."""
    for pattern in (_ENDED, _STATUS, _OF_AN_ACTION):
        for line in reversed(lines):
            if not _RECORD.search(line) and (found := pattern.search(line)):
                return found[pattern.groups], line
    return "", ""


def _messages(lines: list[str]) -> dict[str, str]:
    """The errors of the catalogue that the log names, the first line of each."""
    found: dict[str, str] = {}
    for line in lines:
        message = None if any(word in line for word in _IGNORED_WORDS) else _MESSAGE.search(line)
        if message and catalog.known_code(f"msi error {message[1]}"):
            found.setdefault(message[1], values.short(message[2], 400))
    return dict(list(found.items())[:_MOST_MESSAGES])


def _failed_action(lines: list[str]) -> str:
    """The first action that ended with 3; those after it, up to INSTALL itself, only hand the failure on."""
    for line in lines:
        if by_itself := _OF_AN_ACTION.match(line):
            return values.short(by_itself[1], 100)
        if "Return value 3" in line or line.rstrip().rstrip(".。").endswith(_FAILED_ACTION):
            found = _ACTION.search(line)
            if found and found[2] == _FAILED_ACTION:
                return values.short(found[1], 100)
    return ""


def read(name: str, text: str) -> Document | None:
    """How the installation ended and why, or None if `text` is no log of Windows Installer."""
    lines = values.lines(text)
    return _own_log(name, lines) or _told_by_another(name, lines)


def _told_by_another(name: str, lines: list[str]) -> Document | None:
    """How msiexec ended, in the log of a tool that ran it for the agent; None if it ended well."""
    if not any(map(_RAN.search, lines)):
        return None
    for line in reversed(lines):
        if found := _RAN_ENDED.search(line):
            code = f"msiexec {int(found[1] or found[2])}"
            known = catalog.known_code(code)
            if known and known.outcome != "success":
                return Document(
                    name, Kind.INSTALL_LOG, codes=(CodeSeen(code, values.short(line, 200), name),)
                )
    return None


def _own_log(name: str, lines: list[str]) -> Document | None:
    if sum(map(bool, map(_ENGINE.search, lines))) < _LEAST and not any(map(_ENDED.search, lines)):
        return None
    number, ending = _ending(lines)
    notes = () if number else ("the log ends before the installation does",)
    if number == "0":
        well = CodeSeen("msiexec 0", values.short(ending, 200), name)
        return Document(name, Kind.INSTALL_LOG, codes=(well,), notes=notes)
    # Installed, and to be restarted: what errors the log names then did not stop it.
    messages = {} if number in ("3010", "1641") else _messages(lines)
    seen = [CodeSeen(f"msi error {message}", says, name) for message, says in messages.items()]
    if number:
        action = _failed_action(lines)
        where = f"; the action that failed is {action}" if action else ""
        seen.append(CodeSeen(f"msiexec {int(number)}", f"{values.short(ending, 200)}{where}", name))
    return Document(name, Kind.INSTALL_LOG, codes=tuple(seen), notes=notes)
