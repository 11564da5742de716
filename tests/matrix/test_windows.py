"""The same faults as a Windows server sees them: the host script's own path, in a real engine; one cause."""

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from tests.matrix.evidence import azure_documents, diagnosed
from tests.matrix.findings import errors, explained
from tests.matrix.table import PROPERTY
from tests.windows_site import WindowsSite

from arcferry_lab.faults import FAULTS, Fault

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.xdist_group("wine")]

AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"
REQUIRED = 8
SEEN = (
    "dns/name-not-found",
    "dns/resolver-fails",
    "dns/no-addresses",
    "dns/blocked-answer",
    "tcp/refused",
    "tcp/silent",
    "tls/intercepted",
    "tls/expired",
    "tls/name-mismatch",
    "tls/no-answer",
    "path/discovery-failed",
    "clock/skew",
    "route/community-not-in-filter",
    "route/empty-route-filter",
    "route/region-without-community",
    "route/not-on-microsoft-peering",
)
"""A fault of each family that a server's own path shows; a captive page takes a check to be told, and .NET
tells a reset or an end of the handshake by chance."""
CASES = [fault for fault in FAULTS if fault.name in SEEN]
SCRIPT = r"C:\arcferry\windows.ps1"


@pytest.fixture(scope="module")
def measured(windows_site: WindowsSite) -> Callable[[], bytes]:
    """What the host script writes of the path, the script lying on the server as a bundle brings it."""
    scripts = resources.files("arcferry.bundle.hostscripts")
    for name in ("windows.ps1", "windows-network.ps1"):
        target = windows_site.host.path(rf"C:\arcferry\{name}")
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(scripts.joinpath(name).read_bytes())
    words = ("powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", SCRIPT)

    def look() -> bytes:
        file: Path = windows_site.host.path(r"C:\path.json")
        done = windows_site.run(*words, "facts", "eastasia", "AzureCloud", r"C:\path.json")
        assert done.exit_code == 0, done.stdout + done.stderr
        return file.read_bytes()

    return look


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_a_fault_leads_to_its_cause(
    windows_site: WindowsSite,
    measured: Callable[[], bytes],
    fault: Fault,
    record_property: Callable[[str, object], None],
) -> None:
    site, host = windows_site, AGENT_SERVICE if fault.needs_host else ""
    site.loop.run(site.twin.add_fault(fault.name, host))
    try:
        files = [("path.json", measured()), *azure_documents(site.twin).items()]
        found = diagnosed(files)
    finally:
        site.loop.run(site.twin.remove_fault(fault.name, host))
    record_property(PROPERTY, ("windows", fault.name, ", ".join(errors(found)) or "none"))
    assert errors(found) == [fault.cause], explained(found)


def test_without_a_fault_everything_is_reached(
    windows_site: WindowsSite, measured: Callable[[], bytes]
) -> None:
    check = measured()
    rows = json.loads(check)["endpoints"]
    assert len(rows) == REQUIRED
    assert all(row["reachable"] for row in rows), [row["failure"] for row in rows]
    assert errors(diagnosed([("path.json", check), *azure_documents(windows_site.twin).items()])) == []
    for row in rows:
        assert len(set(row["dns"]["addresses"])) == len(row["dns"]["addresses"])
