"""Which hosts of a run failed, all of them or those of one cause: what `retry` takes up again."""

from collections.abc import Sequence
from dataclasses import replace

from arcferry.errors import BlockedError, InputError, UnknownNameError
from arcferry.fleet.events import EventKind
from arcferry.fleet.findings import judged_of
from arcferry.fleet.following import entries
from arcferry.fleet.run_folder import RunFolder, runs
from arcferry.fleet.task import RunRequest

FAILED = frozenset((EventKind.FAILED.value, EventKind.BLOCKED.value, "not-heard-from"))
"""How a host ends that is taken up again."""


def run_of(request: RunRequest, name: str = "") -> RunFolder:
    """The folder of the run that a request is for.

    Raises:
        BlockedError: `name` is another run's.
        InputError: there is no such run yet.
    """
    if name and name != request.run:
        raise BlockedError(
            f"inventory, bundle and target are those of the run {request.run}, and not of {name}",
            hint="Give the ones that the run was begun with: arcferry onboard status shows them.",
        )
    found = {run.id: run for run, _ in runs(request.state)}
    if request.run not in found:
        raise InputError(
            f"there is no run yet of this inventory, bundle and target (it would be {request.run})",
            hint="Begin it with arcferry onboard apply.",
        )
    return found[request.run]


def failed_hosts(run: RunFolder, cause: str = "") -> Sequence[str]:
    """The hosts of a run that failed at last, of one cause where one is named, in the journal's order.

    Raises:
        UnknownNameError: none failed of that cause; those that some did are offered.
        BlockedError: none failed.
    """
    failed = [host for host, state in _last(run).items() if state in FAILED]
    if not failed:
        raise BlockedError(f"no host of the run {run.id} failed", hint="arcferry onboard status shows them.")
    if not cause:
        return failed
    causes = {found.cause: found.servers for found in judged_of(run).findings if found.servers}
    of_cause = [host for host in failed if host in causes.get(cause, ())]
    if not of_cause:
        raise UnknownNameError(f"cause of failed hosts of the run {run.id}", cause, causes)
    return of_cause


def taking_up(request: RunRequest, run: RunFolder, cause: str = "") -> RunRequest:
    """The request for a run, of whose own hosts only those are begun that failed at last, of one cause.

    What is judged, kept and told afterwards is also of the others that the run ever began, as they stand.

    Raises:
        UnknownNameError, BlockedError: as `failed_hosts` does.
    """
    names = failed_hosts(run, cause)
    chosen = {host.name for host in request.inventory.hosts}
    told = chosen.union(_last(run))
    everyone = request.everyone or request.inventory
    hosts = tuple(host for host in everyone.hosts if host.name in told)
    return replace(
        request, inventory=replace(everyone, hosts=hosts), only=frozenset(chosen.intersection(names))
    )


def _last(run: RunFolder) -> dict[str, str]:
    """What the journal says last of each host that was begun, in the order in which they were."""
    last: dict[str, str] = {}
    for entry in entries(run.journal):
        if not entry.of_run and not entry.event.get("step"):
            last[str(entry.event["host"])] = entry.kind
    return last
