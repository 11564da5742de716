"""Bringing everything that a bundle takes, into the downloads folder."""

import hashlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from arcferry import files, times
from arcferry.bundle import Role
from arcferry.data.download import Download
from arcferry.errors import BlockedError
from arcferry.fetch import agents
from arcferry.fetch.client import Client, open_client
from arcferry.fetch.distributions import Choice
from arcferry.fetch.documents import Azure, get, listed
from arcferry.fetch.keys import repository_keys
from arcferry.fetch.package import Package
from arcferry.fetch.receipts import Receipt, Shelf
from arcferry.fetch.versions import fits
from arcferry.fetch.wanted import Fetched, Kept, Means, Progress, Wanted
from arcferry.lock import only_one

_OLD_INDEX = timedelta(days=60)


async def fetch(wanted: Wanted, folder: Path, means: Means) -> Fetched:
    """Bring what is wanted into `folder`, where what was brought before is used again.

    Every file is whole and checked when its path is returned: a Linux package up to a trusted key, a document
    by its content; the Windows package by what is to come, its own signature, when a bundle is built of it.

    Raises:
        InputError: something that was given is wrong, two distributions have different packages, or the disk
            is full.
        BundleRefusedError: something is not signed as it must be, or not what its signed index says.
        BlockedError: offline, and something was not fetched before; or another run uses the folder.
        AzureError: no usable answer after bounded tries; what has arrived stays, and is resumed.
    """
    with only_one(folder, "fetch", hint="Wait for it, or name another folder with --downloads."):
        if means.offline:
            return _from_folder(wanted, folder)
        today = times.now().date()
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(open_client(means))
            azure = Azure(means.sign_in, stack)
            # What may be refused for want of a right or a key comes first, and the large files last.
            found, notes = await _found(client, wanted, means)
            papers = [
                (role, _document(item, await get(role, client, wanted, azure, today), folder, means))
                for item, role in listed(wanted)
            ]
            brought = await _agents(client, wanted, found, folder, means)
    return _fetched(brought, papers, notes)


async def _agents(
    client: Client, wanted: Wanted, found: Sequence[tuple[Choice, Package]], folder: Path, means: Means
) -> list[Kept]:
    brought = []
    if wanted.windows:
        shelf = _shelf(folder, agents.windows_item(wanted))
        brought.append(await agents.windows(client, wanted, shelf, means))
    for choice, package in found:
        brought.append(await agents.linux(client, choice, package, _shelf(folder, choice.name), means))
    return brought


async def _found(
    client: Client, wanted: Wanted, means: Means
) -> tuple[list[tuple[Choice, Package]], tuple[str, ...]]:
    """Each distribution's package, before any is downloaded: what is refused is refused at once."""
    if not wanted.linux:
        return [], ()
    keys = repository_keys(means.repository_keys)
    found = []
    for choice in dict.fromkeys(wanted.linux):
        means.progress(Progress(choice.name, 0, None))
        found.append((choice, await agents.find(client, choice, wanted.agent_version, keys)))
    agents.refuse_rivals(found)
    notes = (_age(choice, package) for choice, package in found)
    return found, tuple(filter(None, notes))


def _age(choice: Choice, package: Package) -> str:
    """A signature does not end by itself, so an old index that is served anew looks right."""
    if package.dated is None or times.now() - package.dated < _OLD_INDEX:
        return ""
    return (
        f"{choice.name}: the repository's index is of {package.dated.date()}. Microsoft brings an agent each "
        "month; a mirror may not have been brought up to date."
    )


def _document(item: str, got: Download, folder: Path, means: Means) -> Kept:
    shelf = _shelf(folder, item)
    files.write_whole(shelf.folder / got.name, got.data)
    means.progress(Progress(item, len(got.data), len(got.data)))
    digest = hashlib.sha256(got.data).hexdigest()
    return shelf.keep(
        Receipt(got.name, len(got.data), digest, got.url, says="read whole, of the kind asked for")
    )


def _shelf(folder: Path, item: str) -> Shelf:
    shelf = Shelf(folder, item)
    shelf.make()
    return shelf


def _from_folder(wanted: Wanted, folder: Path) -> Fetched:
    """The same out of what was fetched before, by its receipts."""
    items = [agents.windows_item(wanted)] if wanted.windows else []
    items += [choice.name for choice in dict.fromkeys(wanted.linux)]
    brought = [_held(folder, item, wanted.agent_version) for item in items]
    return _fetched(brought, [(role, _held(folder, item, "")) for item, role in listed(wanted)], ())


def _held(folder: Path, item: str, version: str) -> Kept:
    shelf = Shelf(folder, item)
    receipt = shelf.receipt()
    if receipt is None or not fits(receipt.version, version):
        what = f"{item} {version}".rstrip()
        raise BlockedError(f"{what} was not fetched into {folder} before", hint="Leave --offline out, once.")
    return shelf.kept(receipt)


def _fetched(brought: list[Kept], papers: list[tuple[Role, Kept]], notes: tuple[str, ...]) -> Fetched:
    """One path for each content: several distributions may have the very same package."""
    contents = {one.sha256: one for one in reversed(brought)}
    once = [one.path for one in brought if contents[one.sha256] is one]
    return Fetched(
        tuple(once),
        tuple((role, one.path) for role, one in papers),
        (*brought, *(one for _, one in papers)),
        notes,
    )
