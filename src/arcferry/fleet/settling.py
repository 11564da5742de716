"""Refusals that pass by themselves: those of a role or a group that was made a moment ago."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from arcferry.errors import AzureError, NotFoundError, PermissionDeniedError, SignInError

LIMIT = 300.0
"""Seconds for which a refusal may be no more than that. A new role can take ten minutes to count (Microsoft's
“Troubleshoot Azure RBAC”, 2026-08); who would need all of them has begun too early."""

_SHORTEST, _LONGEST, _GROWTH, _APART = 2.0, 20.0, 1.6, 0.3
_PASSING_401 = frozenset({"invalidauthenticationtoken", "authenticationfailed", "expiredauthenticationtoken"})
_Found = TypeVar("_Found")


class Settling:
    """One clock for all hosts of a run: what was refused to one for so long is not waited for by the next."""

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._since: float | None = None

    def still(self, error: AzureError) -> bool:
        """Whether this refusal may pass, and has not lasted for longer than any such does."""
        if not may_pass(error):
            return False
        now = time.monotonic()
        if self._since is None:
            self._since = now
        return now - self._since < self._limit

    def passed(self) -> None:
        """Azure did what was asked: a later refusal is another one."""
        self._since = None

    async def wait_out(
        self,
        work: Callable[[], Awaitable[_Found]],
        *,
        waits: Callable[[AzureError], object] = lambda _: None,
    ) -> _Found:
        """The result of the work, which is tried again while its refusal may pass.

        Args:
            work: what Azure may refuse.
            waits: told of the first refusal that is waited out.

        Raises:
            AzureError: a refusal that does not pass, or did not.
        """
        pause, told = _SHORTEST, False
        while True:
            try:
                found = await work()
            except AzureError as error:
                if not self.still(error):
                    raise
                if not told:
                    waits(error)
                told = True
            else:
                self.passed()
                return found
            await asyncio.sleep(min(apart(pause), self._limit))
            pause = min(pause * _GROWTH, _LONGEST)


def may_pass(error: AzureError) -> bool:
    """Whether Resource Manager may answer so for minutes after a role or a group was made."""
    if isinstance(error, SignInError):
        return error.code.lower() in _PASSING_401
    return isinstance(error, PermissionDeniedError | NotFoundError)


def apart(seconds: float) -> float:
    """A pause of about so long, so that many hosts do not ask in one instant."""
    return seconds * random.uniform(1 - _APART, 1 + _APART)  # noqa: S311  # no secret hangs on it
