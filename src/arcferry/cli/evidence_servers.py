"""Evidence that `evidence pack` asks servers for: which of them, how they are reached, and what each gave."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from arcferry.cli import options, stopping
from arcferry.cli.evidence import read_files
from arcferry.cli.inventory import EncodingOption, InventoryOption, read
from arcferry.cli.onboard_options import (
    ConcurrencyOption,
    HostOptions,
    SelectionOptions,
    quiet_libraries,
    sign_in_of,
)
from arcferry.cli.winrm import WinrmOptions
from arcferry.errors import ArcferryError, FileInputError, InputError
from arcferry.language import marked

if TYPE_CHECKING:
    from arcferry.evidence.case import Document
    from arcferry.fleet.gather import EvidenceRequest, HostEvidence
    from arcferry.fleet.inventory import Host


@dataclass(frozen=True, kw_only=True)
class AskedOptions(SelectionOptions, HostOptions, WinrmOptions):
    """Which servers are asked, and how they are reached."""

    inventory: InventoryOption = None
    inventory_encoding: EncodingOption = ""
    location: options.LocationOption = ""
    location_unlisted: options.UnlistedOption = False
    cloud: options.CloudOption = options.DEFAULT_CLOUD
    concurrency: ConcurrencyOption = 50


@dataclass(frozen=True, slots=True)
class Told:
    """What servers gave.

    Attributes:
        files: each with what it is called.
        documents: what they say.
        lost: the servers that gave nothing which can be used, and why.
    """

    files: "list[tuple[str, Path]]" = field(default_factory=list)
    documents: "list[Document]" = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)


def parted(words: Sequence[Path], given: AskedOptions) -> tuple[list[Path], list[str]]:
    """The files among these words, and the servers: with an inventory, a bare word that is no file is one."""
    names = [word for word in words if given.inventory and str(word) == word.name and not word.exists()]
    return [word for word in words if word not in names], [str(word) for word in names]


def request_of(given: AskedOptions, names: Sequence[str], folder: Path) -> "EvidenceRequest | None":
    """What is asked of whom; None where no server is.

    Raises:
        InputError: servers are chosen, and there is no inventory of them, or not all have a location.
    """
    from arcferry.fleet.gather import EvidenceRequest
    from arcferry.fleet.selection import selected

    if given.inventory is None:
        if given.limit or given.site:
            raise InputError("--limit and --site choose of an inventory, and none is given")
        return None
    quiet_libraries()
    found = read(given.inventory, given.inventory_encoding, given.cloud, given.how)
    hosts = selected(found, [*(given.limit or []), *names], given.site or []).hosts
    location = ""
    if given.location:
        location = options.region_of(given.location, given.cloud, unlisted=given.location_unlisted).name
    _refuse_unplaced(given.inventory, hosts, location)
    return EvidenceRequest(
        hosts, sign_in_of(given, given, hosts), location, given.cloud, folder, given.concurrency
    )


def _refuse_unplaced(inventory: Path, hosts: "Sequence[Host]", location: str) -> None:
    without = [host for host in hosts if not (location or host.place.location)]
    if without:
        raise FileInputError(
            inventory,
            f"{without[0].name} has no location, to which its path would be measured",
            line=without[0].line,
            hint="Pass --location for servers whose row or site names none.",
        )


def ask(request: "EvidenceRequest") -> "tuple[HostEvidence, ...]":
    """Ask the servers, and show how far it is."""
    from arcferry import log
    from arcferry.fleet.gather import gather
    from arcferry.report.progress import watching

    with watching([host.name for host in request.hosts], 1, done=marked("asked"), lines=log.is_on()) as see:
        return stopping.run(gather(request, see), says="stopped; nothing was packed")


def usable(asked: "Sequence[HostEvidence]") -> Told:
    """What of it can be read: what one server gave must not keep the others' from being packed."""
    from arcferry.fleet.transport import place_of

    told = Told()
    for one in asked:
        if one.path is None:
            told.lost.append((place_of(one.host), one.why))
            continue
        try:
            told.documents.extend(read_files([str(one.path)], all_recognised=False))
        except ArcferryError as error:
            says = error.message.replace(f"{one.path.parent}/", "")
            told.lost.append((place_of(one.host), f"what it gave cannot be used: {says}"))
        else:
            told.files.append((one.path.name, one.path))
    return told
