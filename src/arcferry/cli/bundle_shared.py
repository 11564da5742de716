"""What several `arcferry bundle` commands read and print."""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcferry.cli import options
from arcferry.cli.output import Output, show
from arcferry.errors import InputError
from arcferry.text import quoted

if TYPE_CHECKING:
    from arcferry.bundle import Bundle, Manifest, PublicKey, SecretKey, VersionRecord


@dataclass(frozen=True, kw_only=True)
class SealOptions:
    """Where a new bundle goes, who seals it, and until when it is good."""

    out: options.OutOption
    secret_key: options.SecretKeyOption
    bundle_version: options.VersionOption = None
    expires_days: options.ExpiresOption = 90
    created: options.CreatedOption = None
    password_env: options.PasswordOption = None
    replace: options.ReplaceOption = False
    name: Annotated[
        str,
        options.option(
            "--name NAME",
            "What this bundle is for, such as debian12. Of bundles with one name an older one is refused "
            "after a newer; without a name, of those for the same servers.",
        ),
    ] = ""

    def instant(self) -> datetime:
        """When it is made: as asked, or SOURCE_DATE_EPOCH (reproducible-builds.org), or now.

        Raises:
            InputError: what was asked for is no time.
        """
        from arcferry import times

        epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
        try:
            if self.created:
                return times.from_text(self.created)
            return datetime.fromtimestamp(int(epoch), UTC) if epoch else times.now()
        except (ValueError, OverflowError, OSError) as error:
            where = "--created" if self.created else "SOURCE_DATE_EPOCH"
            raise InputError(
                f"{where}: {quoted(self.created or epoch)} is no time", hint="2026-11-23T08:00:00Z"
            ) from error

    def settings(self) -> dict[str, Any]:
        """What every function that builds a bundle takes."""
        return {
            "created": self.instant(),
            "version": self.bundle_version,
            "expires_after": timedelta(days=self.expires_days),
            "replace": self.replace,
            "name": self.name,
        }


def open_secret_key(path: Path, variable: str | None) -> "SecretKey":
    """A secret key, its password from the variable or asked for on a terminal.

    Raises:
        InputError: it needs a password, and nobody can be asked.
    """
    from arcferry import bundle

    if variable:
        password = from_environment(variable)
    elif not bundle.is_encrypted(path):
        password = ""
    elif sys.stdin.isatty():
        password = str(typer.prompt(f"Password of {path}", hide_input=True, err=True))
    else:
        raise InputError(f"{path} is protected by a password", hint="Name its variable with --password-env.")
    return bundle.load_secret_key(path, password)


def from_environment(variable: str) -> str:
    """The variable's value.

    Raises:
        InputError: it is empty or not set.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise InputError(f"the environment variable {variable} is empty or not set")
    return value


def version_record(state: Path | None, *, keeps: bool = True) -> "VersionRecord":
    """The record of the newest versions, in the folder named or the user's own."""
    from arcferry.bundle import VersionRecord
    from arcferry.files import state_folder

    return VersionRecord(state or state_folder(), keeps)


def open_bundle(
    path: Path, key: Path, state: Path | None, allow_older: str, *, keeps: bool = True
) -> "Bundle":
    """A bundle that is to be used, verified; one that is older, and allowed all the same, is told on stderr.

    Raises:
        BundleRefusedError: it is not what its seal says, or too old.
    """
    from arcferry import bundle, times

    record = version_record(state, keeps=keeps)
    opened = bundle.open_bundle(path, key, now=times.now(), record=record, allow_older=allow_older)
    if opened.older:
        typer.echo(f"warning: {opened.older}", err=True)
    return opened


def show_built(out: Path, manifest: "Manifest", public: "PublicKey", output: Output) -> None:
    """Read a new bundle back from where it lies, and show it: a failing stick shows here.

    Raises:
        BundleRefusedError: it is not what was written.
    """
    from arcferry import bundle, times

    bundle.open_bundle(out, public, now=manifest.created)
    render(output, out, manifest, public.id, every=False)
    if manifest.expires <= times.now():
        typer.echo("warning: with this time of creation the bundle has expired already", err=True)


def render(
    output: Output,
    path: Path,
    manifest: "Manifest",
    key_id: str,
    *,
    verified: bool = True,
    every: bool = True,
) -> None:
    """Print a bundle as it was asked for; in a table with `every` file or none."""
    from arcferry import times
    from arcferry.report import bundle as report
    from arcferry.report import console

    view = report.BundleView(path, manifest, key_id, verified, times.now())
    show(
        output,
        table=lambda: report.draw(view, console.stdout(), every=every),
        document=lambda: report.document(view),
        lines=lambda: (report.document(view),),
    )
