"""What arcferry runs on a kind of server, and where things lie there: a row a system."""

from arcferry.fleet.system.linux import LINUX
from arcferry.fleet.system.system import System
from arcferry.fleet.system.windows import WINDOWS

SYSTEMS = {row.name: row for row in (LINUX, WINDOWS)}
"""By the name that the host script's `os` gives, and under which the bundle has the host script."""


def system_of(name: str) -> System:
    """The row of this name; for what is none, that of Linux, by whose facts the host is refused then."""
    return SYSTEMS.get(name, LINUX)


__all__ = ["LINUX", "SYSTEMS", "WINDOWS", "System", "system_of"]
