"""The plain wrapper scripts, for any other tool that runs a command on servers."""

from pathlib import Path

from arcferry.export.folder import LINUX, WINDOWS, write_content
from arcferry.export.model import ExportOrder, Tool
from arcferry.export.steps import write_page


def write_script(order: ExportOrder, folder: Path) -> None:
    """Write `share` with a wrapper script for each kind of server that the bundle has a package for.

    Raises:
        BundleRefusedError: the bundle changed since it was opened.
        FileInputError: the disk.
    """
    formats = {agent.format.value for agent in order.bundle.manifest.agents}
    windows = "msi" in formats and not order.share.startswith("/")
    linux = bool(formats - {"msi"})
    wrappers = (WINDOWS,) * windows + (LINUX,) * linux
    write_content(order, Tool.SCRIPT, folder / "share", wrappers)
    parts = ("share", "script-windows") * windows + ("script-linux",) * linux
    write_page(order, Tool.SCRIPT, folder, "share", parts)
