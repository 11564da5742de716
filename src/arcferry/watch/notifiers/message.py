"""What is told, and what everything that it is told to has in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from arcferry.watch.changes import Level


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell, in every form that a notifier may want.

    Attributes:
        subject: one line.
        text: all of it for a person, the letter included.
        document: the same for a program.
    """

    level: Level
    subject: str
    text: str
    document: Mapping[str, Any]


class Notifier(Protocol):
    """Somebody to tell.

    Attributes:
        name: how it is called where it fails, without any secret.
        wants_state: it is given how things stand after each round, and not what changed.
    """

    @property
    def name(self) -> str: ...  # noqa: D102  # the class says it

    @property
    def wants_state(self) -> bool: ...  # noqa: D102  # the class says it

    async def send(self, message: Message) -> None:
        """Tell it; cancelled where that takes too long.

        Raises:
            ArcferryError, OSError, ValueError: it was not taken.
        """
