from arcferry_lab.hosts.host import CommandResult, LabHost, start_host
from arcferry_lab.hosts.journal import HostJournal, read_journal
from arcferry_lab.hosts.package import build_agent_package
from arcferry_lab.hosts.settings import HostSettings
from arcferry_lab.hosts.tools import unavailable

__all__ = [
    "CommandResult",
    "HostJournal",
    "HostSettings",
    "LabHost",
    "build_agent_package",
    "read_journal",
    "start_host",
    "unavailable",
]
