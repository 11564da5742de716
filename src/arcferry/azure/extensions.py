"""Extensions of machines: software that Azure has a server's agent install, and removes by it."""

import asyncio
from collections.abc import Mapping

from arcferry.azure.machines import may
from arcferry.azure.mapping import translated, unreadable
from arcferry.azure.session import AzureSession
from arcferry.errors import AzureUnavailableError, NotFoundError
from arcferry.text import one_line

_MOST = 1000
LONGEST_REMOVAL = 1800.0
"""Seconds for one extension: its own uninstaller runs on the server before Azure says that it is gone."""


async def list_extensions(session: AzureSession, machine: str) -> tuple[str, ...]:
    """The names of a machine's extensions; none where there is no such machine.

    Raises:
        AzureError: the list cannot be had.
    """
    doing, found = f"list the extensions of machine {machine}", list[str]()
    group = session.target.resource_group
    try:
        with translated(doing, may(session, "machines/extensions/read")):
            async for item in session.machines.machine_extensions.list(group, machine):
                name = item.get("name") if isinstance(item, Mapping) else None
                if not isinstance(name, str) or not name:
                    raise unreadable(doing, "an extension in it has no name")
                found.append(one_line(name, limit=90))
                if len(found) > _MOST:
                    raise AzureUnavailableError(f"{doing}: the list does not end")
    except NotFoundError:
        return ()
    return tuple(found)


async def delete_extension(session: AzureSession, machine: str, name: str) -> None:
    """Have the machine's agent remove an extension, and wait until Azure says that it is gone.

    Raises:
        AzureError: it was not removed.
    """
    group = session.target.resource_group
    doing = f"remove the extension {name} of machine {machine}"
    with translated(doing, may(session, "machines/extensions/delete")):
        async with asyncio.timeout(LONGEST_REMOVAL):
            poller = await session.machines.machine_extensions.begin_delete(group, machine, name)
            await poller.result()
