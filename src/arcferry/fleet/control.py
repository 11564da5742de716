"""What an operator asks of a run from outside, to pause, go on or end; and the switch that holds every run.

The order is a file in the run's folder. Whoever gives one need not be the process that works.
"""

import getpass
import json
import socket
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

from arcferry.errors import FileInputError
from arcferry.files import read_bounded, write_whole
from arcferry.fleet.run_folder import RunFolder
from arcferry.text import from_json, one_line
from arcferry.times import from_text, now, to_text

SCHEMA = 1
_NAME = "order.json"
_LIMIT = 16 * 1024
_LONGEST = 200


class Wish(StrEnum):
    """What is asked of a run."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


_DONE = {Wish.PAUSE: "paused", Wish.RESUME: "resumed", Wish.CANCEL: "cancelled"}


@dataclass(frozen=True, slots=True)
class Order:
    """The last that was asked of a run.

    Attributes:
        by: who asked, and at which computer.
        reason: in their words, empty where they gave none.
    """

    wish: Wish
    by: str
    at: datetime
    reason: str = ""

    @classmethod
    def given(cls, wish: Wish, reason: str = "") -> Self:
        """An order of whoever runs this process."""
        return cls(wish, _who(), now(), one_line(reason, limit=_LONGEST))

    @property
    def says(self) -> str:
        """Who asked for what, when and why."""
        why = f": {self.reason}" if self.reason else ""
        return f"{_DONE[self.wish]} by {self.by} at {to_text(self.at)}{why}"

    def to_json(self) -> dict[str, str]:
        """Plain JSON."""
        return {"wish": self.wish.value, "by": self.by, "at": to_text(self.at), "reason": self.reason}


def give(run: RunFolder, order: Order) -> None:
    """Leave an order for a run; it stands in the place of the one before.

    Raises:
        FileInputError: the run's folder cannot be written.
    """
    document = {"schema": SCHEMA, "kind": "run-order", "run": run.id, **order.to_json()}
    write_whole(run.path / _NAME, json.dumps(document, ensure_ascii=False).encode(), mode=0o600)


def order_for(run: RunFolder) -> Order | None:
    """The last order that was given to a run; None where none ever was.

    Raises:
        FileInputError: there is one, and it cannot be read.
    """
    path = run.path / _NAME
    if not path.exists():
        return None
    try:
        document = from_json(read_bounded(path, limit=_LIMIT))
        by = one_line(str(document["by"]), limit=_LONGEST)
        reason = one_line(str(document["reason"]), limit=_LONGEST)
        return Order(Wish(document["wish"]), by, from_text(str(document["at"])), reason)
    except (KeyError, TypeError, ValueError, RecursionError):
        hint = "Give the order anew: arcferry onboard pause, resume or cancel."
        raise FileInputError(path, "is no order for a run", hint=hint) from None


@dataclass(frozen=True, slots=True)
class Controls:
    """What holds a run from outside.

    Attributes:
        kill_switch: while this file exists nothing is begun; None for no switch.
    """

    run: RunFolder
    kill_switch: Path | None = None

    def order(self) -> Order | None:
        """The last order that can be read; None where there is none."""
        try:
            return order_for(self.run)
        except FileInputError:
            return None

    def cancelled(self) -> Order | None:
        """The order by which the run is to end; None where there is none."""
        order = self.order()
        return order if order is not None and order.wish is Wish.CANCEL else None

    def held(self) -> str:
        """Why nothing may be begun now; empty where it may.

        What cannot be looked at holds the run: somebody may have laid it down to stop one.
        """
        if self.kill_switch is not None and (says := _switched(self.kill_switch)):
            return says
        try:
            order = order_for(self.run)
        except FileInputError as error:
            return f"paused: {error.message}"
        return order.says if order is not None and order.wish is Wish.PAUSE else ""


def _switched(path: Path) -> str:
    """Whether the kill switch is set, in words; empty where it is not."""
    try:
        path.stat()
    except FileNotFoundError:
        # A folder that is gone, as of a share that is not mounted, hides whether the file is there.
        return "" if path.parent.is_dir() else f"paused: the folder of the kill switch {path} cannot be seen"
    except OSError as error:
        return f"paused: the kill switch {path} cannot be looked at: {error.strerror or error}"
    return f"paused: the kill switch {path} is there"


def _who() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "an unknown user"
    return one_line(f"{user} on {socket.gethostname()}", limit=_LONGEST)
