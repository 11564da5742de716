"""CPython's installer for Windows, which a bundle may carry for a jump host that has none.

It is python.org's `python-3.12.10-amd64.exe`: one file that installs without a network, every byte of which
is under the signature of the Python Software Foundation. In the embeddable zip and in nuget's package that
covers the programs and not the library beside them, and the zip has no pip.
"""

import mmap
import re
from dataclasses import dataclass
from pathlib import Path

from arcferry import files
from arcferry.bundle.authenticode import PYTHON, Roots, verify_program
from arcferry.errors import FileInputError

PUBLISHER = "Python Software Foundation"
FOLDER = "python"
_LARGEST = 256 * 1024 * 1024


def _wide(text: str) -> bytes:
    return re.escape(text.encode("utf-16-le"))


# The name in its version resource, such as "Python 3.12.10 (64-bit)".
_NAME = re.compile(
    _wide("ProductName")
    + rb"(?:\0\0){1,3}"
    + _wide("Python 3.")
    + rb"((?:[0-9]\0){1,2})"
    + _wide(".")
    + rb"((?:[0-9]\0){1,2})"
    + _wide(" (64-bit)")
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An installer of CPython for 64-bit Windows.

    Attributes:
        python: the version as targets have it, such as `3.12`.
        version: the whole version, such as `3.12.10`.
        says: who signed it and when.
    """

    python: str
    version: str
    says: str

    @property
    def file(self) -> str:
        """Its name in a bundle, whatever it was called."""
        return f"{FOLDER}/python-{self.version}-amd64.exe"


def read_interpreter(path: Path, *, roots: Roots = PYTHON, called: Path | None = None) -> Interpreter:
    """Verify an installer's signature and tell its version.

    Raises:
        FileInputError: it cannot be read, or is no installer of CPython for 64-bit Windows.
        BundleRefusedError: it is not signed by the Python Software Foundation, or was changed.
        BlockedError: this computer lacks what verifies signatures.
    """
    called = called or path
    with files.naming(called):
        if path.stat().st_size > _LARGEST:
            raise FileInputError(called, "is larger than any installer of CPython")
    says = verify_program(path, publisher=PUBLISHER, roots=roots, called=called).says
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = _NAME.search(data)
        numbers = [part.replace(b"\0", b"").decode() for part in found.groups()] if found else []
    if len(numbers) != 2:  # noqa: PLR2004 - minor and patch
        raise FileInputError(
            called,
            "is signed, and is not the installer of CPython for 64-bit Windows",
            hint="From python.org: Windows installer (64-bit), such as python-3.12.10-amd64.exe.",
        )
    return Interpreter(f"3.{numbers[0]}", f"3.{numbers[0]}.{numbers[1]}", says)
