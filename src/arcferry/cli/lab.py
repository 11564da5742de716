from importlib import import_module
from importlib.util import find_spec

import typer

from arcferry import __version__
from arcferry.errors import BlockedError

_PACKAGE = "arcferry_lab"


def add_to(app: typer.Typer) -> None:
    """Add `arcferry lab` where arcferry-lab is installed; elsewhere, unlisted, what says how to have it.

    The twin is found by its name and not as an entry point: to look one up, Python reads the description of
    every installed package, which takes longer than the start of most commands.
    """
    if find_spec(_PACKAGE):
        app.add_typer(import_module(f"{_PACKAGE}.cli.app").app, name="lab")
    else:
        anything = {"allow_extra_args": True, "ignore_unknown_options": True}
        app.command("lab", hidden=True, add_help_option=False, context_settings=anything)(_not_installed)


def _not_installed(context: typer.Context) -> None:
    del context
    raise BlockedError(
        "the twin is a package of its own, arcferry-lab, which is not installed here",
        hint=f"pip install 'arcferry[lab]=={__version__}', or make venv in arcferry's checkout.",
    )
