"""What is pasted on a server that has no arcferry: one block for sh, one for PowerShell.

Both write what `evidence.readers.on_server` reads: each name's answer with its chain, TCP 443, TLS and HTTP
at each address, the issuer, resolvers, proxies, the clock, what the agent says of itself. They only read.
"""

from collections.abc import Iterable
from functools import cache
from importlib import resources

from arcferry import command_line
from arcferry.command_line import Does
from arcferry.diagnosis.finding import Command

SHELLS = {"windows": "powershell", "linux": "sh"}
_FILES = {"windows": "windows.ps1", "linux": "linux.sh"}


def block(system: str, hosts: Iterable[str]) -> str:
    """The block for these names, of `windows` (PowerShell 3.0 and later) or `linux` (any POSIX shell)."""
    words = tuple(command_line.host(one) for one in dict.fromkeys(hosts) if one)
    return command_line.line(_template(system), hosts=words).strip()


def blocks(hosts: Iterable[str]) -> tuple[Command, ...]:
    """The block of each system, as a finding has it; none without a name."""
    names = tuple(filter(None, hosts))
    if not names:
        return ()
    return tuple(Command(tool, block(system, names), Does.READS) for system, tool in SHELLS.items())


@cache
def _template(system: str) -> str:
    return resources.files(__package__).joinpath(_FILES[system]).read_text(encoding="ascii")
