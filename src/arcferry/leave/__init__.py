from arcferry.leave.leaving import LeaveRequest, Leaving, ServersLeft, removed, take_servers, traces
from arcferry.leave.trace import Trace, TraceKind, TraceState

__all__ = [
    "LeaveRequest",
    "Leaving",
    "ServersLeft",
    "Trace",
    "TraceKind",
    "TraceState",
    "removed",
    "take_servers",
    "traces",
]
