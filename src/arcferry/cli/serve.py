"""The live page: runs and watches in a browser, as they go on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import options
from arcferry.cli.options import argument, option
from arcferry.cli.talk import in_window
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.serve.retrying import Command
    from arcferry.serve.server import Listening, Tls
    from arcferry.serve.sessions import Sessions

_LEAST = 20


def serve(
    retry: Annotated[
        list[str] | None,
        argument(
            "[-- INVENTORY OPTIONS]",
            "Besides --allow-actions: what the run was begun with, the inventory and the options of onboard "
            "apply. Whoever signs in may then have failed servers of that run tried again.",
        ),
    ] = None,
    *,
    listen: Annotated[
        str, option("--listen ADDRESS", "Where to listen. Other addresses than this machine's own need TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, option("--listen-port N", "0 for any that is free.", min=0, max=65535)] = 8710,
    tls_cert: Annotated[
        Path | None,
        option("--tls-cert FILE", "The server's certificate and those above it, as PEM."),
    ] = None,
    tls_key: Annotated[Path | None, option("--tls-key FILE", "Its key, as PEM without a password.")] = None,
    token_file: Annotated[
        Path | None,
        option(
            "--page-token FILE",
            "The token to sign in with: one line of at least 20 characters, in a file that only its owner "
            "can read. Without it one is made, and told once on the terminal.",
        ),
    ] = None,
    allow_actions: Annotated[
        bool,
        option(
            "--allow-actions",
            "Let whoever signs in pause, resume and cancel runs, and try again what failed in the run whose "
            "inventory and options stand after --.",
        ),
    ] = False,
    state: options.StateOption = None,
) -> None:
    """Show runs and watches in a browser, live: who is at which step, what failed and why, who can change it.

    Reads the state folder, also while other processes work on its runs, and fetches nothing. It only shows,
    unless --allow-actions.

    With the inventory, the bundle and the sign-in of a run after --, the page also tries again what failed in
    it. They are checked when the page begins: arcferry serve --allow-actions -- servers.csv --bundle b.zip

    Listens on this machine alone. The terminal tells an address that signs in once, and the token for later.

    Serves until Ctrl-C, which ends it with exit code 130.
    """
    from arcferry.cli import stopping
    from arcferry.files import state_folder
    from arcferry.serve.server import listening
    from arcferry.serve.server import serve as served
    from arcferry.serve.sessions import Sessions

    folder = state or state_folder()
    command = _retry(retry or [], folder, allowed=allow_actions)
    token = _token(token_file)
    sessions = Sessions(token)
    with listening(listen, port, _tls(tls_cert, tls_key)) as where:
        stopping.run(
            served(
                where,
                folder,
                sessions,
                allow_actions=allow_actions,
                retry=command,
                ready=lambda: _tell(where, sessions, "" if token_file else token),
            ),
            says="no longer served",
        )


def _retry(given: list[str], state: Path, *, allowed: bool) -> "Command | None":
    """The command that takes up failed servers; None where nothing was given for it.

    Raises:
        ArcferryError: what was given is not allowed, or would begin no run.
    """
    if not given:
        return None
    if not allowed:
        raise InputError(
            "a page that only shows tries no server again",
            hint="Add --allow-actions, or leave out the inventory and what stands beside it.",
        )
    from arcferry.cli.serve_retry import command_of

    return command_of(given, state)


def _tls(certificate: Path | None, key: Path | None) -> "Tls | None":
    from arcferry.serve.server import Tls

    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise InputError("a certificate and its key belong together", hint="Give --tls-cert and --tls-key.")
    return Tls(certificate, key)


def _token(file: Path | None) -> str:
    """The token of a file, or one that is made for a terminal to show.

    Raises:
        InputError: it is too short, or there is no terminal that could show one.
    """
    import secrets
    import sys

    from arcferry.errors import FileInputError
    from arcferry.files import read_secret

    if file is not None:
        token = read_secret(file, "a token")
        if len(token) < _LEAST:
            hint = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))' makes one."
            raise FileInputError(file, f"a token of fewer than {_LEAST} characters can be guessed", hint=hint)
        return token
    if not sys.stderr.isatty():
        raise InputError(
            "there is no terminal that could show the token, and a log is no place for it",
            hint="Give --page-token.",
        )
    return secrets.token_urlsafe(32)


def _tell(where: "Listening", sessions: "Sessions", token: str) -> None:
    """Where to look; on a terminal also how to sign in, which is told this once."""
    if not token:
        typer.echo(in_window(f"Serving on {where.url}"), err=True)
        return
    typer.echo(f"Open this once, within ten minutes: {where.url}sign-in?link={sessions.link()}", err=True)
    typer.echo(f"Token for {where.url} later: {token}", err=True)
