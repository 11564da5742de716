from pathlib import Path
from typing import Annotated

import typer

from arcferry.cli.bundle_options import (
    CreatedOption,
    ExpiresOption,
    OutOption,
    PasswordOption,
    ReplaceOption,
    SecretKeyOption,
    VersionOption,
    creation_time,
    password_for,
    show_built,
)
from arcferry.cli.options import Output, OutputOption


def pack(
    *,
    out: OutOption,
    key: SecretKeyOption,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform",
            metavar="PLATFORM",
            help="The jump host's: win_amd64 or linux_x86_64. May be repeated; without it both.",
        ),
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(
            "--python",
            metavar="VERSION",
            help="The jump host's CPython: 3.11, 3.12 or 3.13. May be repeated; without it as here.",
        ),
    ] = None,
    wheels: Annotated[
        Path | None,
        typer.Option(
            "--wheels",
            metavar="DIR",
            help="Take the wheels from this folder. Without it pip gets them, as pip is configured here.",
        ),
    ] = None,
    wheel: Annotated[
        Path | None,
        typer.Option(
            "--wheel",
            metavar="FILE",
            help="arcferry's own wheel, of this very version. Without it one is made of this arcferry.",
        ),
    ] = None,
    version: VersionOption = None,
    expires_days: ExpiresOption = 90,
    created: CreatedOption = None,
    password_env: PasswordOption = None,
    replace: ReplaceOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Pack arcferry itself, for a jump host without internet, and seal it.

    The bundle holds arcferry and every package it needs, each as one wheel with the hash it is locked to, and
    the scripts that install them there without an index: install.sh and install.ps1. Python is not in it.
    """
    from datetime import timedelta

    from arcferry import bundle, times
    from arcferry.bundle import itself
    from arcferry.report import console

    instant = creation_time(created) or times.now()
    selection = itself.Selection(itself.targets(python or (), platform or ()), wheels, wheel)
    secret = bundle.load_secret_key(key, password_for(key, password_env))
    with console.stderr().status("") as status:
        manifest = itself.build_itself(
            out,
            selection,
            secret,
            created=instant,
            version=version,
            expires_after=timedelta(days=expires_days),
            replace=replace,
            say=status.update,
        )
    show_built(out, manifest, secret.public(), output)
    there = f"minisign -V -p {key.name}.pub -m manifest.json"
    typer.echo(f"hint: unpack it there, and before anything in it is run: {there}", err=True)
    typer.echo("hint: then INSTALL.txt tells the rest: sh install.sh, or install.ps1", err=True)
