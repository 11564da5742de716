"""Configuration Manager and Intune: content, detection and requirement scripts, and the page of steps."""

from pathlib import Path

from arcferry.export.folder import WINDOWS, wrapper, write_content, write_text
from arcferry.export.model import ExportOrder, Tool
from arcferry.export.steps import write_page

_CONTENT = {Tool.CONFIGMGR: "content", Tool.INTUNE: "source"}


def write_configmgr(order: ExportOrder, folder: Path) -> None:
    """Write `content` for the distribution points and `configmgr` for the application.

    Raises:
        BundleRefusedError: the bundle changed since it was opened.
        FileInputError: the disk.
    """
    _write(order, Tool.CONFIGMGR, folder)


def write_intune(order: ExportOrder, folder: Path) -> None:
    """Write `source` for Microsoft's packager and `intune` for the app.

    Raises:
        BundleRefusedError: the bundle changed since it was opened.
        FileInputError: the disk.
    """
    _write(order, Tool.INTUNE, folder)


def detection_script(order: ExportOrder) -> str:
    """The script that tells whether a server is in Azure Arc where it is to be."""
    # Neither id can hold a quote: a GUID, and a name that ARM accepts.
    place = {"{subscription}": order.target.subscription_id, "{group}": order.target.resource_group}
    text = wrapper("detect.ps1")
    for blank, value in place.items():
        text = text.replace(blank, value)
    return text


def _write(order: ExportOrder, tool: Tool, folder: Path) -> None:
    write_content(order, tool, folder / _CONTENT[tool], (WINDOWS,))
    write_text(folder / tool.value / "detect.ps1", detection_script(order))
    write_text(folder / tool.value / "requirement.ps1", wrapper("requirement.ps1"))
    write_page(order, tool, folder, _CONTENT[tool], ("results-share", tool.value))
