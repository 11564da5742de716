"""Messages over HTTP, encrypted with what sign-in agreed on: [MS-WSMV] 2.2.9.1, as `multipart/encrypted`."""

import re
import struct

import spnego

_BOUNDARY = b"--Encrypted Boundary"
_DATA = b"\tContent-Type: application/octet-stream\r\n"
_END = _BOUNDARY + b"--\r\n"
_CONTENT_TYPE = re.compile(
    r'multipart/encrypted;\s*protocol="(application/HTTP-(?:SPNEGO|Kerberos)-session-encrypted)"'
)
_LENGTH = re.compile(rb";Length=(\d{1,10})")


class NotDecryptedError(Exception):
    """A message that was not encrypted for this connection, or changed on its way."""


def protocol_of(content_type: str) -> str:
    """The protocol that a Content-Type names; empty where the message is not encrypted."""
    found = _CONTENT_TYPE.match(content_type)
    return found[1] if found else ""


def decrypt(message: bytes, context: spnego.ContextProxy) -> bytes:
    """What an encrypted message says.

    Raises:
        NotDecryptedError: nothing, with this connection's keys.
    """
    head, data, sealed = message.partition(_BOUNDARY + b"\r\n" + _DATA)
    length = _LENGTH.search(head)
    if not data or not length or not sealed.endswith(_END):
        raise NotDecryptedError
    sealed = sealed.removesuffix(_END)
    size = int.from_bytes(sealed[:4], "little")
    if size > len(sealed) - 4:
        raise NotDecryptedError
    try:
        clear = context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
    except (spnego.exceptions.SpnegoError, ValueError) as error:
        raise NotDecryptedError from error
    if len(clear) != int(length[1]):
        raise NotDecryptedError
    return clear


def encrypt(message: bytes, context: spnego.ContextProxy, protocol: str) -> tuple[str, bytes]:
    """A message's Content-Type and encrypted form."""
    sealed = context.wrap_winrm(message)
    length = len(message) + sealed.padding_length
    return f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"', b"".join(
        (
            _BOUNDARY,
            f"\r\n\tContent-Type: {protocol}\r\n".encode(),
            f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={length}\r\n".encode(),
            _BOUNDARY,
            b"\r\n",
            _DATA,
            struct.pack("<i", len(sealed.header)),
            sealed.header,
            sealed.data,
            _END,
        )
    )
