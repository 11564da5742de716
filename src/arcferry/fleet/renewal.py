"""A sign-in that Entra refuses in mid-run: every host waits until it is good again, and then goes on."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from arcferry.azure import AzureSession, Identity
from arcferry.errors import AzureError, AzureUnavailableError, InputError, SignInError
from arcferry.fleet.holds import Holds

SIGN_IN = "sign-in"
LONGEST = 3600.0
"""Seconds for which a run waits. Whoever runs it in a pipeline learns of it within the hour."""

_LOOK = 1.0
_ASK = 30.0
"""Seconds between two questions to Entra where nothing is new here: it may have been mended there."""


class Renewal:
    """Holds a run while its identity is refused, and looks for what is new where its secret lies."""

    def __init__(
        self,
        sessions: Iterable[AzureSession],
        reread: Callable[[], Identity | None],
        holds: Holds,
        *,
        longest: float = LONGEST,
    ) -> None:
        """What it takes to sign in again.

        Args:
            sessions: those of the run, which go on with whatever is found.
            reread: the identity as it is given now; None where it can only be asked for.
            holds: has the hosts wait.
            longest: seconds for which they wait.
        """
        self._sessions = tuple(sessions)
        self._reread = reread
        self._holds = holds
        self._longest = longest
        self._task: asyncio.Task[None] | None = None
        self._given_up = False

    def begin(self, error: AzureError) -> bool:
        """Hold the run because of what Entra refused; False if it is not that, or waiting was in vain."""
        if self._given_up or not isinstance(error, SignInError) or isinstance(error, AzureUnavailableError):
            return False
        if not error.code.startswith("AADSTS"):
            return False  # Resource Manager refused a token, which a new sign-in mends seldom
        if self._task is None or self._task.done():
            self._tell(error)
            self._task = asyncio.create_task(self._until_good())
        return True

    async def aclose(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _until_good(self) -> None:
        clock = asyncio.get_running_loop().time
        end, asked = clock() + self._longest, clock() - _ASK
        known = self._sessions[0].identity
        try:
            while clock() < end:
                new = self._given() or known
                if new != known or clock() - asked >= _ASK:
                    known, asked = new, clock()
                    if await self._good(new):
                        return
                await asyncio.sleep(_LOOK)
            self._given_up = True
        finally:
            self._holds.release(SIGN_IN)

    def _given(self) -> Identity | None:
        try:
            return self._reread()
        except InputError:
            return None  # it is being replaced, or is not there yet

    async def _good(self, identity: Identity) -> bool:
        try:
            for session in self._sessions:
                await session.renew(identity)
                await session.token()
        except SignInError as error:
            self._tell(error)
            return False
        except AzureError:
            return False
        return True

    def _tell(self, error: AzureError) -> None:
        self._holds.hold(
            SIGN_IN,
            f"{error.message}. Put the new secret or certificate into the file that was named, or have the "
            "application mended in Entra: the run goes on by itself. A secret in a variable is read at the "
            "start alone: stop the run, set it, and apply again",
        )
