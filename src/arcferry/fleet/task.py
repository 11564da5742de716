"""What the operator asked for, what all hosts of a run share, and the work on one of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from arcferry.azure import AzureSession, AzureTarget, Identity, Machine
from arcferry.bundle import Bundle
from arcferry.errors import InputError
from arcferry.fleet.claims import Claims
from arcferry.fleet.events import Event, EventKind, Observer
from arcferry.fleet.host_state import Decision, HostPayload, HostState, Way, state_from
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.outcome import StepResult
from arcferry.fleet.place import target_of
from arcferry.fleet.poller import MachinePoller
from arcferry.fleet.renewal import Renewal
from arcferry.fleet.run_folder import run_id
from arcferry.fleet.script import ScriptAnswer, ask
from arcferry.fleet.settling import LIMIT, Settling
from arcferry.fleet.system import SYSTEMS
from arcferry.fleet.transport import Session, SignIn, open_session
from arcferry.fleet.waves import ALL, Amount
from arcferry.fleet.window import Window

PATIENCE = 420.0
"""Seconds that Azure gets for a machine: an agent beats every five minutes (agent overview, 2026-08)."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the operator asked for, read and checked.

    Attributes:
        principal: None for a plan that does not sign in to Azure.
        state: the folder that remembers runs.
        concurrency: hosts worked on at one time.
        stop_after: failures after which no further host is begun; None for no limit.
        reconnect: whether agents that are connected elsewhere, or no longer, are disconnected there first.
        way: what the run is for.
        turn: which time it is that the same is done with the same hosts, where that is a run of its own.
        patience: seconds that Azure gets to report a machine as Connected, with a new heartbeat.
        window: when hosts without a window of their own may be begun; None for any time.
        only: the hosts that are begun; None for all. The others stand as they were.
        kill_switch: while this file exists nothing is begun; None for no switch.
        canary: servers of each network that prove the path and go before the others; 0 for neither.
        waves: how many hosts are begun by the end of each wave.
        everyone: all hosts of the inventory, if this run is about some of them only.
    """

    inventory: Inventory
    bundle: Bundle
    sign_in: SignIn
    target: AzureTarget
    principal: Identity | None = field(repr=False)
    state: Path
    concurrency: int = 50
    stop_after: int | None = None
    patience: float = PATIENCE
    window: Window | None = None
    kill_switch: Path | None = None
    only: frozenset[str] | None = None
    reconnect: bool = False
    way: Way = Way.ONBOARD
    turn: int = 1
    canary: int = 0
    waves: tuple[Amount, ...] = (ALL,)
    everyone: Inventory | None = None

    @property
    def run(self) -> str:
        """The name of the run that this is, or that this is a part of."""
        name = run_id(self.everyone or self.inventory, self.bundle, self.target)
        return name if self.way is Way.ONBOARD else f"{self.way.value}-{name}-{self.turn}"


@dataclass(frozen=True, slots=True)
class RunContext:
    """What every host of a run shares: what was asked for, and what was learned since.

    Attributes:
        scripts: the host scripts' texts by system, checked when they were read.
        azure: None in a plan without a sign-in.
        machines: the target's machines as the preflight saw them, by lower-case name.
        places: the same for each target that hosts of the run go to; empty where Azure was not asked.
        claims: which row of the inventory each server answered for.
        settling: how long refusals that may pass have lasted.
        renewal: what waits for a sign-in that is refused in mid-run; None where nothing does.
    """

    request: RunRequest
    scripts: Mapping[str, bytes] = field(repr=False)
    azure: AzureSession | None = None
    poller: MachinePoller | None = None
    machines: Mapping[str, Machine] = field(default_factory=dict, repr=False)
    places: Mapping[AzureTarget, "RunContext"] = field(default_factory=dict, repr=False)
    claims: Claims = field(default_factory=Claims, repr=False)
    settling: Settling = field(default_factory=Settling, repr=False)
    renewal: Renewal | None = field(default=None, repr=False)

    @classmethod
    def of(cls, request: RunRequest) -> Self:
        """As much as is known before Azure was asked.

        Raises:
            InputError: the bundle lacks a host script, so that it cannot be used for onboarding.
        """
        try:
            scripts = {name: request.bundle.host_script(name).read() for name in SYSTEMS}
        except InputError as error:
            hint = "Build the bundle anew with this version of arcferry."
            raise InputError(error.message, hint=hint) from None
        if any(host.place.proxy for host in request.inventory.hosts) and not all(
            SYSTEMS[name].takes_proxy(text) for name, text in scripts.items()
        ):
            hint = "Build the bundle anew with this version of arcferry."
            raise InputError("the bundle's host scripts cannot set an agent's proxy yet", hint=hint)
        names = {host.name.lower(): host for host in request.inventory.hosts}
        return cls(request, scripts, claims=Claims(names), settling=Settling(min(LIMIT, request.patience)))

    def at(self, target: AzureTarget) -> "RunContext":
        """The same for hosts that go to this target, before Azure was asked about it."""
        return replace(self, request=replace(self.request, target=target), places={})

    def renewed_by(self, renewal: Renewal) -> "RunContext":
        """The same with what waits for a sign-in, in every place."""
        places = {target: replace(place, renewal=renewal) for target, place in self.places.items()}
        return replace(self, renewal=renewal, places=places)

    def of_host(self, host: Host) -> "RunContext":
        """The same as it is for one host, which may go elsewhere than the run."""
        target = target_of(self.request.target, host.place)
        if target in self.places:
            return self.places[target]
        return self if target == self.request.target else self.at(target)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of every host.

    Attributes:
        decide: whether it is to be run, skipped or blocked, and why. Reads nothing but the state.
        perform: does it, whatever was done before: a step that was cut short runs again. Raises HostError
            or AzureError, by what failed.
        interruptible: whether it may be left in the middle when the run is stopped.
    """

    name: str
    decide: Callable[[HostState], Decision]
    perform: Callable[["HostTask"], Awaitable[StepResult]]
    interruptible: bool = True


class HostTask:
    """The work on one host. Its session is opened when first needed and reopened where it was cut.

    Attributes:
        started: when this attempt began; a heartbeat must be newer.
        finished: steps that ended well in earlier attempts of the same run.
        begun: steps that were begun in them.
        state: what was learned of the host; there before any step but the survey is run.
        step: the step that is being run.
        results: of the steps that ended, by their names.
    """

    def __init__(
        self,
        host: Host,
        context: RunContext,
        started: datetime,
        *,
        attempt: int = 1,
        finished: frozenset[str] = frozenset(),
        begun: frozenset[str] = frozenset(),
        observer: Observer = lambda _: None,
    ) -> None:
        self.host = host
        self.context = context.of_host(host)
        self.target = self.context.request.target
        self.started = started
        self.finished = finished
        self.begun = begun
        self.state: HostState
        self.step = ""
        self.results: dict[str, StepResult] = {}
        self._attempt = attempt
        self._observer = observer
        self._session: Session | None = None
        self._opening = asyncio.Lock()

    def see(self, kind: EventKind, step: str, says: str = "", seconds: float = 0.0) -> None:
        """Tell whoever watches the run what became of a step."""
        self._observer(Event(self.host.name, kind, step, says, self._attempt, seconds))

    def tell(self, says: str) -> None:
        """Tell whoever watches the run what the step waits for, or does beside."""
        self.see(EventKind.WAITING, self.step, says)

    @property
    def payload(self) -> HostPayload:
        """What the bundle holds for this host; known once its state is."""
        return self.state.payload

    def state_of(self, document: Mapping[str, Any]) -> HostState:
        """What its survey's document says, with what of it this run minds."""
        request = self.context.request
        state = state_from(document, self.host, self.target, request.bundle)
        return replace(
            state,
            finished=self.finished,
            begun=self.begun,
            reconnect=request.reconnect,
            way=request.way,
            objection=self.context.claims.objection(self.host, state.facts),
        )

    @property
    def azure(self) -> AzureSession:
        """The session with Azure that connecting and verifying need."""
        if self.context.azure is None:
            raise RuntimeError("connecting and verifying need a session with Azure")
        return self.context.azure

    async def session(self) -> Session:
        """The host's session.

        Raises:
            HostError: it cannot be had.
        """
        async with self._opening:
            if self._session is None or self._session.closed:
                self._session = await open_session(self.host, self.context.request.sign_in)
            return self._session

    async def ask(self, verb: str, *words: str) -> ScriptAnswer:
        """The answer of the host script as it is here, which need not be on the host.

        Raises:
            HostError: as for `script.ask`.
        """
        session = await self.session()
        return await ask(session, self.context.scripts[session.system], verb, *words)

    async def close(self) -> None:
        """End the session, if there is one."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
