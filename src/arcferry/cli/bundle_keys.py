from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Keys that seal bundles, in minisign's format.")


@app.command("new")
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
    from arcferry.cli.bundle_options import from_environment

    secret = from_environment(password_env) if password_env else ""
    if password and not password_env:
        secret = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    public = bundle.create_key_pair(path, password=secret)
    typer.echo(f"secret key  {path}\npublic key  {path}.pub\nkey id      {public.id}")
    if not secret:
        typer.echo("note: no password protects the secret key; only you can read the file", err=True)


@app.command("endorse")
def endorse(
    *,
    new_key: Annotated[Path, typer.Argument(metavar="NEW.pub", help="The public key that is to follow.")],
    old_key: Annotated[
        Path, typer.Option("--with", metavar="FILE", help="The secret key that sealed bundles until now.")
    ],
    password_env: Annotated[
        str | None,
        typer.Option("--password-env", metavar="NAME", help="The variable that holds its password."),
    ] = None,
) -> None:
    """Sign a new public key with the old secret one, so that receivers can take it without a phone call.

    Writes NEW.pub.minisig. Send it with NEW.pub; the receiver runs `arcferry bundle key accept`.
    """
    from arcferry import bundle
    from arcferry.cli.bundle_options import password_for

    path = bundle.endorse(new_key, bundle.load_secret_key(old_key, password_for(old_key, password_env)))
    typer.echo(str(path))
    typer.echo(f"hint: the receiver runs: arcferry bundle key accept {new_key} --into OLD.pub", err=True)


@app.command("accept")
def accept(
    *,
    new_key: Annotated[
        Path, typer.Argument(metavar="NEW.pub", help="The new public key; NEW.pub.minisig lies beside it.")
    ],
    into: Annotated[
        Path, typer.Option("--into", metavar="FILE", help="Your key file, which holds the old public key.")
    ],
) -> None:
    """Add a new public key to your key file, if a key in it signed the new one.

    Bundles of both keys then open with that file. Remove the old key's two lines from it once no bundle of
    the old key is in use. Exit code 3 when no key in it signed the new one.
    """
    from arcferry import bundle

    key, signer = bundle.accept(new_key, into)
    typer.echo(f"accepted    {key.id}\nsigned by   {signer.id}\nkey file    {into}")
