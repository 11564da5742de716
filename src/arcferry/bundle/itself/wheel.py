import base64
import hashlib
import importlib.metadata
import io
import zipfile
import zlib
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from importlib import resources
from pathlib import Path

from arcferry import __version__, files
from arcferry.bundle.itself.lock import LockedWheel
from arcferry.errors import FileInputError, InputError

_NAME = "arcferry"
_FILE = f"{_NAME}-{__version__}-py3-none-any.whl"
_FOLDER = f"{_NAME}-{__version__}.dist-info"
_LARGEST = 64 * 1024 * 1024
_LARGEST_METADATA = 1024 * 1024
# Of the installed description, what describes arcferry; the rest describes this one installation.
_DESCRIBING = ("METADATA", "WHEEL", "entry_points.txt")
# The earliest date that a zip can state, so that no clock is in the bytes.
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def own_wheel(given: Path | None) -> tuple[LockedWheel, bytes]:
    """Arcferry's own wheel: the one given, else one made of the arcferry that is running.

    A wheel is made of the installed files and not of a source checkout, because most who carry arcferry over
    have no checkout, and because what they tried on this side is then what they install on the other. Nothing
    in it depends on time, place or a compression library, so the same files give the same bytes.

    Raises:
        FileInputError: the wheel given is not one of this very arcferry.
        InputError: the running arcferry was changed since it was installed, or isn't installed.
    """
    if given:
        data = files.read_bounded(given, limit=_LARGEST)
        _check_given(given, data)
    else:
        data = _packed(dict(_installed()))
    return LockedWheel(_NAME, __version__, _FILE, hashlib.sha256(data).hexdigest()), data


def _check_given(path: Path, data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            name = f"{_FOLDER}/METADATA"
            if archive.getinfo(name).file_size > _LARGEST_METADATA:
                raise FileInputError(path, f"its {name} is too large")
            metadata = BytesParser().parsebytes(archive.read(name))
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        RuntimeError,
        ValueError,
        EOFError,
        zlib.error,
    ) as error:
        raise FileInputError(path, "is not a wheel") from error
    except KeyError as error:
        raise FileInputError(
            path,
            f"is not a wheel of {_NAME} {__version__}, whose dependencies are locked here",
            hint="Use the arcferry of the wheel's own version to pack it.",
        ) from error
    if _needs(metadata) != _needs(_distribution().metadata):
        raise FileInputError(path, f"needs other packages than the {_NAME} {__version__} that is running")


def _needs(metadata: Message | importlib.metadata.PackageMetadata) -> list[str]:
    return sorted(metadata.get_all("Requires-Dist") or [])


def _distribution() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(_NAME)
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(
            "arcferry runs here without being installed, so no wheel can be made of it",
            hint="Install it, or give its wheel with --wheel.",
        ) from error


def _installed() -> Iterator[tuple[str, bytes]]:
    """What the wheel holds, by its name there: the package's files, then what describes it."""
    distribution = _distribution()
    listed = {str(path).replace("\\", "/"): path for path in distribution.files or ()}
    package = dict(files.packaged(resources.files(_NAME), f"{_NAME}/"))
    if f"{_NAME}/__init__.py" in listed:
        _check_unchanged(package, listed)
    yield from package.items()
    for name, path in listed.items():
        inside = name.removeprefix(f"{_FOLDER}/")
        if inside != name and (inside in _DESCRIBING or inside.startswith("licenses/")):
            yield name, path.read_binary()


def _check_unchanged(package: dict[str, bytes], listed: dict[str, importlib.metadata.PackagePath]) -> None:
    """Check that the files are those that were installed; an editable installation lists none."""
    wanted = {name for name in listed if name.startswith(f"{_NAME}/") and "__pycache__" not in name}
    odd = wanted.symmetric_difference(package)
    for name in wanted & package.keys():
        stated = listed[name].hash
        if stated and stated.value != _record_hash(package[name]):
            odd.add(name)
    if odd:
        raise InputError(
            f"{min(odd)} is not as it was installed",
            hint="Install arcferry anew, or give its wheel with --wheel.",
        )


def _packed(held: dict[str, bytes]) -> bytes:
    """A wheel of these files, stored: a compressor's output differs from one of its versions to the next."""
    record = "".join(
        f"{name},sha256={_record_hash(data)},{len(data)}\n" for name, data in sorted(held.items())
    )
    list_name = f"{_FOLDER}/RECORD"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (*sorted(held.items()), (list_name, f"{record}{list_name},,\n".encode())):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return target.getvalue()


def _record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
