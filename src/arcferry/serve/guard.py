"""What every request passes: whose host name it uses, where it comes from, who is signed in."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arcferry.serve.sessions import LONGEST, Sessions

SIGN_IN = "/sign-in"
_OPEN = (SIGN_IN, "/static/")
_LOOKS = re.compile(r"(?:/runs/[^/]+)?/events|/runs/[^/]+/retry/now")
"""What an open page asks for by itself, which keeps no session alive."""

_METHODS = ("GET", "HEAD", "POST")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """How this server is called.

    Attributes:
        names: each name and address that it goes by, such as `localhost`; `*.example.net` is any name there.
        secure: whether it speaks TLS.
    """

    names: frozenset[str]
    port: int
    secure: bool = False

    @property
    def scheme(self) -> str:
        """Of its addresses."""
        return "https" if self.secure else "http"

    @property
    def cookie(self) -> str:
        """The name of its cookie. Browsers take `__Host-` only over TLS, and from this very host."""
        return "__Host-arcferry" if self.secure else f"arcferry-{self.port}"

    def is_called(self, host: str) -> bool:
        """Whether a Host header names this server: a page of another name that leads here is refused."""
        name, colon, port = host.lower().rpartition(":")
        if not colon or port.endswith("]"):
            name, port = host.lower(), "443" if self.secure else "80"
        known = name in self.names or f"*.{name.partition('.')[2]}" in self.names
        return known and port == str(self.port)

    def is_own(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something comes from a page of this server.

        Browsers say so in two ways, and at least one of them must vouch for it. Under our referrer policy a
        form's Origin is `null`, which vouches for nothing.
        """
        site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "null")
        if site not in ("", "same-origin"):
            return False
        if origin != "null":
            return origin.lower() == f"{self.scheme}://{headers.get('host', '').lower()}"
        return site == "same-origin"

    def sign_in(self, response: Response, name: str) -> None:
        """Have the browser keep a session's name, for this server alone and out of reach of any script."""
        response.set_cookie(
            self.cookie, name, max_age=LONGEST, httponly=True, samesite="strict", secure=self.secure
        )

    def sign_out(self, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(self.cookie, httponly=True, samesite="strict", secure=self.secure)


class Refusal(Protocol):
    """Makes the answer to a request that is not let through; `stream` where an event stream was asked for."""

    def __call__(self, request: Request, status: int, *, stream: bool = False) -> Response:
        """The answer of that status."""


class Guard:
    """Lets a request through to the pages, or answers it itself."""

    def __init__(self, app: ASGIApp, site: Site, sessions: Sessions, refusal: Refusal) -> None:
        self._app = app
        self._refuse = refusal
        self._site = site
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if self._site.secure:
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        try:
            refusal = self._refusal(scope)
            await (refusal or self._app)(scope, receive, guarded)
        except Exception:
            _LOG.exception("a page failed")
            if started:
                raise
            await self._refuse(Request(scope), 500)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not let through. Sets `session` of the others."""
        headers, request = Headers(scope=scope), Request(scope)
        if len(headers.getlist("host")) != 1 or not self._site.is_called(headers["host"]):
            return self._refuse(request, 421)
        if scope["method"] not in _METHODS:
            response = self._refuse(request, 405)
            response.headers["allow"] = ", ".join(_METHODS)
            return response
        if scope["method"] == "POST" and not self._site.is_own(headers):
            return self._refuse(request, 403)
        path = scope["path"]
        looks = bool(_LOOKS.fullmatch(path))
        name = _cookie(headers, self._site.cookie)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["name"], state["session"] = name, self._sessions.of(name, looks=looks)
        if state["session"] is not None or path == SIGN_IN or path.startswith(_OPEN[1]):
            return None
        if scope["method"] == "POST" or looks or name:
            return self._refuse(request, 401, stream=looks and path.endswith("/events"))
        return RedirectResponse(SIGN_IN, 303)


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie("; ".join(headers.getlist("cookie"))).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
