from pathlib import Path
from typing import Annotated

import typer

from arcferry.cli import bundle_build, bundle_keys, bundle_self
from arcferry.cli.bundle_options import (
    AllowOlderOption,
    BundleArgument,
    KeyOption,
    StateOption,
    render,
    version_record,
)
from arcferry.cli.options import Output, OutputOption

app = typer.Typer(
    no_args_is_help=True,
    help="Pack what a closed network needs, seal it, and check on the other side that nothing was changed.",
)
app.command("build")(bundle_build.build)


@app.command("verify")
def verify(
    *,
    path: BundleArgument,
    key: KeyOption,
    allow_older: AllowOlderOption = "",
    state: StateOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check a bundle: its seal, its dates, and that every file is there, unchanged, and none was added.

    An older bundle than the newest that was opened here before is refused. Exit code 0 when all is right, 3
    when the bundle is refused; the message names the file. SHA-256 is the manifest's own: whoever built the
    bundle can read theirs to you over the phone.
    """
    from arcferry import bundle, times
    from arcferry.report.bundle import BundleView

    now = times.now()
    record = version_record(state)
    opened = bundle.open_bundle(path, key, now=now, record=record, allow_older=allow_older)
    view = BundleView(path, opened.manifest, opened.key_id, verified=True, now=now, older=opened.older)
    render(view, output)


@app.command("show")
def show(
    *,
    path: BundleArgument,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Verify with this public key first."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what a bundle holds, until when, and which key sealed it.

    Without --key nothing is verified, and the output says so. Other than `verify`, this neither minds nor
    remembers which bundle is the newest.
    """
    from arcferry import bundle, times
    from arcferry.report.bundle import BundleView

    now = times.now()
    if key is not None:
        opened = bundle.open_bundle(path, key, now=now)
        view = BundleView(path, opened.manifest, opened.key_id, verified=True, now=now)
    else:
        claimed = bundle.claimed_key(path)
        view = BundleView(path, bundle.read_unverified(path), claimed, verified=False, now=now)
    render(view, output)


@app.command("copy")
def copy(
    *,
    path: BundleArgument,
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="The copy: a zip if its name ends in .zip, else a folder."),
    ],
    key: KeyOption,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of the bundle that is in OUT.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Verify a bundle and write it as a zip or a folder, to a stick or a share; then read it back.

    The seal stays as it is, so this needs no secret key, and the same bundle gives the same zip.
    """
    from arcferry import bundle, times
    from arcferry.report.bundle import BundleView

    now = times.now()
    bundle.copy_bundle(bundle.open_bundle(path, key, now=now), out, replace=replace)
    copied = bundle.open_bundle(out, key, now=now)
    render(BundleView(out, copied.manifest, copied.key_id, verified=True, now=now), output)


app.command("self")(bundle_self.pack)
app.add_typer(bundle_keys.app, name="key")
