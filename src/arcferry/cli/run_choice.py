"""Which of the remembered runs a command is about."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from arcferry.cli import options
from arcferry.cli.options import option
from arcferry.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from arcferry.fleet.run_folder import RunFolder

RunOption = Annotated[
    str,
    option(
        "--run ID", "The run, as arcferry onboard status names it. Without it the newest.", panel=options.RUN
    ),
]


def chosen(state: Path | None, name: str) -> "RunFolder":
    """The run of that name, or the newest.

    Raises:
        InputError: no run is remembered; among it UnknownNameError: none of that name.
    """
    from arcferry.files import state_folder
    from arcferry.fleet.run_folder import runs

    folder = state or state_folder()
    found = {run.id: run for run, _ in runs(folder)}
    if not found:
        raise InputError(
            f"no run is remembered in {folder}",
            hint="Begin one with arcferry onboard apply, or name its folder with --state.",
        )
    if name and name not in found:
        raise UnknownNameError("run", name, found)
    return found[name] if name else next(iter(found.values()))
