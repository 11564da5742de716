"""The site file: what holds for every command at one site, so that nobody types it twice.

A key is an option's name without its dashes. An option stands above the environment, and that above the file.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import typer
from typer.core import TyperOption

from arcferry.cli.options import is_on_command_line
from arcferry.cli.talk import say
from arcferry.errors import FileInputError, UnknownNameError
from arcferry.files import read_bounded

NAME = "arcferry.toml"
_LIMIT = 256 * 1024
_PATHS = frozenset(
    (
        "secret-file", "certificate", "ca-file", "bundle-key", "known-hosts", "ssh-key",
        "winrm-password-file", "winrm-keytab", "winrm-certificate", "winrm-certificate-key", "winrm-ca",
        "kill-switch",
    )
)  # fmt: skip
_TEXTS = frozenset(
    (
        "cloud", "location", "tenant-id", "subscription-id", "resource-group", "client-id", "secret-env",
        "arm-url", "authority", "proxy", "resolver", "circuit", "user", "transport", "auth",
        "private-link-scope", "gateway-id", "winrm-user", "winrm-password-env", "winrm-keyring",
        "window",
    )
)  # fmt: skip
_LISTS = frozenset(("tags",))
_FLAGS = frozenset(("location-unlisted",))
_NUMBERS = frozenset(("host-port",))
_HOW_REACHED = frozenset(("transport", "auth"))
_OF_EVERY_COMMAND = frozenset(("lang",))
KEYS = _PATHS | _TEXTS | _LISTS | _FLAGS | _NUMBERS | _OF_EVERY_COMMAND
_SECRET = re.compile(r"secret|password|passwd|passphrase|token|private-?key|credential|pwd", re.IGNORECASE)
_VARIABLES = frozenset(("secret-env", "winrm-password-env"))
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ELSEWHERE = (
    "This file is shared, and kept for long. Put the secret into a file that you alone can read and name "
    "that with secret-file (WinRM's password: winrm-password-file), or into a variable and name that with "
    "secret-env (winrm-password-env)."
)
_QUOTES = 'A line is written: location = "eastasia". In a Windows path use / or single quotes.'
Setting = str | bool | list[str]
# A secret that is named nearer at hand stands above a certificate that the site file names, and the reverse.
_RIVALS = {"secret-file": ("certificate", "secret-env"), "certificate": ("secret-file", "secret-env")}


def init() -> None:
    """Write a commented arcferry.toml into this folder: the settings of your site, typed once.

    Commands find it here and in every folder beneath, or by --config. A file that is there stays as it is.
    """
    template = resources.files("arcferry.cli").joinpath("template.toml").read_text(encoding="utf-8")
    path = Path(NAME)
    try:
        # Made anew or not at all, also if another process makes it at the same moment.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise FileInputError(path.absolute(), "is there already, and stays as it is") from None
    except OSError as error:
        raise FileInputError(path.absolute(), error.strerror or "cannot be written") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(template)
    typer.echo(str(path.absolute()))
    say("hint: take the # away before what you fill in")


def use(context: typer.Context, given: Path | None) -> Path | None:
    """Let the site file say what neither the command line nor the environment says; give the file.

    Raises:
        FileInputError: the file cannot be used, or should not be.
    """
    options = {
        option.opts[0].removeprefix("--"): option
        for option in context.command.params
        if isinstance(option, TyperOption) and not option.hidden
    }
    path, settings = _settings_for(given, options)
    context.default_map = {
        name: _default(context, options, key, value)
        for key, value in settings.items()
        if key in options and (name := options[key].name)
    }
    return path


def _default(context: typer.Context, options: dict[str, TyperOption], key: str, value: Setting) -> object:
    if options[key].multiple:
        return value if isinstance(value, list) else [value]
    rivals = [options[rival] for rival in _RIVALS.get(key, ()) if rival in options]
    # Asked only when the value is needed: what is on the command line has been taken in by then.
    return (lambda: None if any(_is_given(context, one) for one in rivals) else value) if rivals else value


def _is_given(context: typer.Context, option: TyperOption) -> bool:
    return is_on_command_line(context, option.name or "") or option.value_from_envvar(context) is not None


def _settings_for(given: Path | None, options: Iterable[str]) -> tuple[Path | None, Mapping[str, Setting]]:
    """The site file and what it says; neither if there is none, or if no option of the command could take it.

    Args:
        given: the file that was named; without it the nearest `arcferry.toml` is looked for.
        options: the names of the command's options, without dashes.

    Raises:
        FileInputError: the file cannot be used, or should not be.
    """
    if given:
        return given.absolute(), read(given, read_bounded(given, limit=_LIMIT))
    if not (KEYS - _OF_EVERY_COMMAND).isdisjoint(options) and (path := _nearest()):
        return path, read(path, _own_content(path))
    return None, {}


def read(path: Path, content: bytes) -> Mapping[str, Setting]:
    """The settings of a file; paths in it are taken from the folder that it lies in.

    Raises:
        FileInputError: naming the line: no TOML, an unknown key, a secret, or a value of the wrong kind. No
            message shows a value.
    """
    import tomllib

    text = content.decode("utf-8", errors="replace")
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tomllib itself raises more than its own
        place = re.search(r"line (\d+)", str(error))
        what = "is not TOML" + (" here" if place else "")
        raise FileInputError(path, what, line=int(place[1]) if place else None, hint=_QUOTES) from None
    checked = {key: _checked(path, text, key, value) for key, value in found.items()}
    for key in _HOW_REACHED.intersection(checked):
        _check_how_reached(path, _line_of(text, key), key, str(checked[key]))
    return checked


def _checked(path: Path, text: str, key: str, value: object) -> Setting:
    line = _line_of(text, key)
    if key not in KEYS:
        if _SECRET.search(key):
            raise FileInputError(
                path, f"{key} is a secret, and has no place here", line=line, hint=_ELSEWHERE
            )
        unknown = UnknownNameError("key", key, KEYS)
        raise FileInputError(path, unknown.message, line=line, hint=unknown.hint)
    if key in _LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [str(one) for one in value]
    if key in _FLAGS and isinstance(value, bool):
        return value
    if key in _NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value or key in _FLAGS | _NUMBERS:
        kind = 'a list of texts such as ["site=taipei"]' if key in _LISTS else "text in quotes"
        kind = "true or false" if key in _FLAGS else "a number" if key in _NUMBERS else kind
        raise FileInputError(path, f"{key} is not {kind}", line=line)
    if key in _VARIABLES and not _VARIABLE.fullmatch(value):
        # Whoever puts the secret itself here must not read it back in a message.
        raise FileInputError(path, f"{key} is not the name of a variable", line=line, hint=_ELSEWHERE)
    if key == "proxy" and "@" in urlsplit(value).netloc:
        hint = "Set ARCFERRY_PROXY, which this file's other users do not see."
        raise FileInputError(path, "proxy holds a user or a password", line=line, hint=hint)
    if key in _PATHS:
        return str(path.absolute().parent / Path(value).expanduser())
    return value


def _check_how_reached(path: Path, line: int | None, key: str, value: str) -> None:
    from arcferry.fleet.inventory import HowReached  # for the few files that say so

    try:
        HowReached(transport=value if key == "transport" else "", auth=value if key == "auth" else "")
    except ValueError as error:
        raise FileInputError(path, str(error), line=line) from None


def _line_of(text: str, key: str) -> int | None:
    """Where a key stands; tomllib does not say."""
    stands = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if stands.match(line)), None)


def _nearest() -> Path | None:
    """The nearest file of that name, in this folder or above."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was removed meanwhile
        return None
    return next((path for one in (here, *here.parents) if (path := one / NAME).is_file()), None)


def _own_content(path: Path) -> bytes:
    """What a file says that nobody has named.

    Raises:
        FileInputError: others could have written it. It can name the addresses that a secret is sent to and
            the keys that are trusted, and whoever works in /tmp or on a share did not choose it.
    """
    named = f"If it is yours to trust, name it: --config {path}"
    try:
        with path.open("rb") as stream:
            # Of what is open, since the name can be given to another file at any moment.
            status, link = os.fstat(stream.fileno()), path.lstat()
            content = stream.read(_LIMIT + 1)
    except OSError as error:
        raise FileInputError(path, error.strerror or "cannot be read") from error
    if hasattr(os, "getuid"):  # Windows keeps rights in lists that `stat` does not tell
        # A link of another user's would choose from which folder the paths in my file are taken.
        if not {status.st_uid, link.st_uid} <= {os.getuid(), 0}:
            raise FileInputError(path, "belongs to another user, so it is not used", hint=named)
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            hint = f"chmod go-w {path}. {named}"
            raise FileInputError(path, "others can write it, so it is not used", hint=hint)
    if len(content) > _LIMIT:
        raise FileInputError(path, f"larger than the {_LIMIT:,} bytes that are read of such a file")
    return content
