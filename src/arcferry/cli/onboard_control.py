"""What an operator asks of a run from outside: pause, resume, cancel."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import options
from arcferry.cli.options import option
from arcferry.cli.run_choice import RunOption, chosen
from arcferry.cli.talk import say
from arcferry.language import translated

if TYPE_CHECKING:
    from arcferry.fleet.control import Wish
    from arcferry.fleet.run_folder import RunFolder

ReasonOption = Annotated[
    str,
    option(
        "--reason TEXT", "Why, for whoever looks at the run. It is kept, so no secret.", panel=options.RUN
    ),
]


def pause(*, run: RunOption = "", state: options.StateOption = None, reason: ReasonOption = "") -> None:
    """Hold a run: what is at work ends its step, and nothing else begins until it is resumed.

    Works from any terminal that sees the state folder, within a second. A later apply of the run waits too,
    and says who paused it and why.
    """
    from arcferry.fleet.control import Wish

    _give(state, run, Wish.PAUSE, reason)


def resume(*, run: RunOption = "", state: options.StateOption = None, reason: ReasonOption = "") -> None:
    """Let a run go on that was paused, or be applied again where it was cancelled."""
    from arcferry.fleet.control import Wish, order_for

    found = chosen(state, run)
    order = order_for(found)
    if order is None or order.wish is Wish.RESUME:
        typer.echo(translated(f"run {found.id} is neither paused nor cancelled; nothing was changed"))
        return
    _give(state, found.id, Wish.RESUME, reason)


def cancel(*, run: RunOption = "", state: options.StateOption = None, reason: ReasonOption = "") -> None:
    """End a run in order: what is being installed or connected ends first, and nothing else begins.

    The apply that works on it ends with exit code 130. What is done is kept. It is not applied again before
    it is resumed.
    """
    from arcferry.fleet.control import Wish

    _give(state, run, Wish.CANCEL, reason)


def _give(state: Path | None, name: str, wish: "Wish", reason: str) -> None:
    from arcferry.files import is_held
    from arcferry.fleet.control import Order, give
    from arcferry.fleet.following import LOCK

    run = chosen(state, name)
    order = Order.given(wish, reason)
    give(run, order)
    typer.echo(translated(f"run {run.id} {order.says}"))
    say(f"hint: {_what_now(run, wish, working=is_held(run.path, LOCK))}")


def _what_now(run: "RunFolder", wish: "Wish", *, working: bool) -> str:
    if wish == "pause":
        when = "what is at work ends its step" if working else "nothing works on it now; an apply will wait"
        return f"{when}; to let it go on: arcferry onboard resume --run {run.id}"
    if wish == "cancel":
        when = "what is being installed or connected ends first" if working else "nothing works on it now"
        return f"{when}; before it can be applied again: arcferry onboard resume --run {run.id}"
    return "it goes on within a second" if working else "nothing works on it now: apply it again"
