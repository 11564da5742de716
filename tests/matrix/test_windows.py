"""The same faults as a Windows server sees them: the host script's own path, in a real engine; one cause."""

import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest
from tests.matrix.evidence import azure_documents, diagnosed
from tests.matrix.findings import errors, explained
from tests.matrix.table import PROPERTY
from tests.windows_site import WindowsSite

from arcferry_lab.faults import FAULTS, Fault
from arcferry_lab.hosts.windows import command_line

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


AGAIN = r"C:\arcferry\again.ps1"
LOOP = """\
while ($null -ne [Console]::In.ReadLine()) {
    & $args[0] facts eastasia AzureCloud C:\\path.json
    [Console]::Out.WriteLine("ended $LASTEXITCODE")
}
"""
ENGINE = ("powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File")


@pytest.fixture(scope="module")
def site(windows_site: WindowsSite) -> WindowsSite:
    """With the host script on the server, as a bundle brings it."""
    scripts = resources.files("arcferry.bundle.hostscripts")
    for name in ("windows.ps1", "windows-network.ps1"):
        target = windows_site.host.path(rf"C:\arcferry\{name}")
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(scripts.joinpath(name).read_bytes())
    return windows_site


@pytest.fixture(scope="module")
def measured(site: WindowsSite) -> Iterator[Callable[[], bytes]]:
    """What the script writes of the path, again and again in one engine: its start takes most of the time."""
    site.host.path(AGAIN).write_text(LOOP)
    engine = site.loop.run(site.host.start(command_line(*ENGINE, AGAIN, SCRIPT)))

    async def ended() -> str:
        engine.stdin.write(b"\n")
        while line := await engine.stdout.readline():
            if line.startswith(b"ended "):
                return line.decode().strip()
        return "the engine ended"

    def look() -> bytes:
        file: Path = site.host.path(r"C:\path.json")
        file.unlink(missing_ok=True)
        assert site.loop.run(ended()) == "ended 0"
        return file.read_bytes()

    yield look
    engine.stdin.close()
    site.loop.run(engine.wait())


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_a_fault_leads_to_its_cause(
    site: WindowsSite,
    measured: Callable[[], bytes],
    fault: Fault,
    record_property: Callable[[str, object], None],
) -> None:
    host = AGENT_SERVICE if fault.needs_host else ""
    site.loop.run(site.twin.add_fault(fault.name, host))
    try:
        files = [("path.json", measured()), *azure_documents(site.twin).items()]
        found = diagnosed(files)
    finally:
        site.loop.run(site.twin.remove_fault(fault.name, host))
    record_property(PROPERTY, ("windows", fault.name, ", ".join(errors(found)) or "none"))
    assert errors(found) == [fault.cause], explained(found)


def test_without_a_fault_everything_is_reached(
    site: WindowsSite,
) -> None:
    done = site.run(*ENGINE, SCRIPT, "facts", "eastasia", "AzureCloud", r"C:\alone.json")
    assert done.exit_code == 0, done.stdout + done.stderr
    check = site.host.path(r"C:\alone.json").read_bytes()
    rows = json.loads(check)["endpoints"]
    assert len(rows) == REQUIRED
    assert all(row["reachable"] for row in rows), [row["failure"] for row in rows]
    assert errors(diagnosed([("path.json", check), *azure_documents(site.twin).items()])) == []
    for row in rows:
        assert len(set(row["dns"]["addresses"])) == len(row["dns"]["addresses"])
