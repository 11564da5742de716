"""What a page that stays open is sent: only what became another since it was sent last.

Nothing is queued. Whoever reads slowly misses what came in between, and who does not read at all is dropped.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress

from markupsafe import escape
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from arcferry.fleet.control import Wish
from arcferry.serve import connections
from arcferry.serve.listing import Choice, RunView, listing
from arcferry.serve.live_runs import RunsView
from arcferry.serve.reading import Reader, Seen
from arcferry.serve.render import Renderer

MOST = 64
"""Open streams of one server."""

_QUIET = 15.0
_PACE = 0.3
"""Seconds between two messages at the least: many changes go in one."""

_KIND = "text/event-stream; charset=utf-8"


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
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", _KIND.encode())]}
        )
        async for text in self._events:
            await _sent(send, text.encode(), more=True)


async def _sent(send: Send, body: bytes, *, more: bool) -> None:
    message: Message = {"type": "http.response.body", "body": body, "more_body": more}
    async with asyncio.timeout(connections.PATIENCE):
        await send(message)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


News = Callable[[Seen], Iterator[str]]
"""Gives the events for what became another since it was asked last."""


async def changes(
    reader: Reader[Seen], news: News[Seen], seen: str, over: Callable[[], str]
) -> AsyncIterator[str]:
    """The events of a page that stays open.

    Args:
        reader: of what it shows.
        news: what of it became another.
        seen: the version that the page shows.
        over: why the stream is to end now; empty while it is not.
    """
    async with reader.listening():
        if reader.view.version == seen:
            list(news(reader.view))
            yield ": the page is as it is\n\n"
        else:
            yield "".join(news(reader.view))
        while True:
            version = reader.view.version
            try:
                async with asyncio.timeout(_QUIET):
                    view = await reader.after(version)
            except TimeoutError:
                view = reader.view
            if says := over():
                yield ended(says)
                return
            yield "".join(news(view)) or ": still here\n\n"
            await asyncio.sleep(_PACE)


class ShownRun:
    """What the page of a run shows, piece by piece."""

    def __init__(
        self, choice: Choice, renderer: Renderer, wishes: Callable[[RunView], Sequence[Wish]]
    ) -> None:
        self._choice = choice
        self._renderer = renderer
        self._wishes = wishes
        self._shown: dict[str, str] = {}
        self._rows: dict[str, str] = {}

    def news(self, view: RunView) -> Iterator[str]:
        """The events for what became another: a row alone where the rows are of the same hosts as before."""
        found = listing(view, self._choice)
        pieces = {
            "counts": self._renderer.counts(view, self._choice),
            "acts": self._renderer.acts(view, self._choice, self._wishes(view)),
            "retry": self._renderer.retry(view),
            "found": self._renderer.found(view, found),
        }
        for name, text in pieces.items():
            if text != self._shown.get(name, ""):
                yield event(name, text)
        self._shown = pieces
        rows = {one.name: self._renderer.row(view, one) for one in found.rows}
        if list(rows) != list(self._rows):
            yield event("rows", "".join(rows.values()))
        elif changed := [one for one in found.rows if rows[one.name] != self._rows[one.name]]:
            yield event("changes", "".join(self._renderer.row(view, one, oob=True) for one in changed))
        self._rows = rows


class ShownRuns:
    """What the list of runs shows."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._list: tuple[object, ...] = ()
        self._rows: dict[str, str] = {}

    def news(self, view: RunsView) -> Iterator[str]:
        """The events for what became another: a row alone where the list is of the same runs as before."""
        rows = {one.id: self._renderer.run_row(one) for one in view.runs}
        found = (*rows, view.unreadable, view.older, view.problems, view.has_fault)
        if found != self._list:
            yield event("rows", self._renderer.runs(view))
        elif changed := [one for one in view.runs if rows[one.id] != self._rows[one.id]]:
            yield event("changes", "".join(self._renderer.run_row(one, oob=True) for one in changed))
        self._list, self._rows = found, rows


def ended(says: str) -> str:
    """The event by which a page is told that nothing more comes, and why."""
    return event("over", str(escape(says)))


def told_once(says: str) -> Response:
    """That event alone: of an answer that is refused by its status no browser shows a page what it says."""
    return Response(ended(says), media_type=_KIND)


def event(name: str, text: str) -> str:
    """One event; no line of its text can begin another field."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
