from pathlib import Path
from typing import Annotated

import typer

from arcferry.cli import bundle_build, options
from arcferry.cli.bundle_shared import (
    SealOptions,
    from_environment,
    open_secret_key,
    render,
    show_built,
    version_record,
)
from arcferry.cli.options import argument, grouped, option
from arcferry.cli.output import show
from arcferry.cli.talk import say
from arcferry.errors import BundleRefusedError

app = typer.Typer(
    no_args_is_help=True,
    help="Pack what a closed network needs, seal it, and check on the other side that nothing was changed.",
)
keys = typer.Typer(no_args_is_help=True, help="Keys that seal bundles, in minisign's format.")
app.command("build")(bundle_build.build)


@app.command("verify")
def verify(
    *,
    path: options.BundleArgument,
    bundle_key: options.BundleKeyOption,
    allow_older: options.AllowOlderOption = "",
    state: options.StateOption = None,
    output: options.CheckOutputOption = "table",
) -> None:
    """Check a bundle: its seal, its dates, and that every file is there, unchanged, and none was added.

    An older bundle than the newest that was opened here before is refused. Exit code 0 when all is right, 3
    when the bundle is refused; the message names the file. SHA-256 is the manifest's own: whoever built the
    bundle can read theirs to you over the phone.
    """
    from arcferry import bundle, times
    from arcferry.diagnosis import judge
    from arcferry.report import as_json, console
    from arcferry.report import bundle as report

    now = times.now()
    record = version_record(state)
    try:
        opened = bundle.open_bundle(path, bundle_key, now=now, record=record, allow_older=allow_older)
    except BundleRefusedError as error:
        case = report.refused_junit(path, error)
        refused = report.refused(path, error) | as_json.fields(judge([bundle.checked(path, now, error)]))
        show(
            output,
            table=lambda: None,  # people read the error itself
            document=lambda: refused,
            lines=lambda: as_json.lines(refused),
            junit=lambda: case,
        )
        raise
    view = report.BundleView(path, opened.manifest, opened.key_id, True, now, opened.older)
    document = report.document(view) | as_json.fields(judge([bundle.checked(path, now)]))
    show(
        output,
        table=lambda: report.draw(view, console.stdout(), every=False),
        document=lambda: document,
        lines=lambda: as_json.lines(document),
        junit=lambda: report.junit(view),
    )


@app.command("show")
def show_one(
    *,
    path: options.BundleArgument,
    bundle_key: options.OptionalBundleKeyOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Show what a bundle holds, until when, and which key sealed it.

    Without --bundle-key nothing is verified, and the output says so. Other than `verify`, this neither minds
    nor remembers which bundle is the newest.
    """
    from arcferry import bundle, times

    if bundle_key is None:
        claimed = bundle.claimed_key(path)
        render(output, path, bundle.read_unverified(path), claimed, verified=False)
        return
    opened = bundle.open_bundle(path, bundle_key, now=times.now())
    render(output, path, opened.manifest, opened.key_id)


@app.command("copy")
def copy(
    *,
    path: options.BundleArgument,
    out: Annotated[Path, argument("OUT", "The copy: a zip if its name ends in .zip, else a folder.")],
    bundle_key: options.BundleKeyOption,
    replace: options.ReplaceOption = False,
    output: options.OutputOption = "table",
) -> None:
    """Verify a bundle and write it as a zip or a folder, to a stick or a share; then read it back.

    The seal stays as it is, so this needs no secret key, and the same bundle gives the same zip.
    """
    from arcferry import bundle, times

    now = times.now()
    bundle.copy_bundle(bundle.open_bundle(path, bundle_key, now=now), out, replace=replace)
    copied = bundle.open_bundle(out, bundle_key, now=now)
    render(output, out, copied.manifest, copied.key_id)


@app.command("self")
@grouped
def pack_itself(
    *,
    sealing: SealOptions,
    platform: Annotated[
        list[str] | None,
        option(
            "--platform PLATFORM",
            "The jump host's: win_amd64 or linux_x86_64. May be repeated; without it both.",
        ),
    ] = None,
    python: Annotated[
        list[str] | None,
        option(
            "--python VERSION",
            "The jump host's CPython: 3.11, 3.12 or 3.13. May be repeated; without it as here.",
        ),
    ] = None,
    wheels: Annotated[
        Path | None,
        option(
            "--wheels DIR",
            "Take the wheels from this folder. Without it pip gets them, as pip is configured here.",
        ),
    ] = None,
    wheel: Annotated[
        Path | None,
        option(
            "--wheel FILE",
            "arcferry's own wheel, of this very version. Without it one is made of this arcferry.",
        ),
    ] = None,
    with_python: Annotated[
        list[Path] | None,
        option(
            "--with-python FILE",
            "Carry CPython for a Windows that has none: python.org's python-3.12.10-amd64.exe, whose "
            "signature is verified. May be repeated, for several versions.",
        ),
    ] = None,
    signing_root: Annotated[
        Path | None,
        option(
            "--signing-root FILE",
            "PEM: what a signature has to lead to in place of the real roots, as in the lab.",
        ),
    ] = None,
    output: options.OutputOption = "table",
) -> None:
    """Pack arcferry itself, for a jump host without internet, and seal it.

    The bundle is a zip if the name of --out ends in .zip, else a folder. It holds arcferry and every package
    it needs, each as one wheel with the hash it is locked to, and the scripts that install them there without
    an index: install.sh and install.ps1. Python is in it for Windows alone, with --with-python.
    """
    from arcferry.bundle import itself
    from arcferry.bundle.authenticode import PYTHON, Roots
    from arcferry.files import read_bounded
    from arcferry.report import console

    settings = sealing.settings()
    selection = itself.Selection(
        itself.targets(python or (), platform or ()),
        wheels,
        wheel,
        tuple(with_python or ()),
        Roots.from_pem(read_bounded(signing_root, limit=bundle_build.LARGEST_PEM))
        if signing_root
        else PYTHON,
    )
    secret = open_secret_key(sealing.secret_key, sealing.password_env)
    with console.stderr().status("") as status:
        manifest = itself.build_itself(sealing.out, selection, secret, say=status.update, **settings)
    show_built(sealing.out, manifest, secret.public(), output)
    there = f"minisign -V -p {sealing.secret_key.name}.pub -m manifest.json"
    say(f"hint: unpack it there, and before anything in it is run: {there}")
    say("hint: then INSTALL.txt tells the rest: sh install.sh, or install.ps1")


@keys.command("new")
def new(
    *,
    path: Annotated[Path, argument("FILE", "The secret key; FILE.pub is the public one.")],
    password: Annotated[bool, option("--password", "Ask for a password to protect it.")] = False,
    password_env: options.PasswordOption = None,
) -> None:
    """Make a pair of keys: a secret one that seals bundles, and the public one that checks them.

    Both are minisign's files, so stock minisign can use them. Give the public key to whoever receives your
    bundles, and let them compare its id with you over the phone.
    """
    from arcferry import bundle

    secret = from_environment(password_env) if password_env else ""
    if password and not password_env:
        secret = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    public = bundle.create_key_pair(path, password=secret)
    typer.echo(f"secret key  {path}\npublic key  {path}.pub\nkey id      {public.id}")
    if not secret:
        say("note: no password protects the secret key; only you can read the file")


@keys.command("endorse")
def endorse(
    *,
    new_key: Annotated[Path, argument("NEW.pub", "The public key that is to follow.")],
    secret_key: options.SecretKeyOption,
    password_env: options.PasswordOption = None,
) -> None:
    """Sign a new public key with the old secret one, so that receivers can take it without a phone call.

    Writes NEW.pub.minisig. Send it with NEW.pub; the receiver runs `arcferry bundle key accept`.
    """
    from arcferry import bundle

    path = bundle.endorse(new_key, open_secret_key(secret_key, password_env))
    typer.echo(str(path))
    say(f"hint: the receiver runs: arcferry bundle key accept {new_key} --into OLD.pub")


@keys.command("accept")
def accept(
    *,
    new_key: Annotated[Path, argument("NEW.pub", "The new public key; NEW.pub.minisig lies beside it.")],
    into: Annotated[Path, option("--into FILE", "Your key file, which holds the old public key.")],
) -> None:
    """Add a new public key to your key file, if a key in it signed the new one.

    Bundles of both keys then open with that file. Remove the old key's two lines from it once no bundle of
    the old key is in use. Exit code 3 when no key in it signed the new one.
    """
    from arcferry import bundle

    key, signer = bundle.accept(new_key, into)
    typer.echo(f"accepted    {key.id}\nsigned by   {signer.id}\nkey file    {into}")


app.add_typer(keys, name="key")
