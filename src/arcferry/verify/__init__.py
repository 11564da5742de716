"""Whether the servers of an inventory are in Azure as they should be, long after they were connected."""

from arcferry.verify.agents import AgentGoal
from arcferry.verify.asked import Answer, GroupKey, Source, ask, key_of
from arcferry.verify.join import Wanted, join
from arcferry.verify.past import Past, past_of
from arcferry.verify.standing import Fault, FaultKind, Standing, State, Verification

__all__ = [
    "AgentGoal",
    "Answer",
    "Fault",
    "FaultKind",
    "GroupKey",
    "Past",
    "Source",
    "Standing",
    "State",
    "Verification",
    "Wanted",
    "ask",
    "join",
    "key_of",
    "past_of",
]
