"""Mail by SMTP, to a server whose certificate is verified."""

import asyncio
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from ipaddress import ip_address
from pathlib import Path

from yarl import URL

from arcferry.errors import InputError, NotifyError
from arcferry.https import tls_context
from arcferry.redaction import mask
from arcferry.text import one_line, quoted
from arcferry.watch.notifiers.message import Message

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f]+@[^\s@<>()\[\],;:\\\"\x00-\x20\x7f]+")
_SECONDS = 20
"""For one step of a session; what a message may take in all, whoever sends it says."""
_FORM = "Such as smtp://mail.example:587 with --mail-from and --mail-to."


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mail a message.

    Attributes:
        url: the server; with a user and a password where it wants them.
        required: TLS is: by `smtps` from the first byte, else by STARTTLS.
        context: by which its certificate is verified.
    """

    url: URL = field(repr=False)
    sender: str
    recipients: tuple[str, ...]
    required: bool
    context: ssl.SSLContext = field(repr=False, compare=False)
    wants_state: bool = False
    _at_work: list[threading.Thread] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def at(cls, text: str, sender: str, recipients: Sequence[str], ca_file: Path | None) -> "Mailbox":
        """The server of `smtp://` or `smtps://[USER[:PASSWORD]@]HOST[:PORT][?from=&to=&tls=required]`.

        To this machine itself a mail goes without TLS unless the URL requires it; to any other never.

        Raises:
            InputError: it is no URL, or from whom and to whom is not said.
            FileInputError: the CA file holds no certificate.
        """
        try:
            url = URL(text)
        except ValueError:
            url = URL()
        if url.scheme not in ("smtp", "smtps") or not url.host:
            raise InputError("--notify smtp: no URL of a mail server", hint=_FORM)
        said_to = [one.strip() for given in url.query.getall("to", []) for one in given.split(",")]
        frm, to = url.query.get("from", sender), tuple(said_to or recipients)
        for one in (frm, *(to or ("",))):
            if not _ADDRESS.fullmatch(one):
                which = f"{quoted(one)} is no address" if one else "from whom and to whom?"
                raise InputError(f"--notify {url.scheme}://{url.host}: {which}", hint=_FORM)
        required = url.query.get("tls") == "required" or not _is_loopback(url.host)
        return cls(url, frm, to, required, tls_context(ca_file))

    @property
    def name(self) -> str:
        """The server, without user or password."""
        port = f":{self.url.explicit_port}" if self.url.explicit_port else ""
        return f"mail {self.url.scheme}://{self.url.host}{port}"

    async def send(self, message: Message) -> None:
        """Hand the mail over. The session has a thread, which is left to itself where it takes too long.

        Raises:
            NotifyError: the server refused it, or the one before still hangs.
            OSError: no connection, or its certificate is not trusted.
        """
        if any(thread.is_alive() for thread in self._at_work):
            raise NotifyError("the session before has not ended yet")
        self._at_work.clear()
        mail = self._mail(message)
        await _in_thread(lambda: self._deliver(mail), self._at_work)

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = one_line(f"arcferry: {message.subject}", limit=200)
        mail["From"], mail["To"] = self.sender, ", ".join(self.recipients)
        mail["Date"] = formatdate(usegmt=True)
        mail["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail

    def _deliver(self, mail: EmailMessage) -> None:
        try:
            with self._session() as session:
                if self.url.user:
                    session.login(self.url.user, self.url.password or "")
                refused = session.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise NotifyError(_refuses(error.recipients)) from None
        except smtplib.SMTPResponseException as error:
            answer = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
            words = one_line(mask(one_line(answer)), limit=200)
            raise NotifyError(f"the server answered {error.smtp_code} {words}") from None
        except smtplib.SMTPNotSupportedError as error:
            raise NotifyError(
                f"the server does not offer what is needed: {one_line(str(error), limit=200)}"
            ) from None
        if refused:
            raise NotifyError(_refuses(refused), partly=True)

    def _session(self) -> smtplib.SMTP:
        host, port = self.url.host or "", self.url.explicit_port or 0
        # Without a name of our own smtplib would look one up, which may hang.
        own = socket.gethostname()
        if self.url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, own, timeout=_SECONDS, context=self.context)
        session = smtplib.SMTP(host, port, own, timeout=_SECONDS)
        try:
            if self.required:
                session.starttls(context=self.context)
        except BaseException:
            session.close()
            raise
        return session


def _refuses(recipients: Iterable[str]) -> str:
    return f"the server refuses {one_line(', '.join(recipients))}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _in_thread(work: Callable[[], None], at_work: list[threading.Thread]) -> None:
    """Wait for work in a thread of its own, which holds up neither a loop that ends nor the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # it is raised where it is waited for
            failed: Exception | None = error
        else:
            failed = None
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(finish, failed)

    thread = threading.Thread(target=run, name="arcferry-mail", daemon=True)
    at_work.append(thread)
    thread.start()
    await done
