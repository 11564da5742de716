"""Fetching everything that a bundle takes, into the downloads folder."""

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
from arcferry.fetch.distributions import Choice
from arcferry.fetch.documents import Documents, listed
from arcferry.fetch.openpgp import repository_keys
from arcferry.fetch.package import Package, fits
from arcferry.fetch.request import Fetched, FetchOptions, FetchRequest, Progress
from arcferry.fetch.transfer import FetchedFile, fetched_before
from arcferry.files import only_one
from arcferry.https import HttpsClient

_OLD_INDEX = timedelta(days=60)


async def fetch(request: FetchRequest, folder: Path, options: FetchOptions) -> Fetched:
    """Fetch what is asked for into `folder`, where what was fetched before is used again.

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
        if options.offline:
            items = [agents.windows_item(request)] if request.windows else []
            items += [choice.name for choice in dict.fromkeys(request.linux)]
            found = [_held(folder, item, request.agent_version) for item in items]
            return _fetched(found, [(role, _held(folder, item, "")) for item, role in listed(request)], ())
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(options.client())
            asking = Documents(client, request, options, stack, times.now().date())
            # What may be refused for want of a right or a key comes first, and the large files last.
            packages, notes = await _packages(client, request, options)
            documents = []
            for item, role in listed(request):
                documents.append((role, _document(folder / item, await asking.get(role), options)))
            found = [await agents.windows(client, request, folder, options)] if request.windows else []
            for choice, package in packages:
                found.append(await agents.linux(client, choice, package, folder, options))
    return _fetched(found, documents, notes)


async def _packages(
    client: HttpsClient, request: FetchRequest, options: FetchOptions
) -> tuple[list[tuple[Choice, Package]], tuple[str, ...]]:
    """Each distribution's package, before any is downloaded: what is refused is refused at once."""
    if not request.linux:
        return [], ()
    keys = repository_keys(options.repository_keys)
    found = []
    for choice in dict.fromkeys(request.linux):
        options.progress(Progress(choice.name, 0, None))
        found.append(
            (choice, await agents.find(client, options.sources, choice, request.agent_version, keys))
        )
    agents.refuse_rivals(found)
    notes = (_age(choice, package) for choice, package in found)
    return found, tuple(filter(None, notes))


def _age(choice: Choice, package: Package) -> str:
    """A note where the index is old: a signature does not expire, so an old index served anew looks right."""
    if package.dated is None or times.now() - package.dated < _OLD_INDEX:
        return ""
    return (
        f"{choice.name}: the repository's index is of {package.dated.date()}. Microsoft brings an agent each "
        "month; a mirror may not have been brought up to date."
    )


def _document(folder: Path, got: Download, options: FetchOptions) -> FetchedFile:
    files.make_private(folder)
    files.write_whole(folder / got.name, got.data)
    options.progress(Progress(folder.name, len(got.data), len(got.data)))
    digest = hashlib.sha256(got.data).hexdigest()
    says = "read whole, of the kind asked for"
    return FetchedFile(folder / got.name, len(got.data), digest, got.url, says=says).record()


def _held(folder: Path, item: str, version: str) -> FetchedFile:
    found = fetched_before(folder / item)
    if found is None or not fits(found.version, version):
        what = f"{item} {version}".rstrip()
        raise BlockedError(f"{what} was not fetched into {folder} before", hint="Leave --offline out, once.")
    return found


def _fetched(
    packages: list[FetchedFile], documents: Sequence[tuple[Role, FetchedFile]], notes: tuple[str, ...]
) -> Fetched:
    """One path for each content: several distributions may have the very same package."""
    contents = {one.sha256: one for one in reversed(packages)}
    return Fetched(
        tuple(one.path for one in packages if contents[one.sha256] is one),
        tuple((role, one.path) for role, one in documents),
        (*packages, *(one for _, one in documents)),
        notes,
    )
