from datetime import UTC, datetime

import pytest
from tests.probe.conftest import HOST, Net, replies

from arcferry.probe.http import captive_page
from arcferry.probe.observation import HttpAnswer, Stage, TlsSession


def session(*, public: bool) -> TlsSession:
    return TlsSession("TLS 1.3", "", "CN=Gateway CA", f"CN={HOST}", (HOST,), datetime.now(UTC), public)


def answer(status: int, media_type: str = "", location: str = "") -> HttpAnswer:
    return HttpAnswer(status, None, media_type=media_type, location=location)


@pytest.mark.parametrize(
    "response",
    [
        answer(200, "text/html"),
        answer(200, "application/xhtml+xml"),
        answer(302, location="https://guest.contoso.example/login?url=x"),
        answer(307, location="http://10.0.0.1/"),
        answer(511, "text/html"),
    ],
)
def test_a_strangers_page(response: HttpAnswer) -> None:
    failure = captive_page(HOST, session(public=False), response)
    assert failure is not None
    assert (failure.stage, failure.kind) == (Stage.HTTP, "captive-page")
    assert "CN=Gateway CA" in failure.says


@pytest.mark.parametrize(
    "response",
    [
        answer(200, "application/json"),
        answer(404, "text/html"),
        answer(302, location="https://www.office.com/login"),
        answer(302, location="https://login.microsoftonline.com/common"),
        answer(302, location="/elsewhere"),
        answer(302, location=f"https://{HOST}/"),
        answer(302, location="http://[broken"),
        answer(302),
    ],
)
def test_a_services_own_answer(response: HttpAnswer) -> None:
    assert captive_page(HOST, session(public=False), response) is None


def test_behind_a_public_root_the_service_itself_answers() -> None:
    assert captive_page(HOST, session(public=True), answer(200, "text/html")) is None
    assert captive_page(HOST, session(public=True), answer(511)) is not None


def test_a_name_that_only_ends_like_microsofts_is_a_stranger() -> None:
    found = captive_page(HOST, session(public=False), answer(302, location="https://evilmicrosoft.com/"))
    assert found is not None


async def test_a_page_is_seen_on_the_wire(net: Net) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: https://portal.contoso.example/\r\nContent-Length: 0\r\n\r\n"
    seen = await net.see(await net.https(replies(head)))
    assert seen.failure is not None
    assert seen.failure.kind == "captive-page"
    assert "portal.contoso.example" in seen.failure.says
    assert seen.http is not None
    assert seen.http.status == 302
