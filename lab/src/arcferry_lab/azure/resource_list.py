"""`/resources`: everything in a subscription or a group, through `$filter`."""

import re
from collections.abc import Callable

from aiohttp import web

from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.groups import group_named
from arcferry_lab.azure.inventory import full_name, group_of, resources
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.routes import ArmRequest, Operation

Test = Callable[[Document], bool]
_FIELDS: dict[str, Callable[[Document], str]] = {
    "resourcetype": lambda one: str(one["type"]),
    "location": lambda one: str(one.get("location", "")),
    "name": full_name,
    "resourcegroup": group_of,
}
_TAG = re.compile(r"tagName eq '([^']*)'(?: and tagValue eq '([^']*)')?", re.IGNORECASE)
_IN_NAME = re.compile(r"substringof\('([^']*)',\s*name\)", re.IGNORECASE)
_COMPARED = re.compile(r"(\w+) (eq|ne) '([^']*)'", re.IGNORECASE)
_JOIN = re.compile(r" (and|or) ", re.IGNORECASE)


async def _list(asked: ArmRequest) -> web.Response:
    passes = _filter(asked.parameter("$filter"))
    found = [one for one in resources(asked.state) if passes(one)]
    if "group" in asked.names:
        group = group_named(asked.state, asked.names["group"]).name.lower()
        found = [one for one in found if group_of(one).lower() == group]
    return page(asked, [_summary(asked, one) for one in found])


def _summary(asked: ArmRequest, document: Document) -> Document:
    """A resource without its properties, as such a list shows it; `$expand` brings its state."""
    kept = ("id", "type", "location", "tags", "sku", "kind", "identity")
    shown = {"name": full_name(document)} | {key: document[key] for key in kept if key in document}
    if "provisioningstate" in asked.parameter("$expand").lower():
        shown["provisioningState"] = document["properties"].get("provisioningState", "Succeeded")
    return shown


def _filter(text: str) -> Test:
    """What `$filter` lets through: `eq` and `ne` joined by one word, a tag, or a part of the name.

    Raises:
        ArmError: 400, it is another form.
    """
    if not text.strip():
        return lambda _: True
    if tag := _TAG.fullmatch(text.strip()):
        return _tagged(tag[1], tag[2])
    words = _JOIN.split(text.strip())
    joins = {word.lower() for word in words[1::2]}
    tests = [_comparison(part.strip(), text) for part in words[::2]]
    if joins == {"or"}:
        return lambda document: any(test(document) for test in tests)
    if "or" in joins:
        raise _invalid(text)
    return lambda document: all(test(document) for test in tests)


def _tagged(name: str, value: str | None) -> Test:
    def test(document: Document) -> bool:
        tags = {str(key).lower(): one for key, one in (document.get("tags") or {}).items()}
        return name.lower() in tags and value in {None, tags[name.lower()]}

    return test


def _comparison(part: str, whole: str) -> Test:
    if found := _IN_NAME.fullmatch(part):
        wanted = found[1].lower()
        return lambda document: wanted in full_name(document).lower()
    compared = _COMPARED.fullmatch(part)
    if compared is None or compared[1].lower() not in _FIELDS:
        raise _invalid(whole)
    field, equal, value = _FIELDS[compared[1].lower()], compared[2].lower() == "eq", compared[3].lower()
    return lambda document: (field(document).lower() == value) is equal


def _invalid(text: str) -> ArmError:
    return ArmError(
        400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string."
    )


_SUBSCRIPTION = "/subscriptions/{subscription}"
_READ = "Microsoft.Resources/subscriptions/resources/read"
ROUTES = (
    Operation("GET", f"{_SUBSCRIPTION}/resources", _list, _READ),
    Operation(
        "GET",
        f"{_SUBSCRIPTION}/resourceGroups/{{group}}/resources",
        _list,
        "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
    ),
)
