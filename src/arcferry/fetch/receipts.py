"""What was fetched before: beside each file in the downloads folder, what it is and where it came from."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from arcferry import files, numbers
from arcferry.errors import FileInputError, InputError
from arcferry.fetch.transfer import Digest
from arcferry.fetch.wanted import Kept

_NAME = "receipt.json"
_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """One item that was fetched and checked.

    Attributes:
        file: its name, in the item's own folder.
        validator: the server's ETag, to ask whether there is a newer one.
        version: of the agent, or empty.
        says: what it was checked by.
    """

    file: str
    length: int
    sha256: str
    origin: str
    validator: str = ""
    version: str = ""
    says: str = ""


class Shelf:
    """One item's folder."""

    def __init__(self, downloads: Path, item: str) -> None:
        self.item = item
        self.folder = downloads / item

    def make(self) -> None:
        """Make the folder.

        Raises:
            FileInputError: it cannot be made.
        """
        files.make_private(self.folder)

    def receipt(self) -> Receipt | None:
        """What was fetched before, when it is here as it was."""
        try:
            found = numbers.from_json(files.read_bounded(self.folder / _NAME, limit=_LIMIT))
            receipt = Receipt(**found)
            plain = Path(receipt.file).name == receipt.file
            whole = plain and Digest("sha256", receipt.sha256, receipt.length).fits(
                self.folder / receipt.file
            )
        except (InputError, ValueError, TypeError):
            return None
        return receipt if whole else None

    def keep(self, receipt: Receipt) -> Kept:
        """Note a file that is in the folder now; the one before is dropped.

        Raises:
            FileInputError: the folder cannot be written.
        """
        files.write_whole(self.folder / _NAME, json.dumps(asdict(receipt), indent=1).encode())
        for path in self.folder.iterdir():
            if path.name not in (_NAME, receipt.file) and path.is_file():
                _remove(path)
        return self.kept(receipt)

    def kept(self, receipt: Receipt) -> Kept:
        """The same for who asked."""
        return Kept(self.item, self.folder / receipt.file, receipt.origin, receipt.sha256, receipt.says)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise FileInputError(path, error.strerror or "cannot be removed") from error
