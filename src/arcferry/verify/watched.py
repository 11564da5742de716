"""What a watch saw last of the path that silent servers use, and what changed when it broke."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from arcferry import catalog
from arcferry.diagnosis import Severity, judge
from arcferry.diagnosis.finding import Finding
from arcferry.diagnosis.since import Comparison, compare, since
from arcferry.evidence.case import Case, Document
from arcferry.verify.past import changes_in
from arcferry.watch.history import History, Record, histories


@dataclass(frozen=True, slots=True)
class Watched:
    """The last word of the watch of a location, from the machine that it runs on.

    Attributes:
        last: its last round.
        findings: what broke the path in it, with what changed since it was last whole; empty where every
            endpoint was reached.
        site: by whose resolvers; empty where the watch has no sites.
    """

    location: str
    last: datetime
    findings: tuple[Finding, ...] = ()
    site: str = ""

    @property
    def changes(self) -> tuple[str, ...]:
        """What changed since then of what the findings are about."""
        return changes_in(self.findings)


def watched(
    state: Path, cloud: str, location: str, held: Sequence[Document], *, site: str = ""
) -> Watched | None:
    """What the history in a state folder says of a location; None where nobody watched it.

    That of the server's site where there is one, else that of a watch without sites: another site's says
    nothing of it.

    Args:
        state: the folder that remembers.
        cloud: whose region the location is.
        location: by its name.
        held: the filter, service tags and lists that answers are judged by.
        site: where the server stands.

    Raises:
        InputError: the history cannot be read, or there is no such location.
    """
    chosen = catalog.cloud(cloud)
    found = histories(state, chosen, catalog.region(location, chosen, unlisted=True))
    by = site if site in found else ""
    if by not in found:
        return None
    with History.open(found[by], existing=True) as history:
        record = history.read()
    if record.last is None:
        return None
    now = replace(record.document(), location=location)
    judged = since(judge((now,), held), *_compared(record, now, held))
    broken = tuple(one for one in judged.findings if one.severity is Severity.ERROR)
    return Watched(location, record.last, broken, by)


def _compared(record: Record, now: Document, held: Sequence[Document]) -> Iterator[Comparison]:
    """Each name that is out of reach now, beside the last round that reached it."""
    lost: dict[datetime, set[str]] = {}
    for host in _unreached(now):
        reached = [span.last for span in record.reach if span.host == host and span.reached]
        if reached:
            lost.setdefault(max(reached), set()).add(host)
    for day, hosts in lost.items():
        found = compare(Case.of((record.document(day),)), Case.of((now,)), held)
        yield replace(found, changes=tuple(one for one in found.changes if one.name in hosts))


def _unreached(seen: Document) -> Iterable[str]:
    return (one.host for one in seen.attempts if not one.reachable)
