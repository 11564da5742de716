"""What may be asked of a run as it stands, and the command for what no page can do. No I/O in here."""

from collections.abc import Iterator

from arcferry.command_line import line, word
from arcferry.fleet.control import Wish
from arcferry.fleet.following import RunState
from arcferry.report.page.words import Words
from arcferry.serve.listing import RunView


def possible(view: RunView) -> tuple[Wish, ...]:
    """What would change anything now."""
    wish = Wish(view.order["wish"]) if view.order else Wish.RESUME
    if wish is Wish.CANCEL:
        return (Wish.RESUME,)
    if view.state is RunState.ENDED:
        return (Wish.RESUME,) if wish is Wish.PAUSE else ()
    return (Wish.RESUME if wish is Wish.PAUSE else Wish.PAUSE, Wish.CANCEL)


def may_retry(view: RunView) -> bool:
    """Whether failed hosts could be taken up now: nothing works on the run, and no order holds it."""
    is_held = view.order is not None and Wish(view.order["wish"]) is not Wish.RESUME
    return not view.at_work and not is_held


def retries(view: RunView, cause: str, words: Words) -> Iterator[tuple[str, str]]:
    """The commands that take failed hosts up again: those of one cause if the run has it, else all."""
    run = word(view.id, "RUN")
    for slug in view.of_cause:
        if cause in ("", slug):
            command = line(
                "arcferry onboard retry INVENTORY --failed --cause {cause} --run {run} --bundle BUNDLE",
                cause=word(slug, "CAUSE"),
                run=run,
            )
            yield words("retry.of_cause", cause=slug), command
    if cause not in view.of_cause:
        command = line("arcferry onboard retry INVENTORY --failed --run {run} --bundle BUNDLE", run=run)
        yield words("retry.every"), command
