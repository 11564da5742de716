from typing import Annotated

import typer
from typer.core import TyperGroup

from arcferry import __version__
from arcferry.cli import bundle, check, collect, data, explain, export, lab, onboard, routes, watch
from arcferry.text import without_reprs


class _Commands(TyperGroup):
    """Typer writes a wrong value in Python's notation, which doubles the backslashes of a path."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own Context is its parent
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = without_reprs(error.message)
            raise


app = typer.Typer(
    name="arcferry",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Bring servers that cannot reach the internet into Azure Arc, over ExpressRoute with "
    "Microsoft peering. Every command ends with 130 after Ctrl-C or SIGTERM.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"arcferry {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version
    data.adopt_held()


app.command("check")(check.check)
app.command("explain")(explain.explain)
app.add_typer(routes.app, name="routes")
app.add_typer(watch.app, name="watch")
app.add_typer(data.app, name="data")
app.add_typer(bundle.app, name="bundle")
app.add_typer(onboard.app, name="onboard")
app.command("export")(export.export)
app.command("collect")(collect.collect)
lab.add_to(app)
