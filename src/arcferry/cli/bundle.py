import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import bundle_keys
from arcferry.cli.bundle_options import (
    AllowOlderOption,
    BundleArgument,
    KeyOption,
    StateOption,
    checked_location,
    creation_time,
    given,
    password_for,
    signing_roots,
    version_record,
)
from arcferry.cli.options import CloudOption, Output, OutputOption

if TYPE_CHECKING:
    from arcferry.report.bundle import BundleView

app = typer.Typer(
    no_args_is_help=True,
    help="Pack what a closed network needs, seal it, and check on the other side that nothing was changed.",
)
app.add_typer(bundle_keys.app, name="key")


@app.command("build")
def build(
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="PATH",
            help="The bundle to make: a zip if its name ends in .zip, else a folder.",
        ),
    ],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="The secret key that seals it.")],
    agent: Annotated[
        list[Path],
        typer.Option(
            "--agent",
            metavar="FILE",
            help="An agent package: MSI, deb or rpm. Once for each kind of server you have.",
        ),
    ],
    service_tags: Annotated[
        Path | None,
        typer.Option("--service-tags", metavar="FILE", help="Azure's service-tag file for your cloud."),
    ] = None,
    communities: Annotated[
        Path | None,
        typer.Option("--communities", metavar="FILE", help="A list of BGP service communities, JSON."),
    ] = None,
    route_filter: Annotated[
        Path | None,
        typer.Option("--route-filter", metavar="FILE", help="The circuit's route filter, JSON."),
    ] = None,
    location: Annotated[
        str,
        typer.Option(
            "--location",
            metavar="REGION",
            help="The Azure region, such as eastasia, for the commands in the bundle's guide.",
        ),
    ] = "",
    cloud: CloudOption = "AzureCloud",
    signing_root: Annotated[
        Path | None,
        typer.Option(
            "--signing-root",
            metavar="FILE",
            help="PEM: what an MSI's signature has to lead to in place of Microsoft's roots, as in the lab.",
        ),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(
            "--version",
            metavar="N",
            min=1,
            max=2**53 - 1,
            help="Must grow with each bundle. Without it, date and time.",
        ),
    ] = None,
    expires_days: Annotated[
        int,
        typer.Option(
            "--expires-days", metavar="N", min=1, max=3650, help="Refused by everybody after so many days."
        ),
    ] = 90,
    created: Annotated[
        str | None,
        typer.Option(
            "--created",
            metavar="TIME",
            help="RFC 3339, such as 2026-11-23T08:00:00Z. The same inputs and time give the same bundle, "
            "byte for byte. Without it SOURCE_DATE_EPOCH, else now.",
        ),
    ] = None,
    password_env: Annotated[
        str | None,
        typer.Option("--password-env", metavar="NAME", help="The variable that holds the key's password."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of the bundle that is at PATH.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Pack agent packages, host scripts and dated data into a folder or a zip, and seal it.

    Every package is recognised by its content; what is no agent package, or is cut short, is refused. The
    bundle appears whole or not at all. The receiver needs your public key too, by another way than the
    bundle's.
    """
    from datetime import timedelta

    from arcferry import bundle, times
    from arcferry.report.bundle import BundleView

    instant = creation_time(created) or times.now()
    secret = bundle.load_secret_key(key, password_for(key, password_env))
    documents = given(
        {
            bundle.Role.SERVICE_TAGS: service_tags,
            bundle.Role.COMMUNITIES: communities,
            bundle.Role.ROUTE_FILTER: route_filter,
        }
    )
    manifest = bundle.build(
        out,
        bundle.Contents(
            tuple(agent),
            documents,
            signing_roots=signing_roots(signing_root),
            location=checked_location(location, cloud),
            cloud=cloud,
        ),
        secret,
        created=instant,
        version=version,
        expires_after=timedelta(days=expires_days),
        replace=replace,
    )
    # Read back from where it lies: a failing stick shows here and not in the closed network.
    public = secret.public()
    bundle.open_bundle(out, public, now=manifest.created)
    _render(BundleView(out, manifest, public.id, verified=True, now=times.now()), output)
    if manifest.expires <= times.now():
        typer.echo("warning: with this time of creation the bundle has expired already", err=True)
    typer.echo(f"hint: arcferry bundle verify {out} --key {key}.pub", err=True)


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
    _render(view, output)


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
    _render(view, output)


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
    _render(BundleView(out, copied.manifest, copied.key_id, verified=True, now=now), output)


def _render(view: "BundleView", output: Output) -> None:
    from arcferry.report import bundle as report
    from arcferry.report import console

    if output is Output.TABLE and console.stdout_is_terminal():
        report.draw(view, console.stdout())
    elif output is Output.TABLE:
        typer.echo("\n".join(report.plain(view)))
    else:
        typer.echo(json.dumps(report.document(view), indent=2 if output is Output.JSON else None))
