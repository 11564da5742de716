"""Which history of a watch counts for a server of a site."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.probe.observation import Observation
from arcferry.verify.watched import watched
from arcferry.watch.changes import Round
from arcferry.watch.history import History, history_path

CLOUD = catalog.cloud("AzureCloud")
REGION = catalog.region("eastasia", CLOUD)
SEEN = datetime(2026, 11, 29, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("histories", "site", "counts"),
    [
        (("", "taipei"), "taipei", "taipei"),
        (("", "taipei"), "kaohsiung", ""),
        (("", "taipei"), "", ""),
        (("taipei",), "kaohsiung", None),
        (("taipei",), "", None),
    ],
)
def test_a_server_is_told_of_its_own_site_and_of_no_other(
    tmp_path: Path, histories: tuple[str, ...], site: str, counts: str | None
) -> None:
    endpoint = catalog.endpoint_named("management.azure.com")
    assert endpoint
    reached = Observation(endpoint.host, "a test", True, endpoint=endpoint, elapsed=0.1)
    for one in histories:
        with History.open(history_path(tmp_path, CLOUD, REGION, one)) as history:
            history.record(Round(SEEN, (reached,), (), ()), (), longest_gap=timedelta(minutes=15))
    found = watched(tmp_path, CLOUD.name, REGION.name, (), site=site)
    assert (found.site if found else None) == counts
