"""Paths to handlers. ARM's paths ignore letter case, which aiohttp's own router cannot do."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aiohttp import web

from arcferry_lab.azure.state import Application, AzureState


@dataclass(frozen=True, slots=True)
class ArmRequest:
    """One request as a handler gets it.

    Attributes:
        names: what stands in the path for the template's placeholders.
        body: the JSON object of the body, empty where there is none.
        client: who asks, where the service authenticates.
    """

    state: AzureState
    request: web.Request
    names: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)
    client: Application | None = None

    def parameter(self, name: str, default: str = "") -> str:
        """A query parameter, by its name in any letter case."""
        for key, value in self.request.query.items():
            if key.lower() == name.lower():
                return value
        return default


@cache
def _pattern(template: str) -> re.Pattern[str]:
    text = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
    return re.compile(text + "/?", re.IGNORECASE)


Handler = Callable[[ArmRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path template to a handler.

    Attributes:
        template: such as `/subscriptions/{subscription}/resourceGroups/{group}`; a placeholder takes
            one segment.
        action: the permission it takes, empty for none; a placeholder of the template may stand in it.
    """

    method: str
    template: str
    handler: Handler
    action: str = ""

    def match(self, path: str) -> dict[str, str] | None:
        """What stands for the placeholders, or None where the path is another."""
        found = _pattern(self.template).fullmatch(path)
        return found.groupdict() if found else None


def find(routes: Iterable[Operation], method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The route for a request and its names, or None; HEAD is answered by the route for GET."""
    wanted = "GET" if method == "HEAD" else method
    for route in routes:
        if route.method in {method, wanted}:
            names = route.match(path)
            if names is not None:
                return route, names
    return None
