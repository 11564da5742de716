"""One host's part of a run: its session, and what all hosts share."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from arcferry.azure import AzureSession, Machine, Target
from arcferry.bundle import Bundle
from arcferry.fleet.inventory import Host
from arcferry.fleet.poller import MachinePoller
from arcferry.fleet.situation import Packed, Situation
from arcferry.fleet.transport import SshSession, SshTrust, open_session

PATIENCE = 420.0
"""Seconds that Azure gets for a machine: an agent beats every five minutes (agent overview, 2026-08)."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What every host of a run shares.

    Attributes:
        script: the host script's text, checked when it was read.
        azure: None in a plan without a sign-in.
        machines: the target's machines as the preflight saw them, by lower-case name.
        patience: seconds that Azure gets to report a machine as Connected, with a new heartbeat.
    """

    bundle: Bundle
    script: bytes = field(repr=False)
    trust: SshTrust
    target: Target
    azure: AzureSession | None = None
    poller: MachinePoller | None = None
    machines: Mapping[str, Machine] = field(default_factory=dict, repr=False)
    patience: float = PATIENCE


class Work:
    """The work on one host. Its session is opened when first needed and reopened where it was cut.

    Attributes:
        started: when this attempt began; a heartbeat must be newer.
        situation: what was learned of the host, from the moment it is known.
        tell: says what a step is waiting for.
    """

    def __init__(self, host: Host, shared: Shared, started: datetime) -> None:
        self.host = host
        self.shared = shared
        self.started = started
        self.situation: Situation | None = None
        self.tell: Callable[[str], None] = lambda _: None
        self._session: SshSession | None = None
        self._opening = asyncio.Lock()

    @property
    def packed(self) -> Packed:
        """What the bundle holds for this host; known once the situation is."""
        if self.situation is None:
            raise RuntimeError("a step was run before the facts were known")
        return self.situation.packed

    async def session(self) -> SshSession:
        """The host's session.

        Raises:
            HostError: it cannot be had.
        """
        async with self._opening:
            if self._session is None or self._session.closed:
                self._session = await open_session(self.host, self.shared.trust)
            return self._session

    async def close(self) -> None:
        """End the session, if there is one."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
