"""What runs remember of a server that is silent now."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.verify.conftest import Desk

from arcferry.evidence.case import Case
from arcferry.evidence.reading import read_document
from arcferry.fleet import findings
from arcferry.fleet.baselines import of_network
from arcferry.fleet.events import Event, EventKind, journal
from arcferry.fleet.run_folder import open_run
from arcferry.times import from_text
from arcferry.watch import baseline

pytestmark = pytest.mark.lab
SAMPLES = Path(__file__).parents[1] / "evidence/readers/samples/agent-check"
CHECK = SAMPLES.with_name("arcferry-check") / "check.json"
TARGET = {"cloud": "AzureCloud", "location": "eastasia"}


def remember(
    state: Path,
    name: str,
    day: str,
    ended: dict[str, EventKind],
    *,
    broken: tuple[str, ...] = (),
    sample: Path = SAMPLES / "old-table.txt",
) -> None:
    """A run as `onboard apply` leaves it: how its hosts ended, and what the broken ones' path shows."""
    at = from_text(f"{day}T08:00:00Z")
    run = open_run(state, name, {"hosts": len(ended), "target": TARGET}, at)
    with journal(run.journal, name) as tell:
        for host, kind in ended.items():
            step = "" if kind is EventKind.CONNECTED else "check"
            tell(Event(host, kind, step, "no way to Azure" if step else "", at=at))
    if broken:
        documents = read_document(sample.name, sample.read_bytes())
        findings.keep(findings.findings_of([(broken, documents)]), run.path)


def prove(state: Path, network: str, day: str) -> None:
    """The path of a network as it is kept when it is proved: everything is reached."""
    check = json.loads(CHECK.read_text())
    check["taken"] = f"{day}T06:00:00Z"
    for row in check["endpoints"]:
        row |= {"reachable": True, "failure": None, "http": {"status": 404}}
    case = Case.of(read_document("path.json", json.dumps(check).encode()))
    baseline.keep(of_network(state, TARGET, network), case)


@pytest.mark.parametrize(("day", "mended"), [("2026-01-02", False), ("2026-02-02", True)])
async def test_what_changed_since_the_network_had_its_path_is_told(
    desk: Desk, day: str, mended: bool
) -> None:
    desk.put("web01", silent=timedelta(days=3))
    desk.put("web02", silent=timedelta(days=3))
    both = {"web01": EventKind.FAILED, "web02": EventKind.FAILED}
    remember(desk.state, "a" * 12, "2026-01-10", both, broken=("web01", "web02"), sample=CHECK)
    prove(desk.state, "subnet 192.0.2.0/24", day)
    path = desk.inventory("web01,192.0.2.1", "web02,198.51.100.1", header="name,address")
    ended = await desk.run(path)
    first, second = (ended.machine(name)["last_run"] for name in ("web01", "web02"))
    assert (first["path_proved"], first["proved_since"]) == (day, mended)
    assert (second["path_proved"], second["changes"]) == (None, [])
    told = " ".join((await desk.run(path, output="table")).out.split())
    if mended:
        assert first["changes"] == []
        assert f"its network's path was proved after that, on {day}" in told
        return
    (change,) = first["changes"]
    assert change.startswith(f"changed since {day}: agentserviceapi.guestconfiguration.azure.com was reached")
    assert change in told


async def test_a_silent_server_is_named_with_the_cause_of_its_last_path_evidence(desk: Desk) -> None:
    desk.put("web01", silent=timedelta(days=3))
    desk.put("web03", silent=timedelta(days=3))
    remember(
        desk.state, "a" * 12, "2026-11-01",
        {"web01": EventKind.FAILED, "WEB02": EventKind.FAILED, "web03": EventKind.FAILED},
        broken=("web01", "WEB02", "web03"),
    )  # fmt: skip
    # Mended later: what broke it before says nothing of today.
    remember(desk.state, "b" * 12, "2026-11-05", {"web03": EventKind.CONNECTED})
    path = desk.inventory("web01", "web02", "web03", "web04")
    ended = await desk.run(path)
    assert ended.code == 1, ended.err
    first, second = (ended.machine(name)["last_run"] for name in ("web01", "web02"))
    assert first["run"] == "a" * 12
    assert first["causes"] == second["causes"]
    assert first["causes"]
    third = ended.machine("web03")["last_run"]
    assert (third["run"], third["ended"], third["causes"]) == ("b" * 12, "connected", [])
    assert ended.machine("web04")["last_run"] is None
    (found,) = [one for one in ended.document["findings"] if one["cause"] == first["causes"][0]]
    assert found["hosts"] == ["web01", "web02"]
    table = (await desk.run(path, output="table")).out
    told = " ".join(table.split())
    assert f"its last path evidence (run {'a' * 12}, 2026-11-01) says: {first['causes'][0]}" in told
    assert f"connected at the end of run {'b' * 12}" in told
    assert "no path was measured since" in told
    assert "No run that is remembered here took it in" in told


async def test_a_machine_that_was_connected_and_is_gone_was_deleted_by_somebody(desk: Desk) -> None:
    remember(desk.state, "a" * 12, "2026-11-01", {"web01": EventKind.CONNECTED})
    ended = await desk.run(desk.inventory("web01"))
    assert ended.states == {"web01": "missing"}
    assert "the activity log of rg-arc" in ended.machine("web01")["hint"]


async def test_a_run_that_cannot_be_read_is_said_and_hides_nothing(desk: Desk) -> None:
    desk.put("web01", silent=timedelta(days=3))
    remember(desk.state, "a" * 12, "2026-11-01", {"web01": EventKind.FAILED}, broken=("web01",))
    (desk.state / "runs" / ("a" * 12) / "evidence.json").write_text("{")
    ended = await desk.run(desk.inventory("web01"))
    assert ended.machine("web01")["last_run"]["says"] == "no way to Azure"
    (desk.state / "runs" / ("a" * 12) / "run.json").write_text(json.dumps({"schema": 99}))
    ended = await desk.run(desk.inventory("web01"))
    assert (ended.code, ended.states) == (1, {"web01": "disconnected"})
    assert any("another version of arcferry" in note for note in ended.document["notes"])
