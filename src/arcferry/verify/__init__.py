"""Whether the servers of an inventory are in Azure as they should be, long after they were connected."""

from arcferry.verify.agents import AgentGoal
from arcferry.verify.asked import Answer, GroupKey, Source, ask, key_of
from arcferry.verify.join import Wanted, join
from arcferry.verify.lifecycle import AutoUpgrade, Due, DueKind, Lifecycle, Unknown, lifecycle
from arcferry.verify.past import Past, past_of
from arcferry.verify.standing import Fault, FaultKind, Standing, State, Verification
from arcferry.verify.watched import Watched

__all__ = [
    "AgentGoal",
    "Answer",
    "AutoUpgrade",
    "Due",
    "DueKind",
    "Fault",
    "FaultKind",
    "GroupKey",
    "Lifecycle",
    "Past",
    "Source",
    "Standing",
    "State",
    "Unknown",
    "Verification",
    "Wanted",
    "Watched",
    "ask",
    "join",
    "key_of",
    "lifecycle",
    "past_of",
]
