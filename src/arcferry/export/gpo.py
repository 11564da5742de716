"""Group Policy: a share, a scheduled task as a preference item, and the page that says how."""

from pathlib import Path

from arcferry import files
from arcferry.export.folder import WINDOWS, write_content
from arcferry.export.model import ExportOrder, Tool
from arcferry.export.steps import write_page
from arcferry.export.task import preferences_xml, task_xml


def write_gpo(order: ExportOrder, folder: Path) -> None:
    """Write `share` for the file server and `gpo` for the policy.

    Raises:
        BundleRefusedError: the bundle changed since it was opened.
        FileInputError: the disk.
    """
    write_content(order, Tool.GPO, folder / "share", (WINDOWS,))
    created = order.bundle.manifest.created
    files.write_whole(folder / "gpo" / "task.xml", task_xml(order, created))
    files.write_whole(folder / "gpo" / "ScheduledTasks.xml", preferences_xml(order, created))
    write_page(order, Tool.GPO, folder, "share", ("share", "gpo"))
