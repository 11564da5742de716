"""The order in which an apply would take up its servers, as far as a plan can tell."""

from collections.abc import Sequence
from dataclasses import dataclass

from arcferry.fleet.networks import networks_of
from arcferry.fleet.plan import HostPlan
from arcferry.fleet.task import RunRequest
from arcferry.fleet.waves import Stage, stages


@dataclass(frozen=True, slots=True)
class NetworkTurn:
    """One network that has servers to take in.

    Attributes:
        hosts: how many of them.
        first: the servers that would be asked for the path before anything is installed anywhere.
    """

    network: str
    hosts: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetOrder:
    """Whose path is proved, then who goes ahead, then the waves; without what is done already."""

    networks: tuple[NetworkTurn, ...]
    stages: tuple[Stage, ...]


def order_of(request: RunRequest, plans: Sequence[HostPlan]) -> FleetOrder:
    """The order that follows from these plans; the servers that answer the proof decide in the end."""
    waiting = [plan for plan in plans if plan.changes or not plan.good]
    able = {plan.host.name for plan in waiting if plan.good}
    networks = networks_of(plan.host for plan in waiting) if request.canary else {}
    done = set(networks_of(plan.host for plan in plans if plan not in waiting))
    turns = []
    canaries = []
    for network, hosts in networks.items():
        first = [host for host in hosts if host.name in able][: request.canary]
        turns.append(NetworkTurn(network, len(hosts), tuple(host.name for host in first)))
        canaries += [] if network in done else first
    left = {plan.host.name for plan in waiting}
    # The shares are of every server, so that a wave is the same when the run goes on.
    whole = stages([plan.host for plan in plans], canaries, request.waves)
    kept = (Stage(one.name, tuple(host for host in one.hosts if host.name in left)) for one in whole)
    return FleetOrder(tuple(turns), tuple(one for one in kept if one.hosts))
