"""What each tool gets, and what it needs before it can."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import assert_never

from arcferry import files
from arcferry.bundle.packing import staging
from arcferry.errors import FileInputError, InputError
from arcferry.export.ansible import write_ansible
from arcferry.export.content import LINUX, WINDOWS, wrapper, write_content
from arcferry.export.options import ExportOptions, Tool
from arcferry.export.steps import write_page
from arcferry.export.task import preferences_xml, task_xml

_NO_WINDOW = {
    Tool.CONFIGMGR: "Configuration Manager has maintenance windows of its own: give the collection one.",
    Tool.INTUNE: "Intune installs when a device checks in, and gives up soon. Use gpo or script.",
    Tool.ANSIBLE: "A play begins when somebody starts it: give the job a schedule where it is started.",
}


def export(options: ExportOptions, tool: Tool, out: Path) -> None:
    """Write the artefacts of a tool into a new folder, whole or not at all.

    Raises:
        InputError: something that the tool needs was not given; among it FileInputError: `out` is taken, the
            disk is full, or the inventory's servers cannot be told apart.
        BundleRefusedError: the bundle changed since it was opened.
    """
    _check_windows(options, tool)
    if tool is not Tool.ANSIBLE:
        _check(options, tool)
    with _new_folder(out) as folder:
        match tool:
            case Tool.GPO:
                _write_gpo(options, folder)
            case Tool.CONFIGMGR | Tool.INTUNE:
                _write_application(options, tool, folder)
            case Tool.ANSIBLE:
                write_ansible(options, folder)
            case Tool.SCRIPT:
                _write_script(options, folder)
            case _:
                assert_never(tool)


def _check_windows(options: ExportOptions, tool: Tool) -> None:
    if tool not in _NO_WINDOW:
        return
    if options.window is not None:
        raise InputError(f"--window cannot be given to {tool}", hint=_NO_WINDOW[tool])
    if options.inventory is None:
        return
    for host in options.inventory.hosts:
        if host.window is not None:
            raise FileInputError(
                options.inventory.path,
                f"{host.name} has a window, which {tool} cannot keep to",
                line=host.line,
                hint=f"{_NO_WINDOW[tool]} Leave the windows out of the inventory.",
            )


def _check(options: ExportOptions, tool: Tool) -> None:
    formats = {agent.format.value for agent in options.bundle.manifest.agents}
    if not options.share:
        raise InputError(
            "--share is missing", hint=r"The folder as the servers see it, such as '\\fs01\arcferry'."
        )
    if options.for_linux and tool is not Tool.SCRIPT:
        raise InputError(
            f"--share {options.share} is no UNC path, which {tool} needs", hint=r"'\\fs01\arcferry'"
        )
    wanted = formats - {"msi"} if options.for_linux else {"msi"} if tool is not Tool.SCRIPT else formats
    if not wanted & formats:
        system = "Linux" if options.for_linux else "Windows"
        raise InputError(
            f"the bundle {options.bundle.path} holds no agent for {system}",
            hint="Build one with it: arcferry bundle build --agent FILE",
        )
    if options.sign_in is None and not options.upgrades:
        raise InputError(
            "how the servers sign in is missing",
            hint="Either --certificate-thumbprint with --client-id, or --token-file.",
        )
    if not options.for_linux and not options.group:
        raise InputError(
            "--group is missing: the rights on the share are for one group of computers",
            hint=r"Such as 'CORP\Arc servers'. Not all computers of a domain: see docs/export.md.",
        )
    _ = options.servers  # refuses what cannot be told apart, before anything is written


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder to write into that gets the name `out` if the body ends well, and is gone if it does not.

    Raises:
        FileInputError: the name is taken, or the disk is full.
    """
    out = out.absolute()
    _refuse_taken(out)
    with staging(out) as workshop:
        folder = workshop / "export"
        folder.mkdir(mode=0o755)
        yield folder
        _refuse_taken(out)
        files.give_name(folder, out)


def _refuse_taken(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise FileInputError(out, "exists already", hint="Give another name, or remove it first.")


def _write_gpo(options: ExportOptions, folder: Path) -> None:
    """`share` for the file server and `gpo` for the policy."""
    write_content(options, Tool.GPO, folder / "share", (WINDOWS,))
    created = options.bundle.manifest.created
    files.write_whole(folder / "gpo" / "task.xml", task_xml(options, created))
    files.write_whole(folder / "gpo" / "ScheduledTasks.xml", preferences_xml(options, created))
    write_page(options, Tool.GPO, folder, "share", ("share", "gpo"))


def _write_application(options: ExportOptions, tool: Tool, folder: Path) -> None:
    """A folder for the tool's packager, and the scripts that the tool itself runs."""
    content = "content" if tool is Tool.CONFIGMGR else "source"
    write_content(options, tool, folder / content, (WINDOWS,))
    # None of them can hold a quote: a GUID, a name that ARM accepts, a hash, and a version.
    values = {
        "{subscription}": options.target.subscription_id,
        "{group}": options.target.resource_group,
        "{servers}": options.servers.sha256 if options.servers is not None else "",
        "{version}": options.least_version if options.upgrades else "",
    }
    detect = wrapper("detect.ps1")
    for blank, value in values.items():
        detect = detect.replace(blank, value)
    for name, text in (("detect.ps1", detect), ("requirement.ps1", wrapper("requirement.ps1"))):
        # Windows PowerShell 5.1 reads a text that is not ASCII by its byte order mark.
        data = text.encode("ascii" if text.isascii() else "utf-8-sig")
        files.write_whole(folder / tool.value / name, data)
    write_page(options, tool, folder, content, ("results-share", tool.value))


def _write_script(options: ExportOptions, folder: Path) -> None:
    """`share` with a wrapper script for each kind of server that the bundle has a package for."""
    formats = {agent.format.value for agent in options.bundle.manifest.agents}
    windows = "msi" in formats and not options.for_linux
    linux = bool(formats - {"msi"})
    write_content(options, Tool.SCRIPT, folder / "share", (WINDOWS,) * windows + (LINUX,) * linux)
    undo = () if options.upgrades else ("script-windows-undo",)
    parts = ("share", "script-windows", *undo) * windows + ("script-linux",) * linux
    write_page(options, Tool.SCRIPT, folder, "share", parts)
