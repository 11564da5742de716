"""The agent's packages."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from arcferry.bundle import PackageFormat, manifest
from arcferry.bundle.packages import inspect
from arcferry.errors import BundleRefusedError, InputError
from arcferry.fetch import apt, yum
from arcferry.fetch.distributions import PACKAGES, Choice
from arcferry.fetch.openpgp import Keyring
from arcferry.fetch.package import Package, StaleError, below, fits, release_of
from arcferry.fetch.request import FetchOptions, FetchRequest, Progress, Sources
from arcferry.fetch.transfer import FetchedFile, download, fetched_before
from arcferry.https import HttpsClient
from arcferry.text import quoted

_MSI = "AzureConnectedMachineAgent.msi"
_FINDERS = {PackageFormat.DEB: apt.find, PackageFormat.RPM: yum.find}


def windows_item(request: FetchRequest) -> str:
    """The name of what is fetched: a release of its own, or the newest."""
    return f"windows-{release_of(request.agent_version) or 'latest'}-{request.cloud.name.lower()}"


async def windows(
    client: HttpsClient, request: FetchRequest, downloads: Path, options: FetchOptions
) -> FetchedFile:
    """The Windows agent, from the cloud's own address for it (agent.md §4.2, 2026-08).

    Nobody publishes its hash: what it is worth, its Authenticode signature says when the bundle is built.

    Raises:
        BundleRefusedError: it is another version than the one asked for.
        FileInputError: it is no agent package, or the disk is full.
        AzureError: no usable answer.
    """
    version = request.agent_version
    release = release_of(version) or "latest"
    url = options.sources.at(request.cloud.discovery_host, f"azcmagent/{release}/{_MSI}")
    path = downloads / windows_item(request) / _MSI
    before = fetched_before(path.parent)
    if before and not fits(before.version, version):
        before = None
    known = before.validator if before else ""
    arrived = await download(client, url, path, known=known, report=_reporter(options, path))
    if arrived is None and before:
        return before
    says = "SHA-256 only; its signature is checked when it is packed"
    return _inspected(arrived, version, "", says).record()


async def find(client: HttpsClient, sources: Sources, choice: Choice, version: str, keys: Keyring) -> Package:
    """A distribution's package, in its repository's signed index; asked again where that was just changing.

    Raises:
        BundleRefusedError: the index is not signed as it must be, or stays at odds with itself.
        AzureError: no usable answer, or no such version.
    """
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


async def linux(
    client: HttpsClient, choice: Choice, package: Package, downloads: Path, options: FetchOptions
) -> FetchedFile:
    """A package that an index names.

    Raises:
        BundleRefusedError: it is not what the index says.
        FileInputError: it is no agent package, or the disk is full.
        AzureError: no usable answer.
    """
    url = below(options.sources.at(PACKAGES, choice.distribution.path), package.path)
    if fault := manifest.name_fault(f"agent/{package.name}"):
        raise BundleRefusedError(f"the index names the package {quoted(package.name)}, which {fault}")
    path = downloads / choice.name / package.name
    before = fetched_before(path.parent)
    if before and before.path == path and package.digest.fits(path):
        return before
    arrived = await download(client, url, path, digest=package.digest, report=_reporter(options, path))
    says = f"index signed by {package.signer.upper()}"
    return _inspected(arrived, package.version, package.architecture, says).record()


def refuse_rivals(found: Sequence[tuple[Choice, Package]]) -> None:
    """A bundle carries one package for each kind of host, so that nobody has to choose.

    Raises:
        InputError: two distributions have different ones.
    """
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


def _reporter(options: FetchOptions, path: Path) -> Callable[[int, int | None], None]:
    return lambda done, total: options.progress(Progress(path.parent.name, done, total))
