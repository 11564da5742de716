"""The incident, with real packets: one red row, its reason, the change, and the next move of the answer."""

import json
import sys
from pathlib import Path

import pytest
from tests.lab.network.namespaces.conftest import Lab

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.xdist_group("namespaces")]
AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"
JAPAN_EAST = "12076:51012"


def explained(lab: Lab, folder: Path) -> list[dict[str, object]]:
    """What explain concludes from the check and the documents of the lab."""
    check, routes = folder / "check.json", folder / "router.txt"
    check.write_text(lab.check_text(), encoding="utf-8")
    routes.write_text(lab.lab("routes"), encoding="utf-8")
    document = lab.document()
    names = ("route_filter_file", "service_tags_file", "communities_file", "circuit_file")
    files = [str(check), str(routes), *(document[name] for name in names)]
    found = json.loads(lab.arcferry("explain", *files, "--output", "json", code=None))
    return [one for one in found["findings"] if one["severity"] == "error"]


def watched(lab: Lab, state: Path) -> list[str]:
    """What a round of the watch tells of the story's name, asking both of the site's resolvers."""
    document = lab.document()
    files = [document[name] for name in ("route_filter_file", "service_tags_file", "communities_file")]
    judged_by = [word for file in files for word in ("--with", file)]
    resolvers = ("--resolver", "10.20.0.53", "--resolver", "10.20.0.54")
    command = (sys.executable, "-m", "arcferry", "watch", "--location", "eastasia", "--rounds", "1")
    told = lab.on("host1", *command, *resolvers, *judged_by, "--state", str(state), code=None)
    return [line for line in told.splitlines() if AGENT_SERVICE in line]


def test_the_incident(lab: Lab, tmp_path: Path) -> None:
    assert lab.unreached() == {AGENT_SERVICE}
    [finding] = explained(lab, tmp_path)
    assert finding["cause"] == "route/community-not-in-filter"
    assert JAPAN_EAST in json.dumps(finding["remedy"])
    assert "40.115.128.0/17" not in lab.lab("routes")

    lab.lab("filter", "add", JAPAN_EAST)
    assert "40.115.128.0/17" in lab.lab("routes")
    assert "(12076,51012)" in lab.lab("routes", "--received")
    assert lab.unreached() == set()

    assert watched(lab, tmp_path) == []
    lab.lab("steer", AGENT_SERVICE, "westeurope", "--resolver", "elsewhere")
    [warning] = watched(lab, tmp_path)
    assert "  warn  " in warning
    assert "12076:51002" in warning
    assert lab.unreached() == set(), "the watch warns before anything is broken"

    lab.lab("steer", AGENT_SERVICE, "westeurope")
    assert all("  FAIL  " in line for line in watched(lab, tmp_path))
    assert lab.unreached() == {AGENT_SERVICE}
    [finding] = explained(lab, tmp_path)
    assert "12076:51002" in json.dumps(finding["remedy"])


def test_resolvers_answer_differently(lab: Lab) -> None:
    lab.lab("steer", AGENT_SERVICE, "japaneast")
    lab.lab("steer", AGENT_SERVICE, "southeastasia", "--resolver", "elsewhere")

    def answer(resolver: str) -> str:
        rows = lab.check("--resolver", resolver)["endpoints"]
        return str(next(one["address"] for one in rows if one["host"] == AGENT_SERVICE))

    assert answer("10.20.0.53") == "40.115.144.3"
    assert answer("10.20.0.54") == "4.145.72.3"
    assert "unknown resolver" in lab.lab("steer", AGENT_SERVICE, "japaneast", "--resolver", "moon", code=2)
