"""A web server that takes JSON."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from yarl import URL

from arcferry.errors import InputError
from arcferry.https import Advice, HttpsClient, connection_pool, tls_context
from arcferry.watch.notifiers.message import Message

_ADVICE = Advice(not_allowed="", no_answer="")


@dataclass(frozen=True, slots=True)
class Webhook:
    """The message by POST, to a server whose certificate is verified.

    It is reached as this machine reaches others: by its resolver, and by the proxy of its environment. What
    a watch looks through, `--resolver` and `--proxy`, are the servers' own.
    """

    url: URL = field(repr=False)
    ca_file: Path | None = None
    wants_state: bool = False

    @classmethod
    def at(cls, text: str, ca_file: Path | None) -> "Webhook":
        """The server of this URL.

        Raises:
            InputError: it is no URL.
            FileInputError: the CA file holds no certificate.
        """
        try:
            url = URL(text)
        except ValueError:
            url = URL()
        if url.scheme != "https" or not url.host:
            raise InputError(
                "--notify https: no URL of a web server", hint="Such as https://ops.example/hook."
            )
        tls_context(ca_file)  # a file that holds none is told at the start
        return cls(url, ca_file)

    @property
    def name(self) -> str:
        """Its host: the path of a webhook is often a secret."""
        return f"webhook {self.url.origin()}"

    async def send(self, message: Message) -> None:
        """POST it; a redirect is not followed.

        Raises:
            AzureError: no answer, or not one of 200 to 299.
        """
        body = json.dumps(dict(message.document)).encode()
        async with connection_pool(proxy=None, ca_file=self.ca_file) as pool:
            await HttpsClient(pool, lambda url: url == self.url, _ADVICE).post(self.url, body)
