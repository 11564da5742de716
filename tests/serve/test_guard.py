"""What every request passes: each rule with what it lets through and what it refuses."""

import pytest
from starlette.datastructures import Headers
from tests.serve import made
from tests.serve.conftest import TOKEN, Served

from arcferry.serve.guard import Site

LOCAL = Site(frozenset(("localhost", "127.0.0.1", "[::1]")), 8710)
FAR = Site(frozenset(("arc.example.net", "*.lab.example.net")), 443, secure=True)


@pytest.mark.parametrize(
    ("site", "host", "is_called"),
    [
        (LOCAL, "127.0.0.1:8710", True),
        (LOCAL, "LOCALHOST:8710", True),
        (LOCAL, "[::1]:8710", True),
        (LOCAL, "127.0.0.1", False),
        (LOCAL, "127.0.0.1:80", False),
        (LOCAL, "[::1]", False),
        (LOCAL, "rebound.example:8710", False),
        (LOCAL, "127.0.0.1.example:8710", False),
        (LOCAL, "", False),
        (FAR, "arc.example.net", True),
        (FAR, "arc.example.net:443", True),
        (FAR, "one.lab.example.net", True),
        (FAR, "lab.example.net", False),
        (FAR, "two.one.lab.example.net", False),
        (FAR, "127.0.0.1", False),
    ],
)
def test_a_name_that_is_not_its_own(site: Site, host: str, *, is_called: bool) -> None:
    assert site.is_called(host) is is_called


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"origin": "http://127.0.0.1:8710"}, True),
        ({"origin": "http://127.0.0.1:8710", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"}, False),
        ({"origin": "http://127.0.0.1:9999"}, False),
        ({"origin": "https://127.0.0.1:8710"}, False),
        ({"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "http://evil.example", "sec-fetch-site": "same-origin"}, False),
        ({"origin": "http://127.0.0.1:8710", "sec-fetch-site": "none"}, False),
    ],
)
def test_where_a_change_comes_from(headers: dict[str, str], *, own: bool) -> None:
    assert LOCAL.is_own(Headers({"host": "127.0.0.1:8710"} | headers)) is own


@pytest.mark.parametrize("path", ["/", "/watches", f"/runs/{made.RUN}", "/nowhere", "/static-not"])
async def test_nobody_sees_anything_before_signing_in(served: Served, path: str) -> None:
    made.story(served.state)
    served.http.cookie_jar.clear()
    status, text = await served.get(path)
    assert (status, "server" in text) == (303, False)
    for events in ("/events", f"/runs/{made.RUN}/events"):
        assert (await served.get(events))[1].startswith("event: over\ndata: Sign in first")
    assert (await served.post("/sign-out", {}))[0] == 401


async def test_a_wrong_token_and_too_many_of_them(served: Served) -> None:
    served.http.cookie_jar.clear()
    for _ in range(5):
        assert (await served.post("/sign-in", {"token": "wrong"}))[0] == 403
    assert (await served.post("/sign-in", {"token": TOKEN}))[0] == 429
    assert (await served.get("/"))[0] == 303


async def test_whose_session_ended_is_told_so(served: Served) -> None:
    served.sessions.end(next(iter(served.http.cookie_jar)).value)
    status, text = await served.get("/")
    assert (status, "Sign in first" in text, 'name="token"' in text) == (401, True, True)


async def test_a_host_named_events_is_no_event_stream(served: Served) -> None:
    path = f"/runs/{made.RUN}/hosts/events"
    made.tell(made.run(served.state, made.hosts(1)), *made.failed("events"))
    assert "<title>events</title>" in (await served.get(path))[1]
    served.http.cookie_jar.clear()
    assert (await served.get(path))[0] == 303


async def test_a_form_from_elsewhere_signs_nobody_in(served: Served) -> None:
    served.http.cookie_jar.clear()
    crossed = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await served.post("/sign-in", {"token": TOKEN}, **crossed))[0] == 403
    assert len(served.http.cookie_jar) == 0


async def test_the_cookie_is_out_of_reach(served: Served) -> None:
    served.http.cookie_jar.clear()
    async with served.http.post(
        f"{served.url}/sign-in", data={"token": TOKEN}, headers=served.headers, allow_redirects=False
    ) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert TOKEN not in cookie


async def test_the_link_signs_in_once(served: Served) -> None:
    served.http.cookie_jar.clear()
    link = f"/sign-in?link={served.sessions.link()}"
    assert (await served.get(link))[0] == 303
    assert (await served.get("/"))[0] == 200
    served.http.cookie_jar.clear()
    assert (await served.get(link))[0] == 403
    assert (await served.get("/"))[0] == 303


async def test_whoever_signed_out_sees_nothing(served: Served) -> None:
    assert (await served.post("/sign-out", {"csrf": "wrong"}))[0] == 403
    assert (await served.get("/"))[0] == 200
    assert (await served.post("/sign-out", {"csrf": await served.csrf()}))[0] == 303
    assert (await served.get("/"))[0] == 303


@pytest.mark.parametrize("path", ["/", "/sign-in", "/static/serve.css", "/nowhere", "/runs/none/events"])
async def test_every_answer_is_shut_in(served: Served, path: str) -> None:
    async with served.http.get(served.url + path) as answer:
        headers = answer.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {"'self'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Host": "rebound.example"}, 421),
        ("PUT", {}, 405),
        ("TRACE", {}, 405),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_what_is_refused_whoever_asks(
    served: Served, method: str, headers: dict[str, str], status: int
) -> None:
    async with served.http.request(method, f"{served.url}/", headers=headers) as answer:
        assert answer.status == status


@pytest.mark.parametrize(
    ("body", "status"), [(b"token=" + b"x" * 9000, 413), (b"\xff=1", 400), (b"&".join([b"a=1"] * 17), 400)]
)
async def test_what_is_no_form(served: Served, body: bytes, status: int) -> None:
    assert (await served.post("/sign-in", body))[0] == status
