"""What a page that stays open is sent: only what became another since it was sent last.

Nothing is queued. Whoever reads slowly misses what came in between, and who does not read at all is dropped.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

from arcferry.serve.listing import Choice, RunView, listing
from arcferry.serve.live import LiveRun
from arcferry.serve.render import Renderer

MOST = 64
"""Open streams of one server."""

_SLOWEST = 10.0
"""Seconds for what is sent to leave; who has not read for so long does not read."""

_QUIET = 15.0
_PACE = 0.3
"""Seconds between two messages at the least: many changes go in one."""

_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8")]


class Streams:
    """The open streams of one server, which end with it."""

    def __init__(self) -> None:
        self.open = 0
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End all of them."""
        self._closing.set()

    @property
    def is_full(self) -> bool:
        """Whether no further one is opened."""
        return self.open >= MOST

    @property
    def is_closing(self) -> bool:
        """Whether they are ending."""
        return self._closing.is_set()

    async def until_closing(self) -> None:
        """Return when all end."""
        await self._closing.wait()


class EventStream:
    """An answer that goes on: events, one message a change."""

    def __init__(self, streams: Streams, events: AsyncIterator[str]) -> None:
        self._streams = streams
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader is gone or too slow, or the server ends."""
        del scope
        self._streams.open += 1
        ends = [
            asyncio.ensure_future(one)
            for one in (self._send(send), _gone(receive), self._streams.until_closing())
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._streams.open -= 1
            for one in ends:
                one.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if ends[0].cancelled() or ends[0].exception() is None:
            with suppress(TimeoutError):
                await _sent(send, b"", more=False)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        async for text in self._events:
            await _sent(send, text.encode(), more=True)


async def _sent(send: Send, body: bytes, *, more: bool) -> None:
    message: Message = {"type": "http.response.body", "body": body, "more_body": more}
    async with asyncio.timeout(_SLOWEST):
        await send(message)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def changes(
    live: LiveRun, choice: Choice, seen: str, renderer: Renderer, over: Callable[[], str]
) -> AsyncIterator[str]:
    """The events of a page that shows a part of a run.

    Args:
        live: the run.
        choice: the part.
        seen: the version that the page shows.
        renderer: writes the pieces.
        over: why the stream is to end now; empty while it is not.
    """
    shown = _Shown(choice, renderer)
    async with live.listening():
        if live.view.version == seen:
            list(shown.news(live.view))
            yield ": the page is as it is\n\n"
        else:
            yield "".join(shown.news(live.view))
        while True:
            version = live.view.version
            try:
                async with asyncio.timeout(_QUIET):
                    view = await live.after(version)
            except TimeoutError:
                view = live.view
            if says := over():
                yield event("over", renderer.text(says))
                return
            yield "".join(shown.news(view)) or ": still here\n\n"
            await asyncio.sleep(_PACE)


class _Shown:
    """What a page shows, piece by piece."""

    def __init__(self, choice: Choice, renderer: Renderer) -> None:
        self._choice = choice
        self._renderer = renderer
        self._counts = self._found = ""
        self._rows: dict[str, str] = {}

    def news(self, view: RunView) -> Iterator[str]:
        """The events for what became another: a row alone where the rows are of the same hosts as before."""
        found = listing(view, self._choice)
        counts = self._renderer.counts(view, self._choice)
        if counts != self._counts:
            self._counts = counts
            yield event("counts", counts)
        says = self._renderer.found(view, found)
        if says != self._found:
            self._found = says
            yield event("found", says)
        rows = {one.name: self._renderer.row(view, one) for one in found.rows}
        if list(rows) != list(self._rows):
            yield event("rows", "".join(rows.values()))
        elif changed := [one for one in found.rows if rows[one.name] != self._rows[one.name]]:
            yield event("changes", "".join(self._renderer.row(view, one, oob=True) for one in changed))
        self._rows = rows


def event(name: str, text: str) -> str:
    """One event; no line of its text can begin another field."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
