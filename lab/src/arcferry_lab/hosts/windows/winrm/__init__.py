"""WinRM as a server has it: WS-Management with the command shell, and each way to sign in."""

from arcferry_lab.hosts.windows.accounts import Account
from arcferry_lab.hosts.windows.winrm.faults import FAULTS, lay
from arcferry_lab.hosts.windows.winrm.kerberos import Realm, cannot_serve
from arcferry_lab.hosts.windows.winrm.server import WinRmServer
from arcferry_lab.hosts.windows.winrm.settings import WinRmSettings
from arcferry_lab.hosts.windows.winrm.sign_in import Directory

__all__ = ["FAULTS", "Account", "Directory", "Realm", "WinRmServer", "WinRmSettings", "cannot_serve", "lay"]
