"""ARM lists: one page at a time, with an absolute link to the next."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.routes import ArmRequest


def page(
    asked: ArmRequest,
    items: Sequence[object],
    *,
    key: str = "value",
    around: Mapping[str, object] | None = None,
) -> web.Response:
    """The page that `$skiptoken` names, with `nextLink` where more follow; `$top` makes pages smaller.

    Args:
        asked: the request.
        items: the whole list.
        key: what the list is called in the answer.
        around: what stands beside it on each page.
    """
    start = _number(asked, "$skiptoken", 0)
    size = min(asked.state.page, max(_number(asked, "$top", asked.state.page), 1))
    body: dict[str, object] = {**(around or {}), key: list(items[start : start + size])}
    if start + size < len(items):
        url = asked.request.url.update_query({"$skiptoken": str(start + size)})
        body["nextLink"] = str(url.with_scheme("https"))
    return web.json_response(body)


def _number(asked: ArmRequest, name: str, default: int) -> int:
    text = asked.parameter(name) or str(default)
    if not text.isdecimal():
        raise ArmError(400, "InvalidQueryParameterValue", f"'{text}' is no value for {name}.")
    return int(text)
