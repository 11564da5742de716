"""The steps of one host, in their order; each decides from the host's state, and then performs."""

from typing import Protocol

from arcferry.fleet.host_state import Decision, HostState
from arcferry.fleet.outcome import StepResult
from arcferry.fleet.steps.check import Check
from arcferry.fleet.steps.connect import Connect
from arcferry.fleet.steps.install import Install
from arcferry.fleet.steps.stage import StageFiles
from arcferry.fleet.steps.survey import NAME as SURVEY
from arcferry.fleet.steps.survey import survey
from arcferry.fleet.steps.verified import Verified
from arcferry.fleet.steps.verify import Verify
from arcferry.fleet.task import HostTask


class Step(Protocol):
    """One step.

    Attributes:
        interruptible: whether it may be left in the middle when the run is stopped.
    """

    name: str
    interruptible: bool

    def decide(self, state: HostState) -> Decision:
        """Whether it is to be run, skipped or blocked, and why. Reads nothing but the state."""

    async def perform(self, task: HostTask) -> StepResult:
        """Do it, whatever was done before: a step that was cut short runs again.

        Raises:
            HostError: the host failed.
            AzureError: Azure failed.
        """


STEPS: tuple[Step, ...] = (StageFiles(), Verify(), Install(), Check(), Connect(), Verified())
NAMES = (SURVEY, *(step.name for step in STEPS))

__all__ = ["NAMES", "STEPS", "SURVEY", "Step", "survey"]
