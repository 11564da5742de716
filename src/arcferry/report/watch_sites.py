"""A watch from several sites, side by side: what each sees of an endpoint, and where they differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console

from arcferry.language import _, headings, translated
from arcferry.report import watch
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import UNDISCOVERED
from arcferry.report.console import print_line, print_table
from arcferry.report.watch import HistoryView
from arcferry.text import one_line
from arcferry.times import to_text
from arcferry.watch.history import GAP_INTERVALS, SHORTEST_GAP

_MOST_NOTICES = 40
_HEADINGS = headings("ENDPOINT", "SITE", "RESOLVER", "ANSWER", "SINCE", "CARRIED", "REACHED")


@dataclass(frozen=True, slots=True)
class _Sight:
    """What one site saw of one endpoint in its last round, by one resolver.

    Attributes:
        since: since when the answer lies in that place.
        reached: `yes`, or why not; as the site's first resolver leads there.
    """

    host: str
    site: str
    resolver: str
    addresses: tuple[str, ...]
    says: str
    place: str
    carried: str
    since: datetime
    reached: str

    @property
    def differs_by(self) -> tuple[object, ...]:
        """What two sites are compared by; addresses alone change from answer to answer."""
        return self.place, self.carried, self.says, self.reached


def document(views: Sequence[HistoryView]) -> dict[str, Any]:
    """Every site's history whole, and the endpoints at which they differ."""
    sights = list(_sights(views))
    apart = _apart(sights)
    return {
        "schema": SCHEMA,
        "kind": "watch-sites",
        "cloud": views[0].cloud.name,
        "location": views[0].region.name,
        "differs": [
            picked(one, "host", "site", "resolver", "addresses", "place", "carried", "since", "reached")
            for one in sights
            if one.host in apart
        ],
        "sites": [watch.document(view) for view in views],
    }


def draw(views: Sequence[HistoryView], console: Console) -> None:
    """A row for each endpoint, site and resolver, then what was told, then where sites differ."""
    sights = list(_sights(views))
    apart = _apart(sights)
    print_table(console, _HEADINGS, ((_row(one), "yellow" if one.host in apart else "") for one in sights))
    told = sorted(
        (to_text(taken), level, view.site, f"{host}  {one_line(translated(says), limit=200)}".strip())
        for view in views
        for taken, level, host, says in view.record.notices
    )
    if told:
        print_line(console)
        print_table(console, headings("TOLD", "", "SITE", ""), ((row, "") for row in told[-_MOST_NOTICES:]))
    print_line(console)
    for host in apart:
        print_line(
            console,
            _("Sites differ at {host}: {said}", host=host or _(UNDISCOVERED), said=_said(sights, host)),
        )
    if not apart:
        print_line(console, _("The sites see the same."))
    for view in views:
        print_line(console, f"{view.site or _('no site')}: {watch.summary(view)}", "dim")


def _sights(views: Sequence[HistoryView]) -> Iterator[_Sight]:
    """By endpoint, then by site in the order given; what stopped long before the others sees nothing now."""
    newest = max((view.record.last for view in views if view.record.last), default=None)
    found = [one for view in views if newest and _is_current(view, newest) for one in _of_site(view)]
    yield from sorted(found, key=lambda one: one.host)


def _is_current(view: HistoryView, newest: datetime) -> bool:
    last, gap = view.record.last, max(view.record.interval * GAP_INTERVALS, SHORTEST_GAP)
    return last is not None and newest - last <= gap


def _of_site(view: HistoryView) -> Iterator[_Sight]:
    """The answers of the last round; of a resolver that is no longer asked there is none."""
    newest = {span.host: span for span in view.record.reach}
    for one in view.periods():
        if one.last == view.record.last:
            reach = newest.get(one.host)
            reached = "-" if reach is None else "yes" if reach.reached else reach.says
            yield _Sight(
                one.host, view.site, one.resolver, one.addresses, one.says, one.place, one.carried, one.first,
                reached,
            )  # fmt: skip


def _apart(sights: Sequence[_Sight]) -> tuple[str, ...]:
    """The endpoints of which not every site sees the same, by its first answer."""
    seen: dict[str, dict[str, _Sight]] = {}
    for one in sights:
        seen.setdefault(one.host, {}).setdefault(one.site, one)
    return tuple(
        host for host, of_site in seen.items() if len({one.differs_by for one in of_site.values()}) > 1
    )


def _row(one: _Sight) -> tuple[str, ...]:
    what = next(iter(one.addresses), one.says or _("no address"))
    where = f" ({one.place})" if one.place else ""
    host = one.host or _(UNDISCOVERED)
    return (
        host, one.site or "-", one.resolver, f"{what}{where}", to_text(one.since), _(one.carried),
        _(one.reached),
    )  # fmt: skip


def _said(sights: Sequence[_Sight], host: str) -> str:
    return "; ".join(
        _(
            "{site} has {answer} since {since}, {reached}",
            site=one.site or _("no site"),
            answer=one.place or one.says or next(iter(one.addresses), _("no address")),
            since=to_text(one.since),
            reached=_("reached") if one.reached == "yes" else _("not reached ({why})", why=one.reached),
        )
        for one in sights
        if one.host == host
    )
