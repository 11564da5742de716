"""The command line: one file a command; each reads its arguments, calls, and renders."""

import gc
import sys

from arcferry.cli import signals

_COLLECT_AFTER = 200_000
"""New objects. Loading makes many and drops few: at Python's 700 the search for garbage slows every start."""


def main() -> None:
    """Run the command line; every ArcferryError becomes one clear message and its exit code."""
    signals.listen()
    gc.set_threshold(_COLLECT_AFTER)
    try:
        _run()
    except signals.Stopped:
        print("error: stopped\nhint: Run the same command again.", file=sys.stderr)  # noqa: T201  # typer may lack
        sys.exit(signals.EXIT_CODE)
    except SystemExit:
        if signals.asked():
            sys.exit(signals.EXIT_CODE)
        raise
    finally:
        signals.end()
        gc.freeze()  # the process gives all back at once; a last search for garbage would hold up its end


def _run() -> None:
    import typer

    from arcferry.cli.app import app
    from arcferry.errors import ArcferryError

    _print_anything()
    try:
        app()
    except ArcferryError as error:
        from arcferry.cli.talk import in_window
        from arcferry.translation import labelled

        typer.secho(in_window(labelled("error", error.message)), fg=typer.colors.RED, err=True)
        if error.hint:
            typer.echo(in_window(labelled("hint", error.hint)), err=True)
        sys.exit(error.exit_code)


def _print_anything() -> None:
    """What hosts and files say may hold characters that this console lacks: they become question marks."""
    from io import TextIOWrapper

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
