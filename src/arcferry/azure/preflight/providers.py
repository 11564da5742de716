"""The resource providers that Azure Arc takes, the locations they offer, and registering them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from azure.mgmt.resource.resources.models import Provider

from arcferry import log
from arcferry.azure.arm import post
from arcferry.azure.mapping import WHO_REGISTERS, Permission, not_registered, translated, unreadable
from arcferry.azure.preflight.check import Inquiry, PreflightCheck, Subject, Topic, hindrance, ok, unknown
from arcferry.azure.session import AzureSession
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.language import marked

PROVIDER = Topic(marked("provider"), Subject.SUBSCRIPTION)
LOCATION = Topic(marked("location"))
PROVIDERS = ("Microsoft.HybridCompute", "Microsoft.GuestConfiguration", "Microsoft.HybridConnectivity")
"""Must be registered (Azure Arc's prerequisites, 2026-08-20); without the last two a machine connects too."""

PATIENCE = 600.0
"""Seconds that a registration gets; Azure speaks of minutes."""

PAUSE = 5.0
_VERSION = "2022-12-01"
_ONCE = f"{WHO_REGISTERS}, or signs in to arcferry azure preflight --register, which does it and waits:"
_SHOW = (
    "az provider show --namespace Microsoft.HybridCompute --subscription {subscription} "
    '--query "{state:registrationState, places:resourceTypes[].locations}" --output json'
)


@dataclass(frozen=True, slots=True)
class State:
    """A provider as it stands, and where it offers machines; in lower case."""

    namespace: str
    registration: str
    offered: frozenset[str] = field(default=frozenset())


async def providers(asked: Inquiry) -> list[PreflightCheck]:
    """Whether all are registered, and whether the location is offered."""
    target, found = asked.session.target, list[State]()
    try:
        found = [await _state_once(asked, namespace) for namespace in PROVIDERS]
    except (PermissionDeniedError, NotFoundError):
        says = "this identity may not read the subscription's providers"
        return [unknown(topic, says, asked.line(_SHOW)) for topic in (PROVIDER, LOCATION)]
    checks = []
    for state in found:
        if state.registration != "registered":
            under_way = state.registration == "registering"
            says, command = not_registered(state.namespace, target.subscription_id, registering=under_way)
            checks.append(hindrance(PROVIDER, says, _ONCE, command))
    if not checks:
        checks.append(ok(PROVIDER, f"{', '.join(PROVIDERS)} are registered"))
    return [*checks, _location(asked, found[0].offered)]


def _location(asked: Inquiry, offered: frozenset[str]) -> PreflightCheck:
    place = asked.session.target.location
    if not offered:
        return unknown(LOCATION, "the provider lists no locations", asked.line(_SHOW))
    if place not in offered:
        says = f"Azure Arc machines are not offered in {place} for this subscription"
        way = f"Choose another, by --location or the inventory's column: {', '.join(sorted(offered)[:20])}"
        return hindrance(LOCATION, says, way)
    return ok(LOCATION, f"machines are offered in {place}")


async def _state_once(asked: Inquiry, namespace: str) -> State:
    key = f"{asked.subscription}/providers/{namespace}"
    return await asked.once.of(key, lambda: state_of(asked.session, namespace))


async def state_of(session: AzureSession, namespace: str) -> State:
    """How a provider stands.

    Raises:
        AzureError: it cannot be read.
    """
    doing = f"read provider {namespace}"
    with translated(doing):
        return _state(await session.resources.providers.get(namespace), namespace, doing)


def _state(provider: Provider, namespace: str, doing: str) -> State:
    state = provider.registration_state
    if not isinstance(state, str):
        raise unreadable(doing)
    offered = frozenset(
        str(place).replace(" ", "").lower()
        for kind in provider.resource_types or ()
        if str(kind.resource_type or "").lower() == "machines"
        for place in kind.locations or ()
    )
    return State(namespace, state.lower(), offered)


async def register(
    session: AzureSession,
    tell: Callable[[str], None],
    *,
    patience: float = PATIENCE,
    pause: float = PAUSE,
) -> None:
    """Register each provider that is not, and wait for it. This changes the subscription.

    Args:
        session: of an identity that may register.
        tell: hears each thing that was done.
        patience: seconds for all of them; what is not registered by then is said, and goes on in Azure.
        pause: seconds between two looks.

    Raises:
        PermissionDeniedError: this identity may not register.
        AzureError: Azure gave no usable answer.
    """
    waiting = []
    for namespace in PROVIDERS:
        state = await state_of(session, namespace)
        if state.registration == "registered":
            tell(f"{namespace} is registered already: nothing to do")
            continue
        if state.registration != "registering":
            await _ask_for(session, namespace)
            tell(f"asked Azure to register {namespace}")
        waiting.append(namespace)
    try:
        async with asyncio.timeout(patience):
            for namespace in waiting:
                while (await state_of(session, namespace)).registration != "registered":
                    log.did("wait", until=f"{namespace} is registered", seconds=pause)
                    await asyncio.sleep(pause)
                tell(f"{namespace} is registered")
    except TimeoutError:
        tell(f"not registered after {patience:.0f} seconds; Azure goes on with it: {', '.join(waiting)}")


async def _ask_for(session: AzureSession, namespace: str) -> None:
    path = f"/subscriptions/{session.target.subscription_id}/providers/{namespace}/register"
    needs = Permission(f"{namespace}/register/action", "Contributor", "the subscription")
    await post(session, path, _VERSION, f"register provider {namespace}", needs)
