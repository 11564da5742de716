"""Options that several `arcferry bundle` commands have, and what is read for them."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.options import Output
from arcferry.errors import InputError
from arcferry.text import quoted

if TYPE_CHECKING:
    from arcferry.bundle import Manifest, PublicKey, VersionRecord
    from arcferry.bundle.authenticode import Roots
    from arcferry.report.bundle import BundleView

_LARGEST_PEM = 1024 * 1024

BundleArgument = Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle: a folder or a zip.")]
KeyOption = Annotated[
    Path,
    typer.Option(
        "--key",
        metavar="FILE",
        help="The public key of who built it; the file may hold several of theirs.",
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="ARCFERRY_STATE",
        metavar="DIR",
        help="Where the newest version of each builder is remembered. Without it the user's state folder.",
    ),
]
AllowOlderOption = Annotated[
    str,
    typer.Option(
        "--allow-older",
        metavar="REASON",
        help="Take it although a newer one was opened here before. The reason is shown and kept.",
    ),
]


OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="PATH",
        help="The bundle to make: a zip if its name ends in .zip, else a folder.",
    ),
]
SecretKeyOption = Annotated[Path, typer.Option("--key", metavar="FILE", help="The secret key that seals it.")]
VersionOption = Annotated[
    int | None,
    typer.Option(
        "--version",
        metavar="N",
        min=1,
        max=2**53 - 1,
        help="Must grow with each bundle. Without it, date and time.",
    ),
]
ExpiresOption = Annotated[
    int,
    typer.Option(
        "--expires-days", metavar="N", min=1, max=3650, help="Refused by everybody after so many days."
    ),
]
CreatedOption = Annotated[
    str | None,
    typer.Option(
        "--created",
        metavar="TIME",
        help="RFC 3339, such as 2026-11-23T08:00:00Z. The same inputs and time give the same bundle, "
        "byte for byte. Without it SOURCE_DATE_EPOCH, else now.",
    ),
]
PasswordOption = Annotated[
    str | None,
    typer.Option("--password-env", metavar="NAME", help="The variable that holds the key's password."),
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Take the place of the bundle that is at PATH.")
]


def version_record(state: Path | None, *, keeps: bool = True) -> "VersionRecord":
    """The record of the newest versions, in the folder named or the user's own."""
    from arcferry.bundle import VersionRecord
    from arcferry.folders import state_folder

    return VersionRecord(state or state_folder(), keeps)


def signing_roots(path: Path | None) -> "Roots":
    """What an MSI's signature has to lead to: Microsoft's roots, or the ones in a file.

    Raises:
        FileInputError: the file cannot be read.
        InputError: it holds no certificate.
    """
    from arcferry.bundle.authenticode import MICROSOFT, Roots
    from arcferry.files import read_bounded

    return Roots.from_pem(read_bounded(path, limit=_LARGEST_PEM)) if path else MICROSOFT


def creation_time(text: str | None) -> datetime | None:
    """The instant that was asked for, by option or by SOURCE_DATE_EPOCH (reproducible-builds.org).

    Raises:
        InputError: it is no time.
    """
    from arcferry import times

    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        if text:
            return times.from_text(text)
        return datetime.fromtimestamp(int(epoch), UTC) if epoch else None
    except (ValueError, OverflowError, OSError) as error:
        where = "--created" if text else "SOURCE_DATE_EPOCH"
        raise InputError(
            f"{where}: {quoted(text or epoch)} is no time", hint="2026-11-23T08:00:00Z"
        ) from error


def password_for(key: Path, variable: str | None) -> str:
    """The secret key's password, from the variable or asked for on a terminal; empty where it needs none.

    Raises:
        InputError: it needs one, and nobody can be asked.
    """
    from arcferry import bundle

    if variable:
        return from_environment(variable)
    if not bundle.is_encrypted(key):
        return ""
    if not sys.stdin.isatty():
        raise InputError(f"{key} is protected by a password", hint="Name its variable with --password-env.")
    return str(typer.prompt(f"Password of {key}", hide_input=True, err=True))


def from_environment(variable: str) -> str:
    """The variable's value.

    Raises:
        InputError: it is empty or not set.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise InputError(f"the environment variable {variable} is empty or not set")
    return value


def show_built(out: Path, manifest: "Manifest", public: "PublicKey", output: Output) -> None:
    """Read a new bundle back from where it lies, and show it.

    A failing stick shows here, and not in the closed network.

    Raises:
        BundleRefusedError: it is not what was written.
    """
    from arcferry import bundle, times
    from arcferry.report.bundle import BundleView

    bundle.open_bundle(out, public, now=manifest.created)
    render(BundleView(out, manifest, public.id, verified=True, now=times.now()), output)
    if manifest.expires <= times.now():
        typer.echo("warning: with this time of creation the bundle has expired already", err=True)


def render(view: "BundleView", output: Output) -> None:
    """Print a bundle as it was asked for."""
    from arcferry.report import bundle as report
    from arcferry.report import console

    if output is Output.TABLE and console.stdout_is_terminal():
        report.draw(view, console.stdout())
    elif output is Output.TABLE:
        typer.echo("\n".join(report.plain(view)))
    else:
        typer.echo(json.dumps(report.document(view), indent=2 if output is Output.JSON else None))
