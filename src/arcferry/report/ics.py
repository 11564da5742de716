"""Days as a calendar that other programs import: iCalendar, RFC 5545."""

import hashlib
from collections.abc import Iterator

from arcferry import __version__
from arcferry.report.columns import named
from arcferry.text import clean
from arcferry.verify import Due, Lifecycle

_LONGEST = 75
"""Octets of a line without its end (RFC 5545, 3.1)."""

_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def calendar(found: Lifecycle) -> str:
    """One event a day, for the whole day, with a reminder 30 days before.

    An event has the same UID next time, so that importing again changes it and makes no second one.
    """
    stamp = f"{found.at:%Y%m%dT%H%M%SZ}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//arcferry//arcferry {__version__}//EN",
        *(line for due in found.dues for line in _event(found, due, stamp)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _event(found: Lifecycle, due: Due, stamp: str) -> Iterator[str]:
    identity = f"{found.scope}\n{due.kind.value}\n{due.key}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    told = (due.title, named(due.servers) if due.servers else "", due.hint, due.source)
    yield "BEGIN:VEVENT"
    yield f"UID:{name}@arcferry"
    yield f"DTSTAMP:{stamp}"
    yield f"DTSTART;VALUE=DATE:{due.day:%Y%m%d}"
    yield f"SUMMARY:{_text(f'Azure Arc: {due.title}')}"
    yield f"DESCRIPTION:{_text(chr(10).join(filter(None, told)))}"
    yield f"CATEGORIES:{due.kind.value}"
    yield "TRANSP:TRANSPARENT"
    yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(due.title)}", "TRIGGER:-P30D")
    yield from ("END:VALARM", "END:VEVENT")


def _text(raw: str) -> str:
    """A value of type TEXT (3.3.11)."""
    return clean(raw, limit=2000).replace("\t", " ").translate(_ESCAPED)


def _folded(line: str) -> Iterator[str]:
    """A line in parts of 75 octets that cut no character; each but the first begins with a blank."""
    part, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > _LONGEST:
            yield part
            part, size = " ", 1
        part, size = part + character, size + octets
    yield part
