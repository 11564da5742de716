"""Fetching everything that a bundle takes, into the downloads folder."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from arcferry import files, times
from arcferry.bundle import PackageFormat, Role, manifest
from arcferry.bundle.packages import inspect
from arcferry.data.download import MAY_LACK, Download
from arcferry.errors import BlockedError, BundleRefusedError, InputError
from arcferry.fetch import apt, yum
from arcferry.fetch.distributions import PACKAGES, Choice
from arcferry.fetch.documents import Documents, listed
from arcferry.fetch.openpgp import Keyring, repository_keys
from arcferry.fetch.package import Package, StaleError, below, fits, release_of
from arcferry.fetch.request import Fetched, FetchOptions, FetchRequest, Sources
from arcferry.fetch.transfer import FetchedFile, download, fetched_before
from arcferry.files import only_one
from arcferry.https import HttpsClient
from arcferry.text import quoted

_OLD_INDEX = timedelta(days=60)
_MSI = "AzureConnectedMachineAgent.msi"
_FINDERS = {PackageFormat.DEB: apt.find, PackageFormat.RPM: yum.find}


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
            items = [_windows_item(request)] if request.windows else []
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
                got = await asking.get(role)
                documents.append((role, _document(folder / item, got, options)))
                if got.note:
                    notes += (f"{item}: {got.note}; they are {MAY_LACK}",)
            found = [await _windows(client, request, folder, options)] if request.windows else []
            for choice, package in packages:
                found.append(await _linux(client, choice, package, folder, options))
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
        options.progress(choice.name, 0, None)
        package = await _find(client, options.sources, choice, request.agent_version, keys)
        found.append((choice, package))
    _refuse_rivals(found)
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
    options.progress(folder.name, len(got.data), len(got.data))
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


def _windows_item(request: FetchRequest) -> str:
    """The name of what is fetched: a release of its own, or the newest."""
    return f"windows-{release_of(request.agent_version) or 'latest'}-{request.cloud.name.lower()}"


async def _windows(
    client: HttpsClient, request: FetchRequest, downloads: Path, options: FetchOptions
) -> FetchedFile:
    """The Windows agent, from the cloud's own address for it (agent.md §4.2, 2026-08).

    Nobody publishes its hash: what it is worth, its Authenticode signature says when the bundle is built.
    """
    version = request.agent_version
    release = release_of(version) or "latest"
    url = options.sources.at(request.cloud.discovery_host, f"azcmagent/{release}/{_MSI}")
    path = downloads / _windows_item(request) / _MSI
    before = fetched_before(path.parent)
    if before and not fits(before.version, version):
        before = None
    known = before.validator if before else ""
    arrived = await download(
        client, url, path, known=known, report=partial(options.progress, path.parent.name)
    )
    if arrived is None and before:
        return before
    says = "SHA-256 only; its signature is checked when it is packed"
    return _inspected(arrived, version, "", says).record()


async def _find(
    client: HttpsClient, sources: Sources, choice: Choice, version: str, keys: Keyring
) -> Package:
    """A distribution's package by its repository's signed index; asked again where that was just changing."""
    base = sources.at(PACKAGES, choice.distribution.path)
    finder = _FINDERS[choice.distribution.format]
    pauses = list(client.pauses)
    while True:
        try:
            return await finder(client, base, choice, version, keys)
        except StaleError as error:
            if not pauses:
                raise BundleRefusedError(
                    str(error),
                    hint="The repository is being written, or a mirror or proxy serves an old copy. Run the "
                    "same command again later.",
                ) from None
            await asyncio.sleep(pauses.pop(0))


async def _linux(
    client: HttpsClient, choice: Choice, package: Package, downloads: Path, options: FetchOptions
) -> FetchedFile:
    """A package that an index names."""
    url = below(options.sources.at(PACKAGES, choice.distribution.path), package.path)
    if fault := manifest.name_fault(f"agent/{package.name}"):
        raise BundleRefusedError(f"the index names the package {quoted(package.name)}, which {fault}")
    path = downloads / choice.name / package.name
    before = fetched_before(path.parent)
    if before and before.path == path and package.digest.fits(path):
        return before
    arrived = await download(
        client, url, path, digest=package.digest, report=partial(options.progress, path.parent.name)
    )
    says = f"index signed by {package.signer.upper()}"
    return _inspected(arrived, package.version, package.architecture, says).record()


def _refuse_rivals(found: Sequence[tuple[Choice, Package]]) -> None:
    """A bundle carries one package for each kind of host, so that nobody has to choose."""
    seen: dict[tuple[PackageFormat, str], tuple[Choice, Package]] = {}
    for choice, package in found:
        kind = choice.distribution.format, choice.architecture
        other, before = seen.setdefault(kind, (choice, package))
        if before.digest != package.digest:
            raise InputError(
                f"{other.name} has {before.name}, {choice.name} has {package.name}: a bundle holds one "
                f"{kind[0]} package for a processor",
                hint="Build a bundle for each of them.",
            )


def _inspected(got: FetchedFile | None, version: str, architecture: str, says: str) -> FetchedFile:
    """Look into the package: what is described is what is there."""
    if got is None:
        raise BundleRefusedError("the server says that nothing has changed, and there is nothing here")
    try:
        _, facts = inspect(got.path)
    except InputError:
        got.path.unlink(missing_ok=True)
        raise
    if not fits(facts.version, version) or (architecture and facts.architecture != architecture):
        what = f"{facts.version} for {facts.architecture or 'any processor'}"
        got.path.unlink(missing_ok=True)
        raise BundleRefusedError(f"{got.origin} is the agent {what}, not {version} {architecture}".rstrip())
    return replace(got, version=facts.version, says=says)
