"""Makes oscrypto 1.3.0 load on OpenSSL 3.0.10 and later.

It reads OpenSSL's version with a pattern that takes one digit after the last dot: `3.0.19` is no version
to it, and its import fails (https://github.com/wbond/oscrypto/issues/78; mended in its repository in 2023,
in no release as of 2026-11-23). This file can go when a release after 1.3.0 is out, or when signify no
longer needs oscrypto.
"""

import importlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from arcferry.errors import BlockedError

_ONE_DIGIT = r"\b(\d\.\d\.\d[a-z]*)\b"
_ANY_DIGITS = r"\b(\d+\.\d+\.\d+[a-z]*)\b"
_lock = threading.Lock()


def load_oscrypto() -> None:
    """Import oscrypto, whatever OpenSSL's version number looks like.

    Raises:
        BlockedError: this computer has no library that oscrypto can use.
    """
    with _lock:
        errors = importlib.import_module("oscrypto.errors")
        try:
            importlib.import_module("oscrypto.asymmetric")
        except errors.LibraryNotFoundError:
            try:
                with _any_digits():
                    importlib.import_module("oscrypto.asymmetric")
            except errors.LibraryNotFoundError as error:
                raise BlockedError(
                    f"signatures cannot be verified on this computer: {error}",
                    hint="Install OpenSSL's library (Debian and Ubuntu: libssl3, Red Hat: openssl-libs).",
                ) from error


@contextmanager
def _any_digits() -> Iterator[None]:
    """Within this, `re.search` takes any number of digits where oscrypto asks for one."""
    search = re.search

    def patient(pattern: Any, string: Any, flags: Any = 0) -> Any:  # noqa: ANN401 - passes on what it gets
        return search(_ANY_DIGITS if pattern == _ONE_DIGIT else pattern, string, flags)

    re.search = patient
    try:
        yield
    finally:
        re.search = search
