"""BGP sessions of every router that has a route table here: summaries and neighbours, as text.

Nearly all summaries have one row in common: the neighbour, its AS, counters, since when, and a state or a
number of prefixes. The others, and the sections that `show bgp neighbor` prints, are patterns in
`sessions.toml`. A row needs no header, because people cut it out with `| include 12076`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from arcferry import typed
from arcferry.routing.session import ESTABLISHED, Session, state_of
from arcferry.routing.tables.patterns import all_compiled, held
from arcferry.routing.tables.values import address
from arcferry.text import whole

_MOST = 2000
_LONGEST = 400
_LAST_AS = 2**32 - 1
_MOST_ROUTES = 10**9
_SINCE = re.compile(r"(?:never|n/a|(?:\d{1,9}[ywdhms]){1,6}|\d{1,9}:\d\d(?::\d\d)?)", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}(?:[hms]|:\d\d(?::\d\d)?)")
"""What Junos puts behind the days and weeks of a session: `1w2d 3h`, `1d 02:11:20`."""
_COUNTER = re.compile(r"\d{1,20}\*?")
_STATE = re.compile(
    r"(?P<state>[A-Za-z]{4,12}!?|\(Policy\)|NoNeg)(?:\s?\((?P<remark>[\w ]{1,20})\))?(?=\s|$)"
)
_COUNTS = re.compile(r"\d{1,10}(?:/\d{1,10}){0,3}\.?")
_MOST_ALONE = 3
"""Words on the line of a neighbour whose counters stand on the next one: its address, the version, its AS."""

_LEAST_COUNTERS, _MOST_COUNTERS = 4, 9
_BELOW = re.compile(r"^\s+(?:[\w.-]*inet6?\.0: \d+/(\d+)/|\S+ pfx:\s+Accepted pfx: (\d+))")
"""The line below a row of Junos's or PAN-OS's that has the row's prefixes."""

_MIKROTIK = re.compile(r"""([\w.-]*)=("[^"]{0,200}"|\S*)""")
_MIKROTIK_ENTRY = re.compile(r"^\s*\d+\s+(?P<flags>[A-Z ]{0,6})\s*name=")
_MIKROTIK_PLAIN = re.compile(r"\bremote[.-]address=")


_ROWS = all_compiled(row["pattern"] for row in held("sessions.toml")["row"])
_SECTIONS = {key: all_compiled(several) for key, several in held("sessions.toml")["neighbour"].items()}


def read_sessions(text: str) -> tuple[Session, ...]:
    """Every BGP session that the text tells of, each once; none if it tells of none."""
    lines = [line[:_LONGEST].rstrip() for line in text.splitlines()]
    sections = list(_sections(lines))
    named = {name for name, _ in sections}
    found = [one for one in _summary(lines) if one.peer not in named]
    found += [*(one for _, one in sections), *_mikrotik(lines)]
    known: dict[str, Session] = {}
    for one in found[:_MOST]:
        before = known.get(one.peer)
        # A capture goes on in time: what is printed last is so now.
        same = before is not None and before.is_up is one.is_up
        known[one.peer] = (
            replace(one, received=_more(before.received, one.received)) if before and same else one
        )
    return tuple(known.values())


def _more(one: int | None, other: int | None) -> int | None:
    return max(one, other) if one is not None and other is not None else one if other is None else other


# Summaries.


def _summary(lines: Sequence[str]) -> Iterator[Session]:
    waiting: list[str] = []
    latest: Session | None = None
    received_second, before_since = False, False
    for line in lines:
        if "/Received" in line or "PrefRcv" in line:
            received_second = "#Active/Received" in line
            before_since = re.search(r"PrefRcv\s+Up/Down", line) is not None
        if latest and (counted := _BELOW.match(line)):
            count = whole(counted[1] or counted[2], most=_MOST_ROUTES) if latest.is_up else None
            latest = replace(latest, received=_more(latest.received, count))
            continue
        words = line.split()
        indented = line[:1].isspace()
        row = _row(words, received_second=received_second, before_since=before_since)
        if row is None and waiting and indented:
            row = _row([*waiting, *words], received_second=received_second, before_since=before_since)
        row = row or _by_pattern(line)
        if row is not None:
            if latest:
                yield latest
            latest, waiting = row, []
        elif (
            words
            and address(words[0].lstrip("*>"))
            and all(map(_COUNTER.fullmatch, words[1:3]))
            and len(words) <= _MOST_ALONE
        ):
            waiting = words
        elif not indented and len(waiting) > 1:
            waiting = []
    if latest:
        yield latest


def _by_pattern(line: str) -> Session | None:
    for pattern in _ROWS:
        if found := pattern.search(line):
            told = found.groupdict()
            return Session(
                address(told.get("peer") or "") or typed.label(told.get("name") or "", 60),
                whole(told["asn"], most=_LAST_AS) if told.get("asn") else None,
                state_of(told["state"]),
                whole(told["received"], most=_MOST_ROUTES) if told.get("received") else None,
                typed.label((told.get("since") or "").strip(), 30),
            )
    return None


def _row(words: Sequence[str], *, received_second: bool, before_since: bool) -> Session | None:
    """A row with a neighbour, counters, a time, and a state or a count; None for any other line."""
    place = next((index for index, word in enumerate(words[:3]) if address(word.lstrip("*>"))), None)
    named = place is None and len(words) > 1 and _is_openbgpd(words)
    start = 0 if named else place
    if start is None:
        return None
    rest = words[start + 1 :]
    since = next((i for i, word in enumerate(rest) if _SINCE.fullmatch(word) and not word.isdigit()), None)
    if since is None or not _LEAST_COUNTERS <= since <= _MOST_COUNTERS:
        return None
    counters = rest[:since]
    if not all(map(_COUNTER.fullmatch, (one.partition(".")[0] for one in counters))):
        return None
    versioned = counters[0] in ("4", "0") and since > _LEAST_COUNTERS
    tail = rest[since + 1 :]
    told_since = rest[since]
    if tail and _CLOCK.fullmatch(tail[0]):
        told_since, tail = f"{told_since} {tail[0]}", tail[1:]
    ended = _state_and_count(tail, received_second=received_second)
    if ended is None:
        return None
    state, received = ended
    if before_since and received is None:
        received = whole(counters[-1], most=_MOST_ROUTES)
    return Session(
        address(words[start].lstrip("*>")) or typed.label(words[start], 60),
        _as_number(counters[1 if versioned else 0]),
        state,
        received if state.startswith(ESTABLISHED) else None,
        told_since.lower(),
    )


def _is_openbgpd(words: Sequence[str]) -> bool:
    """Whether it is a row of `bgpctl show`, which calls a neighbour by its description."""
    return len(words) == 7 and all(map(_COUNTER.fullmatch, words[1:5])) and not words[0][0].isdigit()  # noqa: PLR2004


def _as_number(word: str) -> int | None:
    high, dot, low = word.rstrip("*").partition(".")
    if not dot:
        return whole(high, most=_LAST_AS)
    upper, lower = whole(high, most=0xFFFF), whole(low, most=0xFFFF)
    return None if upper is None or lower is None else upper << 16 | lower


def _state_and_count(tail: Sequence[str], *, received_second: bool) -> tuple[str, int | None] | None:
    if not tail:
        return None
    if _COUNTS.fullmatch(tail[0]):
        return ESTABLISHED, _counted(tail[0], second=received_second or tail[0].count("/") > 2)  # noqa: PLR2004
    found = _STATE.match(" ".join(tail))
    if found is None:
        return None
    if found["state"] == "(Policy)":
        return state_of("0", "Policy"), 0
    state = state_of(found["state"], found["remark"] or "")
    count = next((word for word in tail[1:] if _COUNTS.fullmatch(word)), None)
    return state, _counted(count, second=received_second) if count else None


def _counted(text: str, *, second: bool) -> int | None:
    """The prefixes received: the second of Junos's active/received/accepted, else the first."""
    parts = text.rstrip(".").split("/")
    return whole(parts[1] if second and len(parts) > 1 else parts[0], most=_MOST_ROUTES)


# Sections of one neighbour each.


def _sections(lines: Sequence[str]) -> Iterator[tuple[str, Session]]:
    """Each neighbour's session, with the name under which a summary may have it."""
    section: list[str] = []
    begun: dict[str, str | None] = {}
    for line in lines:
        started = next((found for one in _SECTIONS["begins"] if (found := one.search(line))), None)
        if started is None:
            bird = _ROWS[-1].search(line)
            started = bird if bird and "name" in bird.groupdict() else None
        if started is not None:
            yield from _section(begun, section)
            begun, section = started.groupdict(), []
        if begun:
            section.append(line)
    yield from _section(begun, section)


def _section(begun: dict[str, str | None], lines: Sequence[str]) -> Iterator[tuple[str, Session]]:
    def told(key: str) -> list[str]:
        found = (match for line in lines for one in _SECTIONS[key] if (match := one.search(line)))
        return [match["is"] for match in found]

    peer = address(begun.get("peer") or next(iter(told("peer")), ""))
    state = next(iter(told("state")), "")
    asn = begun.get("asn") or next(iter(told("asn")), "")
    if not peer or not state:
        return
    counts = [count for text in told("received") if (count := whole(text, most=_MOST_ROUTES)) is not None]
    shown = state_of(state)
    yield (
        begun.get("name") or "",
        Session(
            peer,
            whole(asn, most=_LAST_AS) if asn else None,
            shown,
            max(counts) if counts and shown.startswith(ESTABLISHED) else None,
            next(iter(told("since")), "").lower(),
        ),
    )


def _mikrotik(lines: Sequence[str]) -> Iterator[Session]:
    """`/routing/bgp/session/print` and `/routing bgp peer print status`: fields after a number and flags.

    A field that begins with a dot has the group of the one before: `remote.address=A .as=12076`.
    """
    entries: list[tuple[str, list[str]]] = []
    for line in lines:
        if begun := _MIKROTIK_ENTRY.match(line):
            entries.append((begun["flags"], [line]))
        elif entries and line[:1].isspace():
            entries[-1][1].append(line)
    for flags, several in entries:
        text = " ".join(several)
        if not _MIKROTIK_PLAIN.search(text):
            continue
        fields: dict[str, str] = {}
        group = ""
        for key, value in _MIKROTIK.findall(text):
            group = group if key.startswith(".") else key.partition(".")[0]
            fields.setdefault(f"{group}{key}" if key.startswith(".") else key, value.strip('"'))
        peer = address((fields.get("remote.address") or fields.get("remote-address") or "").partition("/")[0])
        asn = fields.get("remote.as") or fields.get("remote-as") or ""
        up = "E" in flags or fields.get("state") == "established" or fields.get("established") == "yes"
        count = fields.get("prefix-count", "")
        if peer:
            yield Session(
                peer,
                whole(asn, most=_LAST_AS) if asn else None,
                ESTABLISHED if up else state_of(fields.get("state") or "down"),
                whole(count, most=_MOST_ROUTES) if up and count else None,
                typed.label(fields.get("uptime", ""), 30),
            )
