"""The scheduled task of Windows, alone and as an item of Group Policy Preferences."""

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import datetime

from arcferry.export.folder import WINDOWS, pins
from arcferry.export.model import ExportOrder, Tool

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
NAME = "arcferry onboard"
_SYSTEM = "S-1-5-18"
ENGINE = r"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"
# The class ids of the container and of a task for Windows Vista and newer ([MS-GPPREF] 2.2.1.18, 2026-11).
_CONTAINER = "{CC63F200-7309-4ba0-B154-A71CD118DBCC}"
_ITEM = "{D8896631-B747-47a7-84A6-C155337F3BC8}"
_UPDATE = "2"  # the picture of the item's action in the console


def arguments(script: str) -> str:
    """How PowerShell is called for a script."""
    return f'-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{script}"'


def pinned_arguments(share: str, pins: Mapping[str, str], *words: str) -> str:
    """How PowerShell is called for the wrapper script on a share, which others may have changed.

    Script and settings are copied to where only administrators can write, the copies are compared with the
    hashes in this command, and the copy of the script is what runs. No type or method is used that a
    restricted language mode lacks, and neither a double quote nor a percent sign, so that cmd, a task and a
    policy take it as it is.

    Args:
        share: the UNC path.
        pins: SHA-256 of each file, the script first.
        words: the script's own options.
    """
    script = next(iter(pins))
    table = ";".join(f"'{name}'='{digest}'" for name, digest in pins.items())
    steps = (
        "$ErrorActionPreference='Stop'",
        rf"$s='{share}'",
        r"$d=$env:ProgramFiles+'\arcferry\start-'+$PID",
        "$null=New-Item -ItemType Directory -Force -Path $d",
        f"$h=@{{{table}}}",
        "foreach($n in @($h.Keys)){$c=Join-Path $d $n",
        "Copy-Item -LiteralPath (Join-Path $s $n) -Destination $c -Force",
        "$f=(Get-FileHash -LiteralPath $c -Algorithm SHA256).Hash",
        "if($f -ne $h[$n]){Remove-Item -LiteralPath $d -Recurse -Force",
        "throw ($n+' on the share is not the one that was exported')}}",
        " ".join((f"& (Join-Path $d '{script}') -From $s", *words)),
        "$r=$LASTEXITCODE",
        "Remove-Item -LiteralPath $d -Recurse -Force",
        "exit $r",
    )
    return f'-NoProfile -NonInteractive -ExecutionPolicy Bypass -Command "{";".join(steps)}"'


def task_xml(order: ExportOrder, created: datetime) -> bytes:
    """The task in the Task Scheduler's own schema, as `schtasks /create /xml` takes it: UTF-16."""
    return _document(_task(order, created, user=_SYSTEM, logon="", xmlns=NAMESPACE), "utf-16")


def preferences_xml(order: ExportOrder, created: datetime) -> bytes:
    """`ScheduledTasks.xml` of Group Policy Preferences with that task.

    Without a stored password: it runs as SYSTEM, which reaches the share as the computer's own account.
    """
    container = ET.Element("ScheduledTasks", clsid=_CONTAINER)
    changed = created.strftime("%Y-%m-%d %H:%M:%S")
    # The same order gives the same id, so a second import replaces the item.
    uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"arcferry:{order.share}")).upper()
    item = ET.SubElement(
        container, "TaskV2", clsid=_ITEM, name=NAME, image=_UPDATE, changed=changed, uid=f"{{{uid}}}",
        userContext="0", removePolicy="0",
    )  # fmt: skip
    system = r"NT AUTHORITY\System"
    properties = ET.SubElement(item, "Properties", action="U", name=NAME, runAs=system, logonType="S4U")
    properties.append(_task(order, created, user=system, logon="S4U", xmlns=""))
    return _document(container, "utf-8")


def _task(order: ExportOrder, created: datetime, *, user: str, logon: str, xmlns: str) -> ET.Element:
    task = ET.Element("Task", version="1.3")
    if xmlns:
        task.set("xmlns", xmlns)
    information = ET.SubElement(task, "RegistrationInfo")
    _texts(information, Author="arcferry", Description="Takes this server into Azure Arc, until it is there.")
    principal = ET.SubElement(ET.SubElement(task, "Principals"), "Principal", id="Author")
    _texts(principal, UserId=user, LogonType=logon, RunLevel="HighestAvailable")
    _texts(
        ET.SubElement(task, "Settings"),
        MultipleInstancesPolicy="IgnoreNew", DisallowStartIfOnBatteries="false",
        StopIfGoingOnBatteries="false", AllowHardTerminate="false", StartWhenAvailable="true",
        RunOnlyIfNetworkAvailable="true", AllowStartOnDemand="true", Enabled="true", Hidden="false",
        ExecutionTimeLimit="PT12H", Priority="7",
    )  # fmt: skip
    triggers = ET.SubElement(task, "Triggers")
    _texts(ET.SubElement(triggers, "BootTrigger"), Enabled="true", Delay="PT2M")
    daily = ET.SubElement(triggers, "CalendarTrigger")
    _texts(daily, Enabled="true", StartBoundary=created.strftime("%Y-%m-%dT03:00:00"))
    _texts(ET.SubElement(daily, "ScheduleByDay"), DaysInterval="1")
    actions = ET.SubElement(task, "Actions", Context="Author")
    words = pinned_arguments(order.share, pins(order, Tool.GPO, WINDOWS), "-Spread")
    _texts(ET.SubElement(actions, "Exec"), Command=ENGINE, Arguments=words)
    return task


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        if text:
            ET.SubElement(parent, name).text = text


def _document(root: ET.Element, encoding: str) -> bytes:
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding=encoding, xml_declaration=True)
    return written
