"""The documents in a sealed bundle, as held data: each with its day and where it came from."""

from collections.abc import Sequence
from pathlib import Path

from arcferry.bundle import Bundle, BundleFile, Role
from arcferry.catalog.store import built_in
from arcferry.data.catalogue import NAME
from arcferry.data.kinds import recognise
from arcferry.data.store import Held, Store, in_order
from arcferry.errors import FileInputError
from arcferry.files import FILE_LIMIT

_ROLES = (Role.SERVICE_TAGS, Role.COMMUNITIES, Role.ROUTE_FILTER)
_CATALOGUE = f"{NAME}.toml"
_ZIP = b"PK\x03\x04"


def is_bundle(path: Path) -> bool:
    """Whether this is meant to be a bundle, a folder with a manifest or a zip; nothing is verified."""
    if path.is_dir():
        return (path / "manifest.json").is_file()
    try:
        with path.open("rb") as stream:
            return stream.read(len(_ZIP)) == _ZIP
    except OSError:
        return False


def documents_in(bundle: Bundle) -> tuple[tuple[Held, bytes], ...]:
    """What a bundle that was opened, and so verified, has of the kinds that are held, as by `recognise`.

    The endpoint catalogue is among it where it is newer than arcferry's own.

    Raises:
        FileInputError: a document is none of those, or something in it is wrong.
        BundleRefusedError: a file is no longer what was sealed.
    """
    found = [_recognised(bundle, file) for role in _ROLES for file in bundle.files(role)]
    catalogues = [one for one in bundle.files(Role.CATALOG) if Path(one.name).name == _CATALOGUE]
    own = built_in(NAME).source.taken
    newer = (one for one in (_recognised(bundle, file) for file in catalogues) if (one[0].taken or own) > own)
    return (*found, *newer)


def _recognised(bundle: Bundle, file: BundleFile) -> tuple[Held, bytes]:
    if file.length > FILE_LIMIT:
        raise FileInputError(file.name, f"larger than the {FILE_LIMIT:,} bytes that are read of such a file")
    listed = next(one for one in bundle.manifest.files if one.name == file.name)
    source = f"{listed.origin or file.name}, in bundle {bundle.id} of {bundle.manifest.created.date()}"
    return recognise(file.read(), Path(file.name).name, source=source)


class Beside(Store):
    """A data folder with documents beside it that count as held in this process alone."""

    def __init__(self, folder: Path, documents: Sequence[tuple[Held, bytes]]) -> None:
        super().__init__(folder)
        self._documents = {held.sha256: (held, data) for held, data in documents}

    def held(self) -> tuple[Held, ...]:
        """Everything; a document that lies in the folder too is there once, with its later day."""
        found = {held.sha256: held for held in super().held()}
        for held, _ in self._documents.values():
            found[held.sha256] = max(held, found.get(held.sha256, held), key=lambda one: one.age)
        return in_order(found.values())

    def read(self, held: Held) -> bytes:
        """The document, as for the folder."""
        here = self._documents.get(held.sha256)
        return here[1] if here and here[0] is held else super().read(held)
