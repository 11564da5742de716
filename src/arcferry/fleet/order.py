"""What the operator asked for, read and checked."""

from dataclasses import dataclass, field
from pathlib import Path

from arcferry.azure import ServicePrincipal, Target
from arcferry.bundle import Bundle
from arcferry.fleet.inventory import Inventory
from arcferry.fleet.situation import linux_script
from arcferry.fleet.state import run_id
from arcferry.fleet.transport import SshTrust
from arcferry.fleet.work import PATIENCE, Shared

CONCURRENCY = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """How a run is held in bounds.

    Attributes:
        concurrency: hosts worked on at one time.
        stop_after: failures after which no further host is begun; None for no limit.
    """

    concurrency: int = CONCURRENCY
    stop_after: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator asked for, read and checked.

    Attributes:
        principal: None for a plan that does not sign in to Azure.
        state: the folder that remembers runs.
        patience: seconds that Azure gets to report a machine as Connected, with a new heartbeat.
    """

    inventory: Inventory
    bundle: Bundle
    trust: SshTrust
    target: Target
    principal: ServicePrincipal | None = field(repr=False)
    state: Path
    limits: Limits
    patience: float = PATIENCE

    @property
    def run(self) -> str:
        """The name of the run that this is."""
        return run_id(self.inventory, self.bundle, self.target)


def shared_by_all(order: Order) -> Shared:
    """What every host of the run shares, before Azure was asked."""
    return Shared(
        bundle=order.bundle,
        script=linux_script(order.bundle).read(),
        trust=order.trust,
        target=order.target,
        patience=order.patience,
    )
