"""Histories of several sites, set side by side."""

from datetime import UTC, datetime, timedelta

import pytest

from arcferry import catalog
from arcferry.report import watch_sites
from arcferry.report.watch import HistoryView
from arcferry.routing.coverage import Verdict
from arcferry.watch.changes import AnswerRegion
from arcferry.watch.history import AnswerSpan, ReachSpan, Record

CLOUD = catalog.cloud("AzureCloud")
START = datetime(2026, 11, 29, 8, tzinfo=UTC)
HOST = "gbl.his.arc.azure.com"


def view(site: str, address: str, region: str, *, says: str = "", stopped: int = 0) -> HistoryView:
    """What a site saw in 13 rounds of five minutes, the last one so many minutes before the others' last."""
    first, last = START - timedelta(minutes=stopped), START + timedelta(minutes=60 - stopped)
    answer = AnswerSpan(HOST, "10.0.0.53", (), (address,), "", first, last, 13)
    record = Record((answer,), (ReachSpan(HOST, says, first, last, 13),), ())
    found = {answer: AnswerRegion(region, Verdict.CARRIED, address, "")}
    return HistoryView(CLOUD, catalog.region("eastasia", CLOUD), record, found, (), site)


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (view("kaohsiung", "20.0.0.2", "eastasia"), []),
        (view("kaohsiung", "20.0.0.2", "japaneast"), ["taipei", "kaohsiung"]),
        (view("kaohsiung", "20.0.0.1", "eastasia", says="tcp timeout"), ["taipei", "kaohsiung"]),
        (view("kaohsiung", "20.0.0.2", "japaneast", stopped=15), ["taipei", "kaohsiung"]),
        (view("kaohsiung", "20.0.0.2", "japaneast", stopped=16), []),
    ],
    ids=["another address", "another region", "not reached", "a late round", "no longer watched"],
)
def test_sites_differ_by_place_and_reach_of_what_they_see_now(other: HistoryView, differs: list[str]) -> None:
    found = watch_sites.document([view("taipei", "20.0.0.1", "eastasia"), other])
    assert [one["site"] for one in found["differs"]] == differs
    assert [one["site"] for one in found["sites"]] == ["taipei", "kaohsiung"]
