"""Questions to Azure that several places have in common, each asked once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Once:
    """The answers of one preflight, by what was asked; a refusal is an answer too."""

    def __init__(self) -> None:
        self._asked: dict[str, asyncio.Task[Any]] = {}

    async def of(self, key: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `ask` gives, or gave somebody with the same key. Letter case does not count, as in ARM."""
        key = key.lower()
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(ask())
        found: T = await asyncio.shield(self._asked[key])
        return found
