"""How hosts stand by what a run's records hold of them."""

from collections.abc import Mapping
from dataclasses import replace

from arcferry.azure import Machine
from arcferry.fleet.host_state import at_least
from arcferry.fleet.inventory import Host
from arcferry.fleet.outcome import HostOutcome, HostRun, StepResult, StepState
from arcferry.fleet.records import RecordedAttempt


def still_connected(
    host: Host, recorded: RecordedAttempt | None, machines: Mapping[str, Machine]
) -> HostRun | None:
    """The finished result, where ARM still says the same of the same server; one list answers for all."""
    if recorded is None or recorded.result is None:
        return None
    run = read_result(host, recorded)
    machine = machines.get(host.name.lower())
    if run.outcome is not HostOutcome.CONNECTED or machine is None or not machine.connected:
        return None
    verified = next((step for step in run.steps if step.step == "verified"), None)
    if verified is None or str(verified.data.get("vm_id", "")).lower() != machine.vm_id.lower():
        return None
    # An earlier arcferry took any heartbeat for good, and recorded no version.
    if "version" not in verified.data or not at_least(machine.agent_version, verified.data["version"]):
        return None
    return replace(run, already=True, machine=machine)


def read_result(host: Host, recorded: RecordedAttempt | None) -> HostRun:
    """How a host stands by its last attempt."""
    if recorded is None:
        return HostRun(host, HostOutcome.STOPPED)
    if recorded.active:
        return HostRun(host, HostOutcome.STOPPED, attempt=recorded.attempt)
    if recorded.result is None:
        lost = StepResult("facts", StepState.FAILED, "the record of this host cannot be used; apply again")
        return HostRun(host, HostOutcome.FAILED, (lost,), recorded.attempt)
    steps = tuple(StepResult.from_json(step) for step in recorded.result["steps"])
    return HostRun(host, HostOutcome(recorded.result["outcome"]), steps, recorded.attempt)
