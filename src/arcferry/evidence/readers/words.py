"""Words of any program that say more than a code, and the endpoints that it names in its own way."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from arcferry import catalog
from arcferry.catalog import Code
from arcferry.evidence.case import CodeSeen, Document, Kind
from arcferry.evidence.readers import log_lines, scripts, values
from arcferry.probe.observation import Attempt, Failure, Stage

_HOST = r"(?P<host>[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){1,8})"
_ADDRESS = r"(?P<address>\d{1,3}(?:\.\d{1,3}){3})"
_TOOLS = ("other", "go", "curl")
_MOST_LINES = 20_000
_MOST_CODES = 200
_LONG_WORDS = 900
_ESCAPED_OR_CAPITAL = re.compile(r"\\.|[A-Z]")
_Lines = Sequence[tuple[datetime | None, str]]


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("HOST", _HOST).replace("ADDRESS", _ADDRESS), re.IGNORECASE)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """What finds, in small letters, a line that one of the patterns finds: a first look at many lines.

    `re` tells by its first letter which alternative cannot begin at a place, but not where case is ignored.
    """
    plain = (one.replace("HOST", r"[\w.-]+").replace("ADDRESS", r"[\d.]+") for one in patterns)
    return re.compile("|".join(_ESCAPED_OR_CAPITAL.sub(_small, one) for one in plain))


def _small(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("\\") else found[0].lower()


@cache
def _words() -> tuple[tuple[Code, re.Pattern[str]], ...]:
    return tuple((one, _compiled(one.pattern)) for one in catalog.codes() if one.pattern)


@cache
def _any_words() -> re.Pattern[str]:
    return _any_of(one.pattern for one, _ in _words())


@cache
def _tried() -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    return tuple((_compiled(row["pattern"]), row) for row in values.patterns()["tried"])


@cache
def _any_tried() -> re.Pattern[str]:
    return _any_of(row["pattern"] for _, row in _tried())


def _host_of(found: re.Match[str]) -> str:
    return values.host(found.groupdict().get("host") or "")


def codes_in(lines: _Lines, name: str) -> tuple[CodeSeen, ...]:
    """The words that the catalogue knows, each once, with their line and the endpoint that they name."""
    found: dict[tuple[str, str], CodeSeen] = {}
    for taken, line in lines:
        if not _any_words().search(line.lower()):
            continue
        for code, pattern in _words():
            seen = pattern.search(line)
            # A firewall's log has a line for each address.
            key = (code.code, (seen and seen.groupdict().get("address")) or "")
            if seen is None or key in found or len(found) >= _MOST_CODES or not _is_beside(code, lines):
                continue
            hosts = (host,) if (host := _host_of(seen)) else ()
            told = log_lines.line(line)
            says = values.short(told.says if told else line, _LONG_WORDS)
            found[key] = CodeSeen(code.code, says, name, hosts, taken)
    return tuple(found.values())


def _is_beside(code: Code, lines: _Lines) -> bool:
    return not code.beside or any(re.search(code.beside, line) for _, line in lines)


def attempts_in(lines: _Lines, name: str) -> dict[str, Attempt]:
    """The endpoints that failed, by their hosts; the last line of each counts."""
    found: dict[str, Attempt] = {}
    for taken, line in lines:
        for pattern, row in _tried() if _any_tried().search(line.lower()) else ():
            if (seen := pattern.search(line)) and (host := _host_of(seen)):
                failure = None if row.get("private") else _failure(line, row)
                found[host] = Attempt(
                    host,
                    name,
                    reachable=False,
                    taken=taken,
                    required=None if row.get("install") else True,
                    private=row.get("private"),
                    address=values.address(seen.groupdict().get("address") or ""),
                    proxied=failure is not None and failure.stage is Stage.PROXY,
                    failure=failure,
                    install=bool(row.get("install")),
                )
    return found


def _failure(line: str, row: dict[str, Any]) -> Failure | None:
    told = next((one for tool in _TOOLS if (one := values.failure_told(tool, line))), None)
    stage, kind = told[:2] if told else row.get("kind", ("", ""))
    return Failure(Stage(stage), kind, values.short(line)) if stage else None


def read(name: str, text: str) -> Document | None:
    """What the lines of no log and of no script say in words that are known; None if none does."""
    plain = [
        (None, values.unescaped(line))
        for line in values.lines(scripts.without(text), 4000)[-_MOST_LINES:]
        if line and not log_lines.line(line)
    ]
    codes, attempts = codes_in(plain, name), attempts_in(plain, name)
    if not codes and not attempts:
        return None
    return Document(name, Kind.PROGRAM_OUTPUT, attempts=tuple(attempts.values()), codes=codes)
