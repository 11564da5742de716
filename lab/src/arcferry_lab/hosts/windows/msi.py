"""The twin agent as an MSI, made by wixl and signed by the lab."""

import re
import tempfile
import uuid
from functools import cache
from importlib import resources
from pathlib import Path

from arcferry import files
from arcferry.text import quoted
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.compiler import compile_program
from arcferry_lab.hosts.windows.signing import CodeSigning
from arcferry_lab.system import run_tool

_VERSION = re.compile(r"^(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\.\d{1,5})?$")
_LARGEST = (255, 255, 65_535)
_FAMILY = uuid.UUID("5f0c4b5e-4f7b-4d1a-9d53-3f1c2a6be9d1")
# Publisher and product are named as Microsoft's are, because arcferry looks for exactly these.
_SERVICES = {  # by program, as in Microsoft's agent: the service's name and how Windows shows it
    "himds": ("himds", "Azure Hybrid Instance Metadata Service"),
    "gc_arc_service": ("GCArcService", "Guest Configuration Arc Service"),
    "gc_extension_service": ("ExtensionService", "Guest Configuration Extension Service"),
}
_SERVICE = """
          <Component Id="{program}" Guid="{component}" Win64="yes">
            <File Id="{program}" Name="{program}.exe" Source="azcmagent.exe" KeyPath="yes"/>
            <ServiceInstall Id="{program}" Name="{name}" DisplayName="{shown}" Type="ownProcess" Start="auto"
                            ErrorControl="normal"/>
            <ServiceControl Id="{program}" Name="{name}" Start="install" Stop="both" Remove="uninstall"
                            Wait="yes"/>
          </Component>"""
_SOURCE = """<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{product}" Name="Azure Connected Machine Agent" Version="{version}"
           Manufacturer="Microsoft Corporation" Language="1033" UpgradeCode="{family}">
    <Package InstallerVersion="500" Compressed="yes" InstallScope="perMachine"
             Description="Twin of the Azure Connected Machine Agent"
             Comments="Made by arcferry's lab. No product of Microsoft, and of no use anywhere else."/>
    <MajorUpgrade DowngradeErrorMessage="A newer version of the agent is installed already."/>
    <Media Id="1" Cabinet="agent.cab" EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder">
        <Directory Id="INSTALLFOLDER" Name="AzureConnectedMachineAgent">
          <Component Id="Agent" Guid="{component}" Win64="yes">
            <File Id="azcmagent" Name="azcmagent.exe" Source="azcmagent.exe" KeyPath="yes"/>
          </Component>
{services}
        </Directory>
      </Directory>
    </Directory>
    <Feature Id="Complete" Level="1"><ComponentRef Id="Agent"/>{features}</Feature>
  </Product>
</Wix>
"""


def build_agent_msi(folder: Path, *, version: str = "1.67.3421.1187", ca: CodeSigning | None = None) -> Path:
    """Write `AzureConnectedMachineAgent-VERSION.msi` into `folder`.

    A version is always the same product, and takes the place of an older one; an older one is refused.

    Args:
        folder: made where it does not exist.
        version: three or four numbers; Windows Installer compares the first three.
        ca: who signs it; nobody where None.

    Raises:
        LabError: no version of an MSI, or a tool is missing or failed.
        FileInputError: the folder cannot be written.
    """
    found = _VERSION.match(version)
    if not found or any(int(part) > most for part, most in zip(found.groups(), _LARGEST, strict=True)):
        raise LabError(
            f"{quoted(version)} is no version of an MSI",
            hint="Three or four numbers, at most 255.255.65535.65535.",
        )
    path = folder / f"AzureConnectedMachineAgent-{version}.msi"
    with tempfile.TemporaryDirectory(prefix="arcferry-") as name:
        work = Path(name)
        (work / "azcmagent.exe").write_bytes(_agent(version))
        (work / "agent.wxs").write_text(_source(version), encoding="utf-8")
        run_tool("wixl", "-a", "x64", "-o", "agent.msi", "agent.wxs", cwd=work)
        if ca:
            ca.sign(work / "agent.msi", path)
        else:
            files.write_whole(path, (work / "agent.msi").read_bytes())
    return path


@cache
def _agent(version: str) -> bytes:
    """The agent's program, which is compiled once a process: every package of a version holds the same."""
    with (
        tempfile.TemporaryDirectory(prefix="arcferry-") as name,
        resources.as_file(resources.files(__package__).joinpath("agent")) as sources,
    ):
        program = Path(name, "azcmagent.exe")
        compile_program(sources / "azcmagent.c", program, version=version)
        return program.read_bytes()


def _source(version: str) -> str:
    product, component = (uuid.uuid5(_FAMILY, part) for part in (version, "component"))
    services = "".join(
        _SERVICE.format(
            program=program, component=_braced(uuid.uuid5(_FAMILY, program)), name=name, shown=shown
        )
        for program, (name, shown) in _SERVICES.items()
    )
    features = "".join(f'<ComponentRef Id="{program}"/>' for program in _SERVICES)
    return _SOURCE.format(
        services=services,
        features=features,
        version=version,
        family=_braced(_FAMILY),
        product=_braced(product),
        component=_braced(component),
    )


def _braced(value: uuid.UUID) -> str:
    return f"{{{value}}}".upper()
