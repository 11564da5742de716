"""OpenSSH for Windows as far as a client sees it, in the lab's own process."""

from arcferry_lab.hosts.windows.ssh.commands import CMD, POWERSHELL, Shell
from arcferry_lab.hosts.windows.ssh.server import ADMINISTRATORS_KEYS, WindowsSsh

__all__ = ["ADMINISTRATORS_KEYS", "CMD", "POWERSHELL", "Shell", "WindowsSsh"]
