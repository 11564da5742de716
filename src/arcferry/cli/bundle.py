import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.options import Output, OutputOption
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.report.bundle import BundleView

app = typer.Typer(
    no_args_is_help=True,
    help="Pack what a closed network needs, seal it, and check on the other side that nothing was changed.",
)
_keys = typer.Typer(no_args_is_help=True, help="Keys that seal bundles, in minisign's format.")
app.add_typer(_keys, name="key")

_Folder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's folder.")]


@app.command("build")
def build(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The bundle to make.")],
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
        bool, typer.Option("--replace", help="Take the place of the bundle that is in FOLDER.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Pack agent packages, host scripts and dated data into a folder, and seal it.

    Every package is recognised by its content; what is no agent package, or is cut short, is refused. The
    folder appears whole or not at all. The receiver needs your public key too, by another way than the
    bundle's.
    """
    from datetime import timedelta

    from arcferry import bundle, times
    from arcferry.report.bundle import BundleView

    instant = _created(created) or times.now()
    secret = bundle.load_secret_key(key, _password_for(key, password_env))
    manifest = bundle.build(
        out,
        bundle.Contents(tuple(agent), service_tags, communities),
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
    folder: _Folder,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="The public key of who built it.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Check a bundle: its seal, its dates, and that every file is there, unchanged, and none was added.

    Exit code 0 when all is right, 3 when the bundle is refused; the message names the file.
    """
    from arcferry import bundle, times
    from arcferry.report.bundle import BundleView

    public, now = bundle.load_public_key(key), times.now()
    opened = bundle.open_bundle(folder, public, now=now)
    _render(BundleView(folder, opened.manifest, public.id, verified=True, now=now), output)


@app.command("show")
def show(
    *,
    folder: _Folder,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Verify with this public key first."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what a bundle holds, until when, and which key sealed it.

    Without --key nothing is verified, and the output says so.
    """
    from arcferry import bundle, times
    from arcferry.report.bundle import BundleView

    if key is not None:
        verify(folder=folder, key=key, output=output)
        return
    manifest = bundle.read_unverified(folder)
    claimed = bundle.claimed_key(folder)
    _render(BundleView(folder, manifest, claimed, verified=False, now=times.now()), output)


@_keys.command("new")
def new(
    *,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The secret key; FILE.pub is the public one.")],
    password: Annotated[bool, typer.Option("--password", help="Ask for a password to protect it.")] = False,
    password_env: Annotated[
        str | None,
        typer.Option("--password-env", metavar="NAME", help="Protect it with the password in this variable."),
    ] = None,
) -> None:
    """Make a pair of keys: a secret one that seals bundles, and the public one that checks them.

    Both are minisign's files, so stock minisign can use them. Give the public key to whoever receives your
    bundles, and let them compare its id with you over the phone.
    """
    from arcferry import bundle

    secret = _from_environment(password_env) if password_env else ""
    if password and not password_env:
        secret = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    public = bundle.create_key_pair(path, password=secret)
    typer.echo(f"secret key  {path}\npublic key  {path}.pub\nkey id      {public.id}")
    if not secret:
        typer.echo("note: no password protects the secret key; only you can read the file", err=True)


def _render(view: "BundleView", output: Output) -> None:
    from arcferry.report import bundle as report
    from arcferry.report import console

    if output is Output.TABLE and console.stdout_is_terminal():
        report.draw(view, console.stdout())
    elif output is Output.TABLE:
        typer.echo("\n".join(report.plain(view)))
    else:
        typer.echo(json.dumps(report.document(view), indent=2 if output is Output.JSON else None))


def _created(text: str | None) -> datetime | None:
    """The instant that was asked for, by option or by SOURCE_DATE_EPOCH (reproducible-builds.org)."""
    from arcferry import times

    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        if text:
            return times.from_text(text)
        return datetime.fromtimestamp(int(epoch), UTC) if epoch else None
    except (ValueError, OverflowError, OSError) as error:
        where = "--created" if text else "SOURCE_DATE_EPOCH"
        raise InputError(f"{where}: {text or epoch!r} is no time", hint="2026-11-23T08:00:00Z") from error


def _password_for(key: Path, variable: str | None) -> str:
    from arcferry import bundle

    if variable:
        return _from_environment(variable)
    if not bundle.is_encrypted(key):
        return ""
    if not sys.stdin.isatty():
        raise InputError(f"{key} is protected by a password", hint="Name its variable with --password-env.")
    return str(typer.prompt(f"Password of {key}", hide_input=True, err=True))


def _from_environment(variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise InputError(f"the environment variable {variable} is empty or not set")
    return value
