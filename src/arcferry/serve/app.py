"""The pages of the live view, and what may be asked of a run on them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from arcferry.errors import ArcferryError, BlockedError, UnknownNameError
from arcferry.files import is_held
from arcferry.fleet.control import Order, Wish, give
from arcferry.fleet.failed import FAILED
from arcferry.report.page.html import part
from arcferry.serve.guard import SIGN_IN, Guard, Site
from arcferry.serve.listing import STATES, Choice, RunView, listing
from arcferry.serve.live_runs import LiveRuns
from arcferry.serve.orders import may_retry, possible, retries
from arcferry.serve.reading import Reader, Seen
from arcferry.serve.render import Renderer
from arcferry.serve.retrying import Command, begin, chosen
from arcferry.serve.sessions import Attempts, Sessions
from arcferry.serve.stream import EventStream, News, ShownRun, ShownRuns, Streams, changes, told_once
from arcferry.serve.watches import SPANS, watches
from arcferry.text import one_line, whole
from arcferry.translation import translated

_MOST_SENT = 8 * 1024
_MOST_FIELDS = 16
_UNKNOWN_SESSION = 401
_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_SHARED = ("style.css", "copy.js", "times.js")
"""Of the report's page."""

_OWN = ("htmx.min.js", "sse.min.js", "live.js", "serve.css", "icon.svg")


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and to whom.

    Attributes:
        state: the folder that remembers runs and watches.
        allow_actions: whether a run may be paused, resumed and cancelled here.
        retry: takes up failed hosts again, where that is allowed too; None where no command was given.
    """

    state: Path
    site: Site
    sessions: Sessions
    streams: Streams
    allow_actions: bool = False
    retry: Command | None = None


def make_app(serving: Serving, live: LiveRuns) -> ASGIApp:
    """The application, in the language that is spoken now."""
    pages = _Pages(serving, live)
    app = Starlette(
        routes=[
            Route("/", pages.runs),
            Route("/events", pages.runs_events),
            Route(SIGN_IN, pages.sign_in, methods=["GET", "POST"]),
            Route("/sign-out", pages.sign_out, methods=["POST"]),
            Route("/static/{name}", pages.static),
            Route("/watches", pages.watches),
            Route("/runs/{run}", pages.run),
            Route("/runs/{run}/events", pages.events),
            Route("/runs/{run}/hosts/{host:path}", pages.host),
            Route("/runs/{run}/retry", pages.retry),
            Route("/runs/{run}/retry", pages.retried, methods=["POST"]),
            Route("/runs/{run}/{verb}", pages.order, methods=["GET", "POST"]),
        ],
        exception_handlers={HTTPException: pages.refused, ArcferryError: pages.told},
    )
    return Guard(app, serving.site, serving.sessions, pages.refusal)


class _Pages:
    """One method a page."""

    def __init__(self, serving: Serving, live: LiveRuns) -> None:
        self._serving = serving
        self._live = live
        self._renderer = Renderer()
        self._words = self._renderer.words
        self._attempts = Attempts()
        self._static = {name: part(name).encode() for name in _SHARED}
        assets = resources.files("arcferry.serve") / "assets"
        self._static |= {name: assets.joinpath(name).read_bytes() for name in _OWN}

    def _page(self, request: Request, name: str, status: int = 200, **values: object) -> Response:
        session = getattr(request.state, "session", None)
        text = self._renderer.page(name, session.csrf if session else "", values)
        return HTMLResponse(text, status)

    def _message(
        self, request: Request, says: str, hint: str = "", *, status: int, level: str = "FAIL"
    ) -> Response:
        return self._page(request, "message", status, says=says, hint=hint, level=level)

    def refusal(self, request: Request, status: int, *, stream: bool = False) -> Response:
        """Why a request is not answered, as a page; or as the only event of a page that stays open."""
        says = self._words(f"refused.{status}")
        if stream:
            return told_once(says)
        if status == _UNKNOWN_SESSION:
            return self._page(request, "sign_in", status, wrong=says)
        return self._message(request, says, status=status)

    async def refused(self, request: Request, error: Exception) -> Response:
        """What is said where nothing is, or a form is none."""
        assert isinstance(error, HTTPException)  # noqa: S101  # as it is registered
        return self.refusal(request, error.status_code)

    async def told(self, request: Request, error: Exception) -> Response:
        """What is said where a file cannot be read, or a run is not there."""
        assert isinstance(error, ArcferryError)  # noqa: S101  # as it is registered
        status = 404 if isinstance(error, UnknownNameError) else 500
        says, hint = (one_line(translated(text), limit=600) for text in (error.message, error.hint))
        return self._message(request, says, hint, status=status)

    async def static(self, request: Request) -> Response:
        """A file that comes with arcferry."""
        name = request.path_params["name"]
        if name not in self._static:
            raise HTTPException(404)
        return Response(self._static[name], media_type=_TYPES[name.rpartition(".")[2]])

    async def sign_in(self, request: Request) -> Response:
        """The form, the link that works once, and the token that was typed."""
        sessions = self._serving.sessions
        if request.method == "GET":
            link = request.query_params.get("link", "")
            if not link:
                return self._page(request, "sign_in", wrong="")
            if not (name := sessions.by_link(link)):
                return self._page(request, "sign_in", 403, wrong=self._words("serve.link_used"))
            return self._signed_in(name)
        given = await _form(request)
        address = request.client.host if request.client else ""
        if wait := self._attempts.wait(address):
            says = self._words("serve.too_many", seconds=wait)
            response = self._page(request, "sign_in", 429, wrong=says)
            response.headers["retry-after"] = str(wait)
            return response
        if not (name := sessions.by_token(given.get("token", "").strip())):
            self._attempts.wrong(address)
            return self._page(request, "sign_in", 403, wrong=self._words("serve.wrong"))
        return self._signed_in(name)

    def _signed_in(self, name: str) -> Response:
        response = RedirectResponse("/", 303)
        self._serving.site.sign_in(response, name)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        await self._own_form(request)
        self._serving.sessions.end(request.state.name)
        response = RedirectResponse(SIGN_IN, 303)
        self._serving.site.sign_out(response)
        return response

    async def runs(self, request: Request) -> Response:
        """Every run that is remembered here."""
        return self._page(request, "runs", view=await self._live.refreshed())

    async def runs_events(self, request: Request) -> "EventStream | Response":
        """What changes among them."""
        await self._live.refreshed()
        return self._stream(request, self._live, ShownRuns(self._renderer).news)

    async def watches(self, request: Request) -> Response:
        """Every history of a watch as charts."""
        days = whole(request.query_params.get("days", ""), most=max(SPANS)) or SPANS[1]
        found = await asyncio.to_thread(watches, self._serving.state, days, self._words)
        return self._page(request, "watches", watches=found, spans=SPANS, span=days)

    async def run(self, request: Request) -> Response:
        """A run, and a page of its hosts."""
        live = await self._live.run(request.path_params["run"])
        view = await live.refreshed()
        choice = Choice.of(request.query_params)
        return self._page(
            request,
            "run",
            view=view,
            choice=choice,
            list=listing(view, choice),
            known=view.choices,
            states=STATES,
            wishes=self._wishes(view),
        )

    def _wishes(self, view: RunView) -> Sequence[Wish]:
        return possible(view) if self._serving.allow_actions else ()

    async def events(self, request: Request) -> "EventStream | Response":
        """What changes on that page."""
        live = await self._live.run(request.path_params["run"])
        await live.refreshed()
        shown = ShownRun(Choice.of(request.query_params), self._renderer, self._wishes)
        return self._stream(request, live, shown.news)

    def _stream(self, request: Request, reader: Reader[Seen], news: News[Seen]) -> "EventStream | Response":
        if self._serving.streams.is_full:
            return told_once(self._words("serve.full"))
        name, sessions = request.state.name, self._serving.sessions

        def over() -> str:
            return "" if sessions.of(name, looks=True) else self._words("serve.over")

        seen = request.query_params.get("seen", "")
        return EventStream(self._serving.streams, changes(reader, news, seen, over))

    async def host(self, request: Request) -> Response:
        """A host: its steps, what it printed, and the causes that it is among."""
        live = await self._live.run(request.path_params["run"])
        view, name = await live.refreshed(), request.path_params["host"]
        row = view.rows.get(name)
        if row is None:
            return self._message(request, self._words("serve.no_host"), status=404)
        steps, problem = await live.steps(name)
        found = [one for one in view.causes if name in view.of_cause.get(one.slug, ())]
        may_retry = row.event in FAILED and not self._no_retry(view)
        return self._page(
            request,
            "host",
            view=view,
            row=row,
            steps=steps,
            problem=problem,
            found=found,
            may_retry=may_retry,
        )

    async def retry(self, request: Request) -> Response:
        """The question whether to take failed hosts up again; the command where that cannot be done here."""
        live = await self._live.run(request.path_params["run"])
        view = await live.refreshed()
        if why := self._no_retry(view):
            commands = retries(view, request.query_params.get("cause", ""), self._words)
            return self._page(request, "retry", view=view, commands=commands, why=why)
        if why := await self._busy():
            return self._not_now(request, why)
        try:
            which = await asyncio.to_thread(chosen, live.run, view, request.query_params)
        except (BlockedError, UnknownNameError) as error:
            return self._not_now(request, error.message, error.hint)
        return self._page(request, "confirm_retry", view=view, which=which)

    async def retried(self, request: Request) -> Response:
        """Take them up."""
        if not self._serving.allow_actions:
            return self._message(request, self._words("serve.read_only"), status=403)
        live = await self._live.run(request.path_params["run"])
        given = await self._own_form(request)
        async with live.ordering:  # of two who ask at once, one is told so
            view = await live.refreshed()
            try:
                which = await asyncio.to_thread(chosen, live.run, view, given)
                command, why = self._serving.retry, self._no_retry(view) or await self._busy()
                if command is None or why:
                    return self._not_now(request, why)
                if given.get("mark") != which.mark:
                    return self._not_now(request, self._words("retry.others"))
                await asyncio.to_thread(begin, command, live.run, which)
            except (BlockedError, UnknownNameError) as error:
                return self._not_now(request, error.message, error.hint)
        return RedirectResponse(f"/runs/{view.id}", 303)

    def _not_now(self, request: Request, says: str, hint: str = "") -> Response:
        return self._message(request, translated(says), translated(hint), status=409, level="warn")

    def _no_retry(self, view: RunView) -> str:
        """Why failed hosts cannot be taken up from here now; empty where they can."""
        command = self._serving.retry
        if not self._serving.allow_actions or command is None:
            return self._words("retry.why")
        if view.id != command.run:
            return self._words("retry.of_another", run=command.run)
        if view.retry and view.retry.goes_on:
            return self._words("retry.twice")
        return "" if may_retry(view) else self._words("serve.not_now")

    async def _busy(self) -> str:
        """What else works in the state folder, so that no retry would begin now; empty where nothing does."""
        if not await asyncio.to_thread(is_held, self._serving.state, "lock"):
            return ""
        at_work = [one.id for one in (await self._live.refreshed()).runs if one.at_work]
        return self._words("retry.behind", run=at_work[0]) if at_work else self._words("retry.busy")

    async def order(self, request: Request) -> Response:
        """Pause, resume or cancel: the question, and the deed."""
        verb = request.path_params["verb"]
        if verb not in list(Wish):
            raise HTTPException(404)
        if not self._serving.allow_actions:
            return self._message(request, self._words("serve.read_only"), status=403)
        live = await self._live.run(request.path_params["run"])
        given = await self._own_form(request) if request.method == "POST" else {}
        async with live.ordering:  # no order is given by what stood before another one
            view = await live.refreshed()
            if Wish(verb) not in possible(view):
                return self._not_now(request, self._words("serve.not_now"))
            if request.method == "GET":
                return self._page(request, "confirm", view=view, verb=verb)
            order = Order.given(Wish(verb), given.get("reason", ""))
            await asyncio.to_thread(give, live.run, order)
        return RedirectResponse(f"/runs/{view.id}", 303)

    async def _own_form(self, request: Request) -> Mapping[str, str]:
        """What a form of this session's sent.

        Raises:
            HTTPException: it is of another session.
        """
        given = await _form(request)
        if not self._serving.sessions.is_own(request.state.name, given.get("csrf", "")):
            raise HTTPException(403)
        return given


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a form, each once.

    Raises:
        HTTPException: it is longer than any form here, or none.
    """
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_SENT:
                raise HTTPException(413)
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except (ClientDisconnect, ValueError):
        raise HTTPException(400) from None
    return {name: values[0] for name, values in fields.items()}
