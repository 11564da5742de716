"""Taking turns with Azure: what it asks of one request, namely to wait, counts for all of a session's."""

import asyncio
import random
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineContext, PipelineResponse, policies
from azure.core.pipeline.transport import AioHttpTransport

from arcferry import log
from arcferry.errors import ThrottledError

LONGEST_WAIT = 60.0
"""Seconds of Retry-After that are waited for at one time; a longer wish becomes a ThrottledError."""

_UNSAID, _LONGEST_REST = 2.0, 3600.0
"""Seconds of rest after a 429 that does not say how long, and the most that any rest lasts."""

_SPREAD, _MOST_SPREAD = 0.1, 3.0
_THROTTLED, _UNAVAILABLE = 429, 503
_HTTPS = 443


def origin(url: str) -> tuple[str, str, int]:
    """What a URL's service is told by, whether its port is written or not."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or ""), parts.port or _HTTPS


class BoundedRetry(policies.AsyncRetryPolicy[Any, Any]):
    """The SDK's retry, which honours Retry-After, with a bound on how long one wait may be."""

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Seconds that Azure asks to wait; None where it doesn't say or says nothing sensible."""
        try:
            wait: float | None = super().get_retry_after(response)
        except (TypeError, ValueError, OverflowError):
            return None
        return wait

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether to try again: not where Azure asks for more patience than a run has."""
        if (self.get_retry_after(response) or 0) > LONGEST_WAIT:
            return False
        return bool(super().is_retry(settings, response))


class Turn:
    """The rest that one service of Azure's has asked for: until its end no request of any host is sent."""

    def __init__(self) -> None:
        self._until = 0.0
        self._rest = 0.0

    def rest(self, seconds: float) -> None:
        """Take note of a wish for rest; it never shortens one that lasts longer."""
        until = asyncio.get_running_loop().time() + seconds
        if until > self._until:
            self._until, self._rest = until, seconds

    @property
    def open(self) -> bool:
        """Whether nobody has to wait now."""
        return self._until <= asyncio.get_running_loop().time()

    async def taken(self) -> None:
        """Return when the rest is over, a little apart from the others that wait for it.

        Raises:
            ThrottledError: it lasts longer than anybody waits.
        """
        while (left := self._until - asyncio.get_running_loop().time()) > 0:
            if left > LONGEST_WAIT:
                raise ThrottledError(
                    f"Azure asked for {self._rest:.0f} s without requests, of which {left:.0f} s are left",
                    status=_THROTTLED,
                    hint="Run the same command again after that; what is done is kept.",
                )
            # So that a thousand hosts do not ask in one instant.
            apart = random.uniform(0, min(_SPREAD * self._rest, _MOST_SPREAD))  # noqa: S311  # no secret hangs on it
            await asyncio.sleep(left + apart)


class SharedTurns:
    """The turns of one session, by the service that is asked: Entra's wish is none of Resource Manager's."""

    def __init__(self) -> None:
        self._turns: dict[tuple[str, str, int], Turn] = {}

    def of(self, url: str) -> Turn:
        """The turn of the service at this URL."""
        return self._turns.setdefault(origin(url), Turn())


class PatientTransport(AioHttpTransport):  # type: ignore[misc]  # the SDK loads it when asked for, untyped
    """The SDK's transport, which sends a request when it is its turn.

    It lies below every client's retries, and below the credential's, so that each try waits too.
    """

    def __init__(self, turns: SharedTurns, **options: Any) -> None:  # noqa: ANN401  # the SDK's own
        super().__init__(**options)
        self._turns = turns
        self._retry = BoundedRetry()

    async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401  # the SDK has two forms of each
        """Send the request when nobody has asked for rest, and take note where the answer does.

        Raises:
            ThrottledError: the rest lasts longer than anybody waits; nothing was sent.
        """
        turn = self._turns.of(request.url)
        await turn.taken()
        answer = await super().send(request, **options)
        asked = self._retry.get_retry_after(PipelineResponse(request, answer, PipelineContext(None)))
        status = answer.status_code
        if status == _THROTTLED or (status == _UNAVAILABLE and asked):
            rest = _UNSAID if asked is None else min(max(asked, 0.0), _LONGEST_REST)
            log.did("rest", asked_by=urlsplit(request.url).hostname or "", seconds=rest)
            turn.rest(rest)
        return answer
