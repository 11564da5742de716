"""Fetching what is newer, on a connected machine."""

from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from arcferry import times
from arcferry.azure import AzureTarget, Identity, signed_in
from arcferry.catalog import Cloud
from arcferry.data import download
from arcferry.data.download import Download
from arcferry.data.kinds import recognise
from arcferry.data.store import Held, HeldKind, Store
from arcferry.errors import ArcferryError, BlockedError
from arcferry.https import HttpsClient, connection_pool

_Fetch = Callable[[], Awaitable[Download]]


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
    """

    kind: HeldKind
    status: Status
    held: Held | None = None
    error: ArcferryError | None = None


async def update(store: Store, request: UpdateRequest) -> tuple[UpdateResult, ...]:
    """Fetch what is asked for, check it, and hold what is not older than what is held.

    One that fails keeps none of the others from being held, and takes nothing away.

    Raises:
        InputError: an address or the CA file is none.
    """
    async with AsyncExitStack() as stack:
        fetches = await _fetches(stack, request)
        return tuple([await _one(store, request, kind, fetch) for kind, fetch in fetches])


async def _fetches(stack: AsyncExitStack, request: UpdateRequest) -> list[tuple[HeldKind, _Fetch]]:
    """What is asked for, with the question that gets it."""
    asked: list[tuple[HeldKind, _Fetch]] = []
    if HeldKind.SERVICE_TAGS in request.kinds:
        site = download.site_url(request.site)
        pool = await stack.enter_async_context(connection_pool(proxy=request.proxy, ca_file=request.ca_file))
        client = HttpsClient(pool, lambda url: download.is_allowed(url, site), download.ADVICE)
        tags = partial(download.service_tags, client, request.cloud, site=request.site)
        asked.append((HeldKind.SERVICE_TAGS, tags))
    if request.sign_in is None:
        return asked
    today = times.now().date()
    session = await stack.enter_async_context(signed_in(request.sign_in.target, request.sign_in.principal))
    if HeldKind.COMMUNITY_LIST in request.kinds:
        asked.append((HeldKind.COMMUNITY_LIST, partial(download.community_list, session, today)))
    named = {HeldKind.ROUTE_FILTER: request.route_filter, HeldKind.CIRCUIT: request.circuit}
    for kind, name in named.items():
        if name:
            asked.append((kind, partial(download.network_resource, session, kind, name, today)))
    return asked


async def _one(store: Store, request: UpdateRequest, kind: HeldKind, fetch: _Fetch) -> UpdateResult:
    try:
        got = await fetch()
        new, data = recognise(got.data, got.name, cloud=request.cloud.name, source=got.url)
        if new.kind is not kind:
            raise BlockedError(f"{got.url} gave a {new.kind.words}, not a {kind.words}")
        _refuse_older(store, new, allow=request.allow_older)
        known = any(one.sha256 == new.sha256 for one in store.held())
        return UpdateResult(kind, Status.UNCHANGED if known else Status.NEW, store.put(new, data))
    except ArcferryError as error:
        return UpdateResult(kind, Status.FAILED, error=error)


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
