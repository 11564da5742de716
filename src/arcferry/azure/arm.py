"""What Resource Manager says of a path, for kinds of which there is no client of Azure's here."""

import asyncio
from collections.abc import Mapping
from typing import Any

from azure.core.rest import AsyncHttpResponse, HttpRequest

from arcferry.azure.mapping import AGAIN, Permission, translated, unreadable
from arcferry.azure.session import AzureSession
from arcferry.errors import AzureUnavailableError
from arcferry.text import from_json, whole

MOST_PAGES = 200
_PATIENCE = 180
_RETRY_AFTER, _LONGEST_WAIT = 2, 30
_HTTP_ACCEPTED = 202

Document = Mapping[str, Any]


async def get(
    session: AzureSession, path: str, version: str, doing: str, needs: Permission | None = None
) -> Document:
    """The JSON object at a path.

    Raises:
        AzureError: Azure answered with something else.
    """
    return await _sent(session, "GET", _url(session, path, version), doing, needs)


async def post(
    session: AzureSession, path: str, version: str, doing: str, needs: Permission | None = None
) -> Document:
    """The JSON object that a POST without a body is answered with. It changes something.

    Raises:
        AzureError: Azure answered with something else.
    """
    return await _sent(session, "POST", _url(session, path, version), doing, needs)


async def ask(
    session: AzureSession, path: str, version: str, doing: str, needs: Permission | None = None
) -> Document:
    """The JSON object that Azure gives to a POST which only asks: at once, or later, where `Location` points.

    Raises:
        AzureError: Azure answered with something else, or not within three minutes.
    """
    request = HttpRequest("POST", _url(session, path, version))
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                response = await _response(session, request, doing, needs)
                if response.status_code != _HTTP_ACCEPTED:
                    return _document(response, doing)
                following = response.headers.get("Location") or request.url
                if request.method == "POST" and following == request.url:
                    raise unreadable(doing, "it has no Location to look at")
                request = HttpRequest("GET", following)
                await asyncio.sleep(_wait(response))
    except TimeoutError:
        raise AzureUnavailableError(f"{doing}: no answer within {_PATIENCE} seconds", hint=AGAIN) from None


def _wait(response: AsyncHttpResponse) -> int:
    told = whole(response.headers.get("Retry-After", ""), most=10**6)
    return _RETRY_AFTER if told is None else min(told, _LONGEST_WAIT)


async def get_list(
    session: AzureSession, path: str, version: str, doing: str, needs: Permission | None = None
) -> list[Document]:
    """Every object of the list at a path, over all its pages.

    Raises:
        AzureError: Azure answered with something else, or without end.
    """
    url, found = _url(session, path, version), list[Document]()
    for _ in range(MOST_PAGES):
        page = await _sent(session, "GET", url, doing, needs)
        items, following = page.get("value"), page.get("nextLink")
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise unreadable(doing, "it has no list in it")
        found += items
        if not following:
            return found
        if not isinstance(following, str):
            raise unreadable(doing)
        url = following
    raise AzureUnavailableError(f"{doing}: the list does not end")


def properties(document: Document) -> Document:
    """What stands under `properties`; empty where that is no object."""
    found = document.get("properties")
    return found if isinstance(found, Mapping) else {}


def _url(session: AzureSession, path: str, version: str) -> str:
    return f"{session.target.arm_url}{path}{'&' if '?' in path else '?'}api-version={version}"


async def _sent(
    session: AzureSession, method: str, url: str, doing: str, needs: Permission | None
) -> Document:
    return _document(await _response(session, HttpRequest(method, url), doing, needs), doing)


async def _response(
    session: AzureSession, request: HttpRequest, doing: str, needs: Permission | None
) -> AsyncHttpResponse:
    with translated(doing, needs):
        response = await session.resources.send_request(request)
        response.raise_for_status()
    return response


def _document(response: AsyncHttpResponse, doing: str) -> Document:
    with translated(doing):
        found = from_json(response.text()) if response.content else None
    if not isinstance(found, Mapping):
        raise unreadable(doing, "it is no JSON object")
    return found
