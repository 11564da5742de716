"""The twin's Windows: an agent that is a real program, in a real MSI, installed by Wine's msiexec.

What differs from Windows, as of Wine 8.0 (tried 2026-11-23): msiexec gives 1627 for a file that is no MSI,
where Windows gives 1620, and 2 for one that is missing, where Windows gives 1619. It looks at no signature,
at no other installation (1618) and at no pending restart (3010): these are faults. Its log has Windows
Installer's actions and properties, and no lines of the engine's. docs/lab.md has the rest.
"""

from arcferry_lab.hosts.windows.host import RunningProgram, WindowsHost, command_line, start_windows_host
from arcferry_lab.hosts.windows.msi import build_agent_msi
from arcferry_lab.hosts.windows.settings import WindowsSettings
from arcferry_lab.hosts.windows.signing import CodeSigning
from arcferry_lab.hosts.windows.tools import cannot_build, cannot_host

__all__ = [
    "CodeSigning",
    "RunningProgram",
    "WindowsHost",
    "WindowsSettings",
    "build_agent_msi",
    "cannot_build",
    "cannot_host",
    "command_line",
    "start_windows_host",
]
