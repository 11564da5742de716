"""The agent's own logs, `azcmagent.log` and `himds.log`: what its last run, or its last hour, failed with.

A log goes back for weeks. What failed then and works now is no cause of anything, so only the end counts.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from arcferry.evidence.document import NETWORK_ERROR, Attempt, Complaint, Document, Kind
from arcferry.evidence.readers import agent_connect, codes, go_errors, values
from arcferry.evidence.readers.logfmt import GRAVE, LogLine, LogRun, log_lines, runs

_LEAST_LINES = 3
_LAST = timedelta(hours=1)
_MOST_COMPLAINTS = 3
_LONG_WORDS = 900
_VERBOSE_CHECK = re.compile(r"Endpoint properties|Check result check_name")


def _texts(lines: Sequence[LogLine]) -> str:
    return "\n".join(line.text for line in lines)


def _has_failed(run: LogRun) -> bool:
    return bool(codes.agent_codes(_texts(run.lines))) or run.is_grave


def _deciding(found: Sequence[LogRun]) -> tuple[LogRun | None, int]:
    """The last run that says how things stand, and how many earlier ones had failed."""
    for place in range(len(found) - 1, -1, -1):
        run = found[place]
        if _has_failed(run) or run.command in ("connect", "disconnect"):
            earlier = sum(_has_failed(one) for one in found[:place])
            return run, earlier
    return None, 0


def _last_hour(lines: Sequence[LogLine]) -> tuple[LogLine, ...]:
    times = [line.taken for line in lines if line.taken]
    if not times:
        return tuple(lines)
    since = max(times) - _LAST
    return tuple(line for line in lines if line.taken is None or line.taken >= since)


def _notes(name: str, *, is_one_run: bool, earlier: int) -> tuple[str, ...]:
    """What was left out, and that one run alone could be a console's; in an archive of logs it is none."""
    notes = []
    if earlier:
        notes.append(f"{earlier} earlier runs that failed were left out: the last one counts")
    if is_one_run and "!" not in name:
        notes.append("what azcmagent prints with --verbose looks the same; it was read as a log")
    return tuple(notes)


def _sightings(lines: Sequence[LogLine], name: str, *, is_network_error: bool) -> tuple[Attempt, ...]:
    """What failed, with its error, then what the line of AZCM0026 names without one."""
    grave = [line for line in lines if line.level in GRAVE]
    hosts = agent_connect.named_hosts(line.text for line in grave) if is_network_error else ()
    taken = grave[-1].taken if grave else None
    named = {host: Attempt(host, name, reachable=False, taken=taken, required=True) for host in hosts}
    why = go_errors.attempts(((line.taken, line.text) for line in lines), name)
    return tuple((named | why).values())


def _complaints(lines: Sequence[LogLine], name: str) -> tuple[Complaint, ...]:
    """The grave lines, each of their words once, the latest last."""
    found = {
        line.message: Complaint(
            values.short(line.message, _LONG_WORDS), name, line.taken, is_fatal=line.level != "error"
        )
        for line in lines
        if line.level in GRAVE
    }
    return tuple(found.values())[-_MOST_COMPLAINTS:]


def read(name: str, text: str) -> Document | None:
    """What the end of a log tells, or None where `text` is no log of the agent."""
    lines = [line for line in log_lines(text) if not _VERBOSE_CHECK.search(line.text)]
    others = sum(1 for line in text.splitlines() if line.strip()) - len(lines)
    if len(lines) < _LEAST_LINES or others > len(lines):
        return None
    found = runs(lines)
    if len(found) > 1 or found[0].command:
        run, earlier = _deciding(found)
        part, is_over = (run.lines, not _has_failed(run)) if run else ((), True)
    else:
        part, earlier, is_over = _last_hour(lines), 0, False
    told = () if is_over else part
    texts = [line.text for line in told]
    grave = next((line.text for line in reversed(told) if line.level in GRAVE), "")
    taken = max((line.taken for line in lines if line.taken), default=None)
    found_codes = codes.agent_codes("\n".join(texts))
    return Document(
        name,
        Kind.AGENT_LOG,
        taken,
        attempts=_sightings(told, name, is_network_error=NETWORK_ERROR in found_codes),
        codes=(
            *codes.seen(found_codes, texts, name, grave=grave, taken=taken),
            *codes.seen(codes.service_codes("\n".join(texts)), texts, name, taken=taken),
        ),
        complaints=_complaints(told, name),
        notes=_notes(name, is_one_run=len(found) == 1 and bool(found[0].command), earlier=earlier),
    )
