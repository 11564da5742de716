"""The histories of watches as charts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from arcferry import catalog, times
from arcferry.catalog import Cloud, Region
from arcferry.data.store import Store, documents
from arcferry.diagnosis.names import region_name
from arcferry.errors import ArcferryError
from arcferry.evidence.case import Case
from arcferry.files import data_folder
from arcferry.report import page
from arcferry.report import watch as report
from arcferry.report.page.page import Timeline
from arcferry.report.page.timelines import timelines
from arcferry.report.page.words import Words

SPANS = (1, 7, 30, 90)
"""Days that may be looked back."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One history.

    Attributes:
        problem: why it cannot be read; empty where it can.
    """

    title: str
    timelines: tuple[Timeline, ...] = ()
    problem: str = ""


def watches(state: Path, days: int, words: Words) -> list[Watch]:
    """Every history in a state folder, as far back as so many days, judged by what `arcferry data` holds."""
    since = times.now() - timedelta(days=days)
    return [_watch(one, since, words) for one in _found(state)]


@dataclass(frozen=True, slots=True)
class _Kept:
    """The file of a history, and of what it is."""

    path: Path
    cloud: Cloud
    region: Region
    site: str


def _found(state: Path) -> Iterator[_Kept]:
    for path in sorted((state / "watch").glob("*.sqlite")):
        for cloud in catalog.clouds():
            name = path.stem.removeprefix(f"{cloud.name}-")
            if name != path.stem:
                region, _, site = name.partition(".")
                yield _Kept(path, cloud, catalog.region(region, cloud, unlisted=True), site)
                break


def _watch(one: _Kept, since: datetime, words: Words) -> Watch:
    title = ", ".join(filter(None, (region_name(one.region.name), one.site)))
    try:
        case = Case.of(documents(Store(data_folder()), one.cloud), ())
        view = report.view_of(one.path, one.cloud, one.region, case, since=since, site=one.site)
        return Watch(title, timelines([page.read(report.document(view))], words))
    except ArcferryError as error:
        return Watch(title, problem=error.message)
