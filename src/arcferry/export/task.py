"""The scheduled task of Windows, alone and as an item of Group Policy Preferences."""

import textwrap
import uuid
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from xml.sax.saxutils import escape

from arcferry.export.content import WINDOWS, pins
from arcferry.export.options import ExportOptions, Tool
from arcferry.fleet.host_state import Way
from arcferry.text import fill

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
ENGINE = r"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"
_SYSTEM = "      <UserId>S-1-5-18</UserId>"
_SYSTEM_IN_POLICY = "      <UserId>NT AUTHORITY\\System</UserId>\n      <LogonType>S4U</LogonType>"
_REPETITION = """
      <Repetition>
        <Interval>PT30M</Interval>
        <Duration>P1D</Duration>
      </Repetition>"""
_SAYS = {
    Way.ONBOARD: "Takes this server into Azure Arc, until it is there.",
    Way.UPGRADE: "Gives this server's Azure Arc agent the version of a bundle, once.",
}
_POWERSHELL = "-NoProfile -NonInteractive -ExecutionPolicy Bypass"


def task_name(way: Way) -> str:
    """What the task is called, and the policy that brings it."""
    return f"arcferry {way.value}"


def arguments(script: str) -> str:
    """How PowerShell is called for a script."""
    return f'{_POWERSHELL} -File "{script}"'


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
    return f'{_POWERSHELL} -Command "{";".join(steps)}"'


def task_xml(options: ExportOptions, created: datetime) -> bytes:
    """The task in the Task Scheduler's own schema, as `schtasks /create /xml` takes it: UTF-16."""
    task = _task(options, created, principal=_SYSTEM, namespace=f' xmlns="{NAMESPACE}"')
    return f"<?xml version='1.0' encoding='utf-16'?>\n{task}".encode("utf-16")


def preferences_xml(options: ExportOptions, created: datetime) -> bytes:
    """`ScheduledTasks.xml` of Group Policy Preferences with that task.

    Without a stored password: it runs as SYSTEM, which reaches the share as the computer's own account. The
    class ids are those of the container and of a task for Windows Vista and newer ([MS-GPPREF] 2.2.1.18,
    2026-11); image 2 is the picture of an update in the console.
    """
    # The same share gives the same id, so a second import replaces the item.
    share = f"arcferry:{options.share}{':upgrade' if options.upgrades else ''}"
    uid = str(uuid.uuid5(uuid.NAMESPACE_URL, share)).upper()
    values = {
        "name": task_name(options.way),
        "changed": created.strftime("%Y-%m-%d %H:%M:%S"),
        "uid": f"{{{uid}}}",
        "task": textwrap.indent(_task(options, created, principal=_SYSTEM_IN_POLICY, namespace=""), 6 * " "),
    }
    return fill(template("ScheduledTasks.xml"), values).encode()


def _task(options: ExportOptions, created: datetime, *, principal: str, namespace: str) -> str:
    values = {
        "namespace": namespace,
        "principal": principal,
        "says": _SAYS[options.way],
        "day": created.strftime("%Y-%m-%d"),
        # The script itself looks whether the window is open: a task knows its server's own zone alone.
        "repetition": _REPETITION if options.has_windows else "",
        "engine": ENGINE,
        "arguments": escape(pinned_arguments(options.share, pins(options, Tool.GPO, WINDOWS), "-Spread")),
    }
    return fill(template("task.xml"), values)


def template(name: str) -> str:
    """A template of the tasks, without the line feed at its end."""
    return resources.files("arcferry.export").joinpath("tasks", name).read_text(encoding="utf-8").rstrip()
