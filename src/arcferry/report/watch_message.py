"""What a watch tells others: one message a change, a sign of life, and how things stand as metrics."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from arcferry.diagnosis.finding import Owner, addressed
from arcferry.report.columns import UNDISCOVERED
from arcferry.report.watch import notice_document, round_document
from arcferry.text import clean, one_line
from arcferry.times import to_text
from arcferry.watch.changes import Level, Notice, Round
from arcferry.watch.notifiers.delivery import Told
from arcferry.watch.notifiers.message import Message

_Labels = Mapping[str, str]


def told(seen: Round, notices: Iterable[Notice], every: timedelta) -> Told:
    """Everything that there is to tell of a round."""
    changes = [notice_message(seen, notice) for notice in notices]
    state = Message(Level.OK, "", metrics(seen, every), {})
    return Told(seen.taken, changes, alive_message(seen), state)


def notice_message(seen: Round, notice: Notice) -> Message:
    """One change: what, since when, whose it is to mend, and the letter to them."""
    about = f"{notice.host}: " if notice.host else ""
    subject = one_line(f"{notice.level.value} {about}{notice.says}", limit=400)
    parts = [f"{subject}\n\nSeen {to_text(seen.taken)} on {_own()}, for Azure Arc in {seen.location}."]
    if notice.cause:
        parts.append(f"Cause: {notice.cause} (arcferry explain {notice.cause} has its page)")
    if notice.owner:
        parts.append(f"To be mended by {addressed(notice.to, Owner(notice.owner))}.")
    if notice.request:
        parts.append(f"The request, ready to be sent:\n\n{clean(notice.request)}")
    return Message(
        notice.level, subject, "\n\n".join(parts) + "\n", _placed(seen, notice_document(seen, notice))
    )


def alive_message(seen: Round) -> Message:
    """That rounds are being taken: whoever misses this knows that they have stopped."""
    document = _placed(seen, round_document(seen) | {"kind": "watch-alive"})
    subject = f"alive: {document['reached']} of {document['endpoints']} endpoints reached"
    text = f"{subject}\n\nThe last round was at {to_text(seen.taken)} on {_own()}, for {seen.location}.\n"
    return Message(Level.OK, subject, text, document)


def metrics(seen: Round, every: timedelta) -> str:
    """The round in Prometheus' text format; no times of samples, which a textfile may not have."""
    where = {"location": seen.location}
    reached = {one.endpoint.host or UNDISCOVERED: one.reachable for one in seen.observations}
    causes = dict.fromkeys((one.cause, one.owner, one.severity) for one in seen.diagnosis.findings)
    names = ("cause", "owner", "severity")
    rows = [
        *_gauge(
            "last_round_timestamp_seconds",
            "When the last round was taken.",
            [(where, str(int(seen.taken.timestamp())))],
        ),
        *_gauge(
            "interval_seconds",
            "How far apart rounds are meant to be.",
            [(where, f"{every.total_seconds():.0f}")],
        ),
        *_gauge(
            "endpoint_reached",
            "Whether a required endpoint was reached in the last round.",
            [(where | {"host": host}, "1" if good else "0") for host, good in reached.items()],
        ),
        *_gauge(
            "finding",
            "What the last round was found to have, by cause and by who can mend it.",
            [(where | dict(zip(names, one, strict=True)), "1") for one in causes],
        ),
    ]
    return "".join(f"{row}\n" for row in rows)


def _gauge(name: str, says: str, samples: Iterable[tuple[_Labels, str]]) -> Iterator[str]:
    yield f"# HELP arcferry_watch_{name} {says}"
    yield f"# TYPE arcferry_watch_{name} gauge"
    for labels, value in samples:
        pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"arcferry_watch_{name}{{{pairs}}} {value}"


def _escaped(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')


def _placed(seen: Round, document: Mapping[str, object]) -> dict[str, object]:
    """The document with where the watch runs, and what location it watches."""
    return {**document, "location": seen.location, "watched_from": _own()}


def _own() -> str:
    return one_line(socket.gethostname())
