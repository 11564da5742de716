"""What a watch tells others: one message a change, a sign of life, and how things stand as metrics."""

import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def told(sites: Sequence[tuple[Round, Iterable[Notice]]], every: timedelta) -> Told:
    """Everything that there is to tell of a round at each site."""
    rounds = [seen for seen, _ in sites]
    changes = [notice_message(seen, notice) for seen, notices in sites for notice in notices]
    state = Message(Level.OK, "", metrics(rounds, every), {})
    return Told(rounds[0].taken, changes, [alive_message(seen) for seen in rounds], state)


def notice_message(seen: Round, notice: Notice) -> Message:
    """One change: what, since when, whose it is to mend, and the letter to them."""
    about = "".join(f"{one}: " for one in (seen.site, notice.host) if one)
    subject = one_line(f"{notice.level.value} {about}{notice.says}", limit=400)
    parts = [
        f"{subject}\n\nSeen {to_text(seen.taken)} on {_own()}{_of(seen)}, for Azure Arc in {seen.location}."
    ]
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
    site = f"{seen.site}: " if seen.site else ""
    subject = f"alive: {site}{document['reached']} of {document['endpoints']} endpoints reached"
    where = f"on {_own()}{_of(seen)}, for {seen.location}"
    text = f"{subject}\n\nThe last round was at {to_text(seen.taken)} {where}.\n"
    return Message(Level.OK, subject, text, document)


def metrics(rounds: Sequence[Round], every: timedelta) -> str:
    """Rounds in Prometheus' text format; no times of samples, which a textfile may not have."""
    names = ("cause", "owner", "severity")
    reached = [
        (_where(seen) | {"host": one.endpoint.host or UNDISCOVERED}, "1" if one.reachable else "0")
        for seen in rounds
        for one in seen.observations
    ]
    found = dict.fromkeys(
        (number, one.cause, one.owner, one.severity)
        for number, seen in enumerate(rounds)
        for one in seen.diagnosis.findings
    )
    rows = [
        *_gauge(
            "last_round_timestamp_seconds",
            "When the last round was taken.",
            [(_where(seen), str(int(seen.taken.timestamp()))) for seen in rounds],
        ),
        *_gauge(
            "interval_seconds",
            "How far apart rounds are meant to be.",
            [(_where(seen), f"{every.total_seconds():.0f}") for seen in rounds],
        ),
        *_gauge(
            "endpoint_reached",
            "Whether a required endpoint was reached in the last round.",
            reached,
        ),
        *_gauge(
            "finding",
            "What the last round was found to have, by cause and by who can mend it.",
            [(_where(rounds[number]) | dict(zip(names, one, strict=True)), "1") for number, *one in found],
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


def _where(seen: Round) -> dict[str, str]:
    return {"location": seen.location} | ({"site": seen.site} if seen.site else {})


def _of(seen: Round) -> str:
    return f" for site {seen.site}" if seen.site else ""


def _own() -> str:
    return one_line(socket.gethostname())
