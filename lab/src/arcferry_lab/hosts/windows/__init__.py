"""The twin's Windows: an agent that is a real program, in a real MSI, installed by Wine's msiexec.

What differs from Windows, as of Wine 8.0 (tried 2026-11-23): msiexec gives 1627 for a file that is no MSI,
where Windows gives 1620, and 2 for one that is missing, where Windows gives 1619. It looks at no signature,
at no other installation (so never 1618) and at no pending restart (so never 3010). Its log has Windows
Installer's actions and properties, and no lines of the engine's. There is no PowerShell. The agent has no
background services: it sends one heartbeat, when it connects, and for that its key must be RSA.
"""

from arcferry_lab.hosts.windows.host import RunningProgram, WindowsHost, command_line, start_windows_host
from arcferry_lab.hosts.windows.msi import build_agent_msi
from arcferry_lab.hosts.windows.prefix import LabSettings, ProgramResult, WinePrefix
from arcferry_lab.hosts.windows.settings import WindowsSettings
from arcferry_lab.hosts.windows.signing import CodeSigning
from arcferry_lab.hosts.windows.tools import cannot_build, cannot_host, cannot_run

__all__ = [
    "CodeSigning",
    "LabSettings",
    "ProgramResult",
    "RunningProgram",
    "WindowsHost",
    "WindowsSettings",
    "WinePrefix",
    "build_agent_msi",
    "cannot_build",
    "cannot_host",
    "cannot_run",
    "command_line",
    "start_windows_host",
]
