"""What was fetched before: beside each file in the downloads folder, what it is and where it came from."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Self

from arcferry import files, numbers
from arcferry.errors import FileInputError, InputError
from arcferry.fetch.request import FetchedFile
from arcferry.fetch.transfer import Digest, Receipt

_NAME = "receipt.json"
_LIMIT = 64 * 1024


class ItemFolder:
    """One item's folder among the downloads: its file, and the receipt beside it."""

    def __init__(self, downloads: Path, item: str) -> None:
        self.item = item
        self.path = downloads / item

    @classmethod
    def made(cls, downloads: Path, item: str) -> Self:
        """The folder, made where it is missing.

        Raises:
            FileInputError: it cannot be made.
        """
        folder = cls(downloads, item)
        files.make_private(folder.path)
        return folder

    def receipt(self) -> Receipt | None:
        """What was fetched before, when it is here as it was."""
        try:
            receipt = Receipt(**numbers.from_json(files.read_bounded(self.path / _NAME, limit=_LIMIT)))
            plain = Path(receipt.file).name == receipt.file
            digest = Digest("sha256", receipt.sha256, receipt.length)
            return receipt if plain and digest.fits(self.path / receipt.file) else None
        except (InputError, ValueError, TypeError):
            return None

    def record(self, receipt: Receipt) -> FetchedFile:
        """Note a file that is in the folder now; the one before is removed.

        Raises:
            FileInputError: the folder cannot be written.
        """
        files.write_whole(self.path / _NAME, json.dumps(asdict(receipt), indent=1).encode())
        for path in self.path.iterdir():
            if path.name not in (_NAME, receipt.file) and path.is_file():
                try:
                    path.unlink()
                except OSError as error:
                    raise FileInputError(path, error.strerror or "cannot be removed") from error
        return self.file(receipt)

    def file(self, receipt: Receipt) -> FetchedFile:
        """The file of a receipt, for who asked."""
        return FetchedFile(self.item, self.path / receipt.file, receipt.origin, receipt.sha256, receipt.says)
