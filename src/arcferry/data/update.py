"""Fetching what is newer: from Microsoft's download page, and from Resource Manager."""

from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path

from arcferry import times
from arcferry.azure import AzureSession, AzureTarget, Identity, signed_in
from arcferry.catalog import Cloud
from arcferry.data import download
from arcferry.data.download import Download
from arcferry.data.kinds import recognise
from arcferry.data.store import Held, HeldKind, Store, parse
from arcferry.data.tags_compared import TagsCompared, compared
from arcferry.errors import ArcferryError, AzureError, BlockedError, InputError
from arcferry.https import HttpsClient, connection_pool
from arcferry.routing.azure_json import read_service_tags

Fetch = Callable[[], Awaitable[Download]]


class Origin(StrEnum):
    """Where service tags are asked for."""

    PAGE = "page"
    ARM = "arm"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Where to ask Azure, and as whom."""

    target: AzureTarget
    principal: Identity


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """What to fetch, and how to get there.

    Attributes:
        cloud: whose data.
        kinds: service tags, the community list, or both.
        site: where Microsoft's download pages are.
        sign_in: for everything that Resource Manager is asked; None where only the download page is.
        route_filter: a route filter's name, in the sign-in's resource group; empty for none.
        circuit: a circuit's name, likewise.
        allow_older: whether to take what is older than what is held.
        origin: where the service tags are asked for; None for the download page, then Resource Manager where
            that page gives none and there is a sign-in.
    """

    cloud: Cloud
    kinds: Collection[HeldKind]
    site: str = download.SITE
    proxy: str | None = None
    ca_file: Path | None = None
    sign_in: SignIn | None = None
    route_filter: str = ""
    circuit: str = ""
    allow_older: bool = False
    origin: Origin | None = None


class Status(StrEnum):
    """How one of them came out."""

    NEW = "new"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What became of one kind.

    Attributes:
        held: what is held now; None where it failed.
        error: why it failed.
        notes: what is to be told of how it came, and of what it lacks, a sentence each.
    """

    kind: HeldKind
    status: Status
    held: Held | None = None
    error: ArcferryError | None = None
    notes: tuple[str, ...] = ()


async def update(store: Store, request: UpdateRequest) -> tuple[UpdateResult, ...]:
    """Fetch what is asked for, check it, and hold what is not older than what is held.

    One that fails keeps none of the others from being held, and takes nothing away.

    Raises:
        InputError: an address or the CA file is none.
    """
    async with AsyncExitStack() as stack:
        fetches = await _fetches(stack, request)
        return tuple([await _one(store, request, kind, fetch) for kind, fetch in fetches])


async def _fetches(stack: AsyncExitStack, request: UpdateRequest) -> list[tuple[HeldKind, Fetch]]:
    """What is asked for, with the question that gets it."""
    today, session = times.now().date(), None
    if request.sign_in is not None:
        session = await stack.enter_async_context(
            signed_in(request.sign_in.target, request.sign_in.principal)
        )
    asked: list[tuple[HeldKind, Fetch]] = []
    if HeldKind.SERVICE_TAGS in request.kinds:
        asked.append((HeldKind.SERVICE_TAGS, await _tags(stack, request, session, today)))
    if session is None:
        return asked
    if HeldKind.COMMUNITY_LIST in request.kinds:
        asked.append((HeldKind.COMMUNITY_LIST, partial(download.community_list, session, today)))
    named = {HeldKind.ROUTE_FILTER: request.route_filter, HeldKind.CIRCUIT: request.circuit}
    for kind, name in named.items():
        if name:
            asked.append((kind, partial(download.network_resource, session, kind, name, today)))
    return asked


async def _tags(
    stack: AsyncExitStack, request: UpdateRequest, session: AzureSession | None, today: date
) -> Fetch:
    """The question for service tags."""
    if session is None and request.origin is Origin.ARM:
        raise InputError("service tags of Resource Manager need a sign-in")
    by_arm = partial(download.service_tags_by_arm, session, today) if session else None
    if by_arm and request.origin is Origin.ARM:
        return by_arm
    site = download.site_url(request.site)
    pool = await stack.enter_async_context(connection_pool(proxy=request.proxy, ca_file=request.ca_file))
    client = HttpsClient(pool, lambda url: download.is_allowed(url, site), download.ADVICE)
    by_page = partial(download.service_tags, client, request.cloud, site=request.site)
    return partial(page_or_arm, by_page, by_arm) if by_arm and request.origin is None else by_page


async def page_or_arm(by_page: Fetch, by_arm: Fetch) -> Download:
    """What the download page gives; else what Resource Manager does, and why it was asked.

    Raises:
        ArcferryError: neither gives them; both reasons are told.
    """
    try:
        return await by_page()
    except AzureError as error:
        missed = error
    try:
        return replace(await by_arm(), note=f"asked of Resource Manager, because {missed.message}")
    except ArcferryError as error:
        error.message = f"{missed.message}; and of Resource Manager: {error.message}"
        raise


async def _one(store: Store, request: UpdateRequest, kind: HeldKind, fetch: Fetch) -> UpdateResult:
    try:
        return hold(store, kind, await fetch(), request.cloud.name, allow_older=request.allow_older)
    except ArcferryError as error:
        return UpdateResult(kind, Status.FAILED, error=error)


def hold(
    store: Store, kind: HeldKind, got: Download, cloud: str, *, allow_older: bool = False
) -> UpdateResult:
    """Check what came, and hold it where it is not older than what is held.

    Raises:
        ArcferryError: it is not what was asked for, older, or poorer.
    """
    new, data = recognise(got.data, got.name, taken=got.taken, cloud=cloud, source=got.url)
    if new.kind is not kind:
        raise BlockedError(f"{got.url} gave a {new.kind.words}, not a {kind.words}")
    notes = [got.note] if got.note else []
    if got.by_arm:
        notes += _beside_the_file(store, new, data, allow=allow_older)
    else:
        _refuse_older(store, new, allow=allow_older)
    known = any(one.sha256 == new.sha256 for one in store.held())
    status = Status.UNCHANGED if known else Status.NEW
    return UpdateResult(kind, status, store.put(new, data), notes=tuple(notes))


def _beside_the_file(store: Store, new: Held, data: bytes, *, allow: bool) -> list[str]:
    """What Resource Manager's tags lack of the newest weekly file's that is held.

    Raises:
        BlockedError: they would lead, and lack regions that the file has.
    """
    found = _compared(store, new, data)
    if found is None:
        alone = "no such file is held to compare them with"
        return [f"Resource Manager's service tags are {download.MAY_LACK}; {alone}"]
    held, compared_with = found
    leads = held.age > new.age
    if compared_with.regions and not leads and not allow:
        raise BlockedError(
            f"{compared_with.says}. They would lead over the file of {held.taken}, and an address in these "
            "regions would have none: left as it is",
            hint="Carry a newer file across, then arcferry data import FILE; --accept-older takes Resource "
            "Manager's all the same.",
        )
    which = f"the held file of {_day(held)} is newer and leads" if leads else "they lead"
    return [f"{compared_with.says}; {which}"]


def _compared(store: Store, new: Held, data: bytes) -> tuple[Held, TagsCompared] | None:
    """The newest file that is held, with what Resource Manager's tags lack of it; None without a file."""
    arm = read_service_tags(parse(new.name, data), new.name)
    for held in store.newest(new.kind, new.cloud):
        if not held.name.startswith(download.ARM_TAGS):
            file = read_service_tags(parse(held.name, store.read(held)), held.name)
            return held, compared(arm, file)
    return None


def _refuse_older(store: Store, new: Held, *, allow: bool) -> None:
    newest = next(iter(store.newest(new.kind, new.cloud)), None)
    if allow or newest is None or new.taken is None or newest.taken is None:
        return
    before = newest.taken, newest.change_number or 0
    if (new.taken, new.change_number or 0) < before:
        raise BlockedError(
            f"{new.name} is of {_day(new)}, older than the {newest.kind.words} of {_day(newest)} "
            f"that is held ({newest.name}): left as it is",
            hint="--accept-older takes it all the same; the newer one still leads.",
        )


def _day(held: Held) -> str:
    return f"{held.taken}, change {held.change_number}" if held.change_number else f"{held.taken}"
