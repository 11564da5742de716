"""Options that several `arcferry bundle` commands have, and what is read for them."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.bundle import VersionRecord

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


def version_record(state: Path | None) -> "VersionRecord":
    """The record of the newest versions, in the folder named or the user's own."""
    import platformdirs

    from arcferry.bundle import VersionRecord

    return VersionRecord(state or Path(platformdirs.user_state_dir("arcferry")))


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
        raise InputError(f"{where}: {text or epoch!r} is no time", hint="2026-11-23T08:00:00Z") from error


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
