"""Which tool writes what, and what each needs before it can."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from arcferry.errors import InputError
from arcferry.export.ansible import write_ansible
from arcferry.export.folder import fresh
from arcferry.export.gpo import write_gpo
from arcferry.export.managed import write_configmgr, write_intune
from arcferry.export.model import ExportOrder, Tool
from arcferry.export.script import write_script

_WRITERS: Mapping[Tool, Callable[[ExportOrder, Path], None]] = MappingProxyType(
    {
        Tool.GPO: write_gpo,
        Tool.CONFIGMGR: write_configmgr,
        Tool.INTUNE: write_intune,
        Tool.ANSIBLE: write_ansible,
        Tool.SCRIPT: write_script,
    }
)


def export(order: ExportOrder, tool: Tool, out: Path) -> None:
    """Write the artefacts of a tool into a new folder, whole or not at all.

    Raises:
        InputError: something that the tool needs was not given; among it FileInputError: `out` is taken, or
            the disk is full.
        BundleRefusedError: the bundle changed since it was opened.
    """
    if tool is not Tool.ANSIBLE:
        _check(order, tool)
    with fresh(out) as folder:
        _WRITERS[tool](order, folder)


def _check(order: ExportOrder, tool: Tool) -> None:
    formats = {agent.format.value for agent in order.bundle.manifest.agents}
    posix = order.share.startswith("/")
    if not order.share:
        raise InputError(
            "--share is missing", hint=r"The folder as the servers see it, such as '\\fs01\arcferry'."
        )
    if posix and tool is not Tool.SCRIPT:
        raise InputError(
            f"--share {order.share} is no UNC path, which {tool} needs", hint=r"'\\fs01\arcferry'"
        )
    wanted = formats - {"msi"} if posix else {"msi"} if tool is not Tool.SCRIPT else formats
    if not wanted & formats:
        raise InputError(
            f"the bundle {order.bundle.path} holds no agent for {'Linux' if posix else 'Windows'}",
            hint="Build one with it: arcferry bundle build --agent FILE",
        )
    if order.sign_in is None:
        raise InputError(
            "how the servers sign in is missing",
            hint="Either --certificate-thumbprint with --client-id, or --token-file.",
        )
    if not posix and not order.group:
        raise InputError(
            "--group is missing: the rights on the share are for one group of computers",
            hint=r"Such as 'CORP\Arc servers'. Not all computers of a domain: see docs/export.md.",
        )
