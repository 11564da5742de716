import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from arcferry.bundle.manifest import PackageFormat
from arcferry.bundle.packages import deb, msi, rpm
from arcferry.bundle.packages.facts import PackageFacts, UnusablePackageError
from arcferry.errors import FileInputError

_READERS: tuple[tuple[bytes, PackageFormat, Callable[[BinaryIO, int], PackageFacts]], ...] = (
    (msi.MAGIC, PackageFormat.MSI, msi.read),
    (deb.MAGIC, PackageFormat.DEB, deb.read),
    (rpm.MAGIC, PackageFormat.RPM, rpm.read),
)
_IN_NAME = re.compile(r"(?<![\w.])v?([0-9]+\.[0-9][0-9.]*(?:[-+~][0-9][0-9A-Za-z.~+]*)?)(?=[ .-]|$)")
_ARCH_IN_NAME = re.compile(r"(?:^|[_.-])(amd64|arm64|x86_64|aarch64|x64)(?=[_.-]|$)")
_PLAIN = re.compile(r"[A-Za-z0-9.+:~_^-]{0,100}")


def inspect(path: Path, *, called: Path | None = None) -> tuple[PackageFormat, PackageFacts]:
    """Recognise an agent package by its content, and read its version and architecture.

    Args:
        path: the file to read.
        called: the name to use in errors and to take a version from, if it is not `path`.

    Raises:
        FileInputError: unreadable, no agent package, or a damaged one.
    """
    called = called or path
    try:
        if not path.is_file():
            raise FileInputError(called, "is not a file" if path.exists() else "no such file")
        with path.open("rb") as stream:
            size = path.stat().st_size
            start = stream.read(8)
            for magic, package_format, read in _READERS:
                if start.startswith(magic):
                    return package_format, _completed(read(stream, size), called, package_format)
    except UnusablePackageError as error:
        raise FileInputError(called, str(error), hint="Download it again, or copy it again.") from error
    except OSError as error:
        raise FileInputError(called, error.strerror or "cannot be read") from error
    raise FileInputError(
        called,
        "is not an agent package: its content is neither MSI, deb nor rpm" if size else "is empty",
        hint="A page saved instead of the package looks like this; open it in an editor.",
    )


def _completed(facts: PackageFacts, called: Path, package_format: PackageFormat) -> PackageFacts:
    """Facts that the package does not tell, taken from its file name."""
    stem = called.name.removesuffix(f".{package_format}")
    version = _IN_NAME.search(stem.replace("_", " ").replace("AzureConnectedMachineAgent", " "))
    architecture = _ARCH_IN_NAME.search(stem)
    found = PackageFacts(
        facts.version or (version[1].strip(".") if version else ""),
        facts.architecture or (architecture[1] if architecture else ""),
    )
    if not _PLAIN.fullmatch(found.version) or not _PLAIN.fullmatch(found.architecture):
        raise UnusablePackageError("states a version or an architecture in characters that neither may have")
    return found
