"""An errand, planned or applied: one at a time in a state folder, with a journal of what was done."""

from contextlib import AsyncExitStack, ExitStack

from arcferry.azure import Identity, list_machines
from arcferry.errors import ArcferryError, InputError
from arcferry.files import make_private, only_one
from arcferry.fleet.errands.crew import Crew, Places
from arcferry.fleet.errands.errand import ErrandRequest, ErrandRun
from arcferry.fleet.events import Event, EventKind, Observer, journal
from arcferry.fleet.in_azure import sessions_at, targets_of
from arcferry.fleet.stop import Stop
from arcferry.times import now, to_text

JOURNAL = "errands.jsonl"
BUSY = "Wait for it, or stop it; or use another folder with --state, for other hosts."


async def plan_errand(request: ErrandRequest, principal: Identity | None) -> ErrandRun:
    """What it would do with each host. Reads hosts and Azure, and changes neither.

    Raises:
        AzureError: Azure gave no usable answer.
    """
    return await _carried_out(request, principal, lambda _: None, Stop(), acts=False)


async def apply_errand(
    request: ErrandRequest, principal: Identity | None, *, observer: Observer, stop: Stop
) -> ErrandRun:
    """Do it, host by host. Done again, it finds done what was done.

    Raises:
        BlockedError: a run or an errand is at work with the same state folder. Nothing was touched.
        AzureError: Azure gave no usable answer before the first host.
    """
    make_private(request.state)
    path = request.state / JOURNAL
    run = f"{request.errand.name}-{to_text(now())}"
    with ExitStack() as stack:
        stack.enter_context(only_one(request.state, "apply", hint=BUSY))
        write = stack.enter_context(journal(path, run))

        def see(event: Event) -> None:
            observer(event)
            write(event)

        see(Event("", EventKind.BEGUN, says=f"{request.errand.name} of {len(request.inventory.hosts)} hosts"))
        says = "by a fault"
        try:
            result = await _carried_out(request, principal, see, stop, acts=True, journal_path=str(path))
            says = f"{sum(host.good for host in result.hosts)} of {len(result.hosts)} hosts are as wanted"
        except ArcferryError as error:
            says = error.message
            raise
        finally:
            see(Event("", EventKind.ENDED, says=says))
        return result


async def _carried_out(
    request: ErrandRequest,
    principal: Identity | None,
    see: Observer,
    stop: Stop,
    *,
    acts: bool,
    journal_path: str = "",
) -> ErrandRun:
    if principal is None and (request.errand.asks_azure or request.wishes.only_azure):
        raise InputError(
            f"{request.errand.name} asks Azure, and no secret, certificate or other identity was given",
            hint="Set AZURE_CLIENT_SECRET, or pass --secret-file or --certificate; or --az-login, "
            "--managed-identity or --federated-token-file.",
        )
    async with AsyncExitStack() as stack:
        places = await _places(request, principal, stack) if principal is not None else {}
        crew = Crew(request, places, see, stop, acts=acts)
        hosts, stages = await crew.everyone()
    interrupted = bool(stop.asked)
    return ErrandRun(request, acts, hosts, journal_path, interrupted, crew.refusal, stages)


async def _places(request: ErrandRequest, principal: Identity, stack: AsyncExitStack) -> Places:
    """A session for each place that hosts are in, and the machines there; had before any host is asked."""
    targets = tuple(targets_of(request.target, request.inventory.hosts))
    sessions = await stack.enter_async_context(sessions_at(targets, principal))
    return {target: (session, await list_machines(session)) for target, session in sessions.items()}
