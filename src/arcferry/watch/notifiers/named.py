"""From the words of `--notify` to somebody who can be told."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arcferry.errors import InputError
from arcferry.files import read_bounded, read_secret
from arcferry.watch.notifiers.eventlog import eventlog
from arcferry.watch.notifiers.mail import Mailbox
from arcferry.watch.notifiers.message import Notifier
from arcferry.watch.notifiers.program import Program
from arcferry.watch.notifiers.syslog import syslog
from arcferry.watch.notifiers.textfile import Textfile
from arcferry.watch.notifiers.webhook import Webhook

FORMS = (
    "command:PATH, syslog, syslog:udp://HOST, eventlog, https://…, smtp://HOST, smtps://HOST, textfile:PATH, "
    "file:PATH"
)
_PASSWORD = re.compile(r"\w+://[^/?#]*:[^/?#]*@.*", re.DOTALL)

_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Besides:
    """What the words themselves need not say.

    Attributes:
        sender: of a mail, where its URL names none.
        recipients: as above.
        ca_file: a CA to trust beside the public roots.
    """

    sender: str = ""
    recipients: Sequence[str] = ()
    ca_file: Path | None = None


def notifier(what: str, besides: Besides) -> Notifier:
    """Whoever these words name; `file:PATH` reads them from a file that only its owner can read.

    Raises:
        InputError: the words name nobody, or hold a password that others could see.
        FileInputError: a file that they name cannot be used.
    """
    if _PASSWORD.fullmatch(what):
        scheme = what.partition(":")[0]
        raise InputError(
            f"--notify {scheme}: a password on the command line can be seen by others",
            hint="Write the URL into a file of mode 600, and give --notify file:PATH.",
        )
    if what.startswith("file:"):
        return _named(_read(Path(what.removeprefix("file:"))), besides)
    return _named(what, besides)


def _read(path: Path) -> str:
    # systemd lets a service's user read a credential by an access list, which looks like a group's right.
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and path.parent == Path(folder):
        return read_bounded(path, limit=_MOST).decode(errors="replace").strip()
    return read_secret(path, "a notifier")


def _named(what: str, besides: Besides) -> Notifier:
    if not what.isprintable():
        raise InputError("--notify holds what is no text", hint=f"Give one of: {FORMS}.")
    scheme, _, rest = what.partition(":")
    match scheme:
        case "command":
            return Program.at(rest)
        case "syslog":
            return syslog(rest)
        case "eventlog":
            return eventlog(rest)
        case "https":
            return Webhook.at(what, besides.ca_file)
        case "smtp" | "smtps":
            return Mailbox.at(what, besides.sender, besides.recipients, besides.ca_file)
        case "textfile":
            return Textfile.at(rest)
        case "http":
            hint = "Give https://…; a CA of your own by --ca-file."
            raise InputError("--notify http: what is sent without TLS anybody can read", hint=hint)
        case _:
            raise InputError("--notify names nobody that can be told", hint=f"Give one of: {FORMS}.")
