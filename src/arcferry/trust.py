"""Whom arcferry's own HTTPS connections believe."""

import ssl
from pathlib import Path

import certifi

from arcferry.errors import FileInputError


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A verifying client's context: the public roots, this system's, and the CA that was passed in.

    Raises:
        FileInputError: the CA file is missing or holds no certificate.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError as error:
            raise FileInputError(ca_file, "holds no certificate in PEM") from error
        except OSError as error:
            raise FileInputError(ca_file, error.strerror or "cannot be read") from error
    return context
