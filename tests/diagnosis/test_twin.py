"""The story on the twin: the check, the explanation, the change it asks for, and then no error any more."""

import re
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.diagnosis import Diagnosis, judge
from arcferry.evidence.case import observed
from arcferry.evidence.reading import read_document
from arcferry.probe.https import check
from arcferry.probe.step import ProbeSettings
from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import Twin

pytestmark = pytest.mark.lab
ALLOWED = ("12076:51010", "12076:5060", "12076:5070")


async def diagnosed(twin: Twin) -> Diagnosis:
    lab = lab_document(twin)
    settings = ProbeSettings(
        resolver=lab["resolver"], proxy=None, ca_file=Path(lab["ca_file"]), port=int(lab["port"])
    )
    cloud = catalog.cloud(lab["cloud"])
    result = await check(cloud, catalog.region(lab["location"], cloud), settings)
    files = [Path(lab[key]) for key in ("service_tags_file", "communities_file", "route_filter_file")]
    documents = [one for file in files for one in read_document(file.name, file.read_bytes())]
    return judge([observed(result.observations), *documents])


async def test_the_change_that_is_asked_for_is_the_one_that_helps(twin: Twin) -> None:
    before = await diagnosed(twin)
    (error,) = [finding for finding in before.findings if finding.severity == "error"]
    assert error.cause == "route/community-not-in-filter"
    assert [affected.host for affected in error.endpoints] == ["agentserviceapi.guestconfiguration.azure.com"]
    assert error.endpoints[0].community == "12076:51012"

    # The filter is of no known day, so it is to be fetched again first.
    assert "route-filter show" in error.remedy.commands[0].text
    asked = re.search(r"--add communities ([0-9: ]+)", error.remedy.commands[1].text)
    assert asked is not None
    await twin.allow(*ALLOWED, *asked[1].split())
    after = await diagnosed(twin)
    assert not after.has_errors, [finding.title for finding in after.findings]
