"""What the agent says when it fails: `azcmagent connect` on a console in any language, and its own logs.

Of `azcmagent.log` and `himds.log` the last run counts, or the last hour. A log goes back for weeks, and what
failed then and works now is no cause of anything. The forms of their
lines, and of other logs that lie beside them, are in `log_lines`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from arcferry.evidence.case import NETWORK_ERROR, Document, ErrorLine, Kind
from arcferry.evidence.readers import codes, go_errors, log_lines, scripts, values, words
from arcferry.evidence.readers.log_lines import Line
from arcferry.probe.observation import Attempt

_CODE = re.compile(r"(?<![A-Za-z0-9])AZCM\d{4}(?!\d)")
_FAILS = re.compile(r"^\s*FATAL\b|level=(?:fatal|error)\b")
# The agent's console pads its levels to eight columns, or counts its seconds behind them.
_GIVES_UP = re.compile(r"^\s*(FATAL|ERROR)(?:\[\d{1,9}\]\s{1,4}| {2,8})(\S.{0,8000})", re.MULTILINE)
_ON_A_CONSOLE = re.compile(r"^\s*(?:FATAL|ERROR|INFO)(?:\[\d{1,9}\]\s| {2,8}\S)")
_TO_READ_ON = {"aka.ms", "learn.microsoft.com", "docs.microsoft.com", "portal.azure.com", "go.microsoft.com"}
_MOST_HOSTS = 100
_TABLE_BARS = 3

_RUN = re.compile(r'msg="?Agent (?:Version|Command): ?|Starting Azure Arc Onboarding process')
_COMMAND = re.compile(r'msg="?Agent Command: ?([a-z]{1,20})')
_VERBOSE_CHECK = re.compile(r"Endpoint properties|Check result check_name")
_LONGEST = 8000
_LAST = timedelta(hours=1)
_MOST_ERRORS = 3
_LONG_WORDS = 900
_LIKE_VERBOSE = "what azcmagent prints with --verbose looks the same; it was read as a log"


def _named_hosts(lines: Iterable[str]) -> tuple[str, ...]:
    """The endpoints that the lines of a network error name; pages to read on are none."""
    found = dict.fromkeys(
        name for line in lines for name in (*values.hosts_in_urls(line), *go_errors.listed_hosts(line))
    )
    return tuple(name for name in found if name not in _TO_READ_ON)[:_MOST_HOSTS]


def _has_code(line: str) -> bool:
    return bool(_CODE.search(line) or codes.ended(line))


def _fatal_lines(lines: list[str], name: str) -> tuple[ErrorLine, ...]:
    """The console's lines of errors; the code, where there is one, tells more."""
    told = [found for line in lines if (found := _GIVES_UP.match(line))]
    fatal = [found for found in told if found[1] == "FATAL"] or told
    says = {values.short(found[2], _LONG_WORDS): found[1] == "FATAL" for found in fatal}
    return tuple(ErrorLine(text, name, is_fatal=ends) for text, ends in says.items())[-_MOST_ERRORS:]


def read_console(name: str, text: str) -> Document | None:
    """Of `azcmagent connect`: the codes, the endpoints that it gave up on, and its words for it.

    None if `text` holds no code of the agent's and no line of its console that says FATAL. The codes of
    the installation scripts are the onboarding script's reader's.
    """
    text = scripts.without(text)
    every = codes.agent_codes(text)
    found = [code for code in every if not codes.is_scripts(code)]
    if not found and (every or not _GIVES_UP.search(text)):
        return None
    # The rows of a check that stands in the same transcript have a reader of their own.
    lines = [values.unescaped(one) for one in values.lines(text, _LONGEST) if one.count("|") < _TABLE_BARS]
    # What failed is told from the first error to the end, else on the lines that have a code.
    first = next((place for place, line in enumerate(lines) if _FAILS.search(line)), None)
    telling = lines[first:] if first is not None else list(filter(_has_code, lines))
    first_error = telling[0].strip().removeprefix("FATAL").strip() if first is not None else ""
    hosts = _named_hosts(telling) if NETWORK_ERROR in found else ()
    named = {host: Attempt(host, name, reachable=False, required=True) for host in hosts}
    told = [(None, line) for line in lines]
    reached = named | words.attempts_in(told, name) | go_errors.attempts(told, name)
    agents = codes.seen(found, telling, name, last_error=first_error)
    return Document(
        name,
        Kind.AGENT_CONNECT,
        attempts=tuple(reached.values()),
        codes=(
            *(replace(one, hosts=hosts) if one.code == NETWORK_ERROR else one for one in agents),
            *codes.seen(codes.service_codes("\n".join(lines)), lines, name),
            *words.codes_in(told, name),
        ),
        error_lines=_fatal_lines(lines, name),
    )


def _log_lines(text: str) -> Iterator[Line]:
    """Every line of a log but those of a check, which have a reader of their own."""
    return (line for line in log_lines.lines(text) if not _VERBOSE_CHECK.search(line.text))


def _runs(lines: Sequence[Line]) -> list[Sequence[Line]]:
    """The agent's commands that the log tells of, oldest first; all lines are one where it tells of none."""
    starts = {place for place, line in enumerate(lines) if _RUN.search(line.text)}
    # A run begins with its version and its command, on two lines.
    firsts = sorted(place for place in starts if place and place - 1 not in starts)
    return [lines[start:end] for start, end in pairwise([0, *firsts, len(lines)])]


def _command(run: Sequence[Line]) -> str:
    return next((named[1] for line in run[:5] if (named := _COMMAND.search(line.text))), "")


def _telling(runs: Sequence[Sequence[Line]]) -> tuple[Sequence[Line], int]:
    """The lines that say how things stand, none if all is well; and how many earlier runs had failed."""
    if len(runs) == 1 and not _command(runs[0]):
        newest = max((line.taken for line in runs[0] if line.taken), default=None)
        since = newest - _LAST if newest else None
        return [line for line in runs[0] if not since or not line.taken or line.taken >= since], 0
    failed = [
        any(line.is_error for line in run) or bool(codes.agent_codes("\n".join(line.text for line in run)))
        for run in runs
    ]
    for place in reversed(range(len(runs))):
        if failed[place]:
            return runs[place], sum(failed[:place])
        # These two succeed or fail as a whole; `show` and others say nothing of what came before them.
        if _command(runs[place]) in ("connect", "disconnect"):
            return (), sum(failed[:place])
    return (), 0


def _attempts(lines: Sequence[Line], name: str, *, is_network_error: bool) -> tuple[Attempt, ...]:
    """What failed, with its error, then what the line of AZCM0026 names without one."""
    errors = [line for line in lines if line.is_error]
    hosts = _named_hosts(line.text for line in errors) if is_network_error else ()
    taken = errors[-1].taken if errors else None
    named = {host: Attempt(host, name, reachable=False, taken=taken, required=True) for host in hosts}
    told = [(line.taken, line.says) for line in lines]
    return tuple((named | words.attempts_in(told, name) | go_errors.attempts(told, name)).values())


def _error_lines(lines: Sequence[Line], name: str) -> tuple[ErrorLine, ...]:
    """The lines of errors, each of their words once, the latest last."""
    found: dict[str, ErrorLine] = {}
    for line in lines:
        if line.is_error:
            says = line.says
            short = values.short(says, _LONG_WORDS)
            found[says] = ErrorLine(short, name, line.taken, is_fatal=line.level != "error")
    return tuple(found.values())[-_MOST_ERRORS:]


def read(name: str, text: str) -> Document | None:
    """What the end of a log tells, or None if `text` is no log of the agent."""
    lines = list(_log_lines(text))
    # Of a console with a few such lines among its own the console's reader makes more.
    if not lines or any(map(_ON_A_CONSOLE.match, text.splitlines())):
        return None
    runs = _runs(lines)
    told, earlier = _telling(runs)
    texts = [line.text for line in told]
    whole = "\n".join(texts)
    last_error = next((line.says for line in reversed(told) if line.is_error), "")
    taken = max((line.taken for line in lines if line.taken), default=None)
    agents = codes.agent_codes(whole)
    tried = _attempts(told, name, is_network_error=NETWORK_ERROR in agents)
    hosts = tuple(seen.host for seen in tried)
    notes = (
        (earlier, f"{earlier} earlier runs that failed were left out: the last one counts"),
        # In an archive of logs it is no console's.
        (len(runs) == 1 and _command(runs[0]) and "!" not in name, _LIKE_VERBOSE),
    )
    return Document(
        name,
        Kind.AGENT_LOG,
        taken,
        attempts=tried,
        codes=(
            *(
                replace(one, hosts=hosts) if one.code == NETWORK_ERROR else one
                for one in codes.seen(agents, texts, name, last_error=last_error, taken=taken)
            ),
            *codes.seen(codes.service_codes(whole), texts, name, taken=taken),
            # Of a run that has not failed the same words say whether it has come to its end.
            *words.codes_in([(line.taken, line.text) for line in told or runs[-1]], name),
        ),
        error_lines=_error_lines(told, name),
        notes=tuple(note for applies, note in notes if applies),
    )
